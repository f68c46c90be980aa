"""Cues: formats, moods and audiences, a closed list each, and the words that show them.

A field has one of these names or none. Whom a video is for is never told by age or faith: such
words would pass from the video to whoever watches it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Cues = Mapping[str, tuple[str, ...]]
"""Name -> words and word groups, in lower case, any of which shows it."""

FORMATS: Final[Cues] = MappingProxyType({
    "tutorial": (
        "tutorial", "tutorials", "how to", "step by step", "walkthrough", "guide", "course",
        "lesson", "lessons", "explained", "for beginners", "教程", "教学", "入门", "怎么", "如何",
        "攻略", "讲解",
    ),
    "interview": ("interview", "interviews", "q&a", "采访", "专访", "访谈", "对话"),
    "podcast": ("podcast", "podcasts", "播客"),
    "trailer": ("trailer", "trailers", "teaser", "teasers", "预告", "预告片"),
    "music": (
        "music video", "lyrics", "lyric video", "official audio", "playlist", "songs", "mashup",
        "cover song", "mv", "歌曲", "音乐", "翻唱", "歌单",
    ),
    "live": ("live stream", "livestream", "live concert", "live performance", "直播", "现场"),
    "review": ("review", "reviews", "unboxing", "hands-on", "测评", "评测", "开箱"),
    "documentary": ("documentary", "documentaries", "纪录片"),
    "lecture": ("lecture", "lectures", "keynote", "seminar", "webinar", "讲座", "公开课", "演讲"),
    "news": ("news", "breaking news", "headlines", "新闻", "快讯"),
    "gameplay": ("gameplay", "let's play", "speedrun", "playthrough", "实况", "通关"),
    "recipe": ("recipe", "recipes", "食谱", "菜谱", "做法"),
    "vlog": ("vlog", "vlogs", "vlogger", "day in the life", "日常"),
    "compilation": ("compilation", "compilations", "highlights", "montage", "合集", "集锦", "盘点"),
    "challenge": ("challenge", "challenges", "挑战"),
    "reaction": ("reaction", "reacts", "reacting", "反应"),
    "animation": ("animation", "animated", "cartoon", "动画", "动漫"),
})  # fmt: skip
"""What kind of video it is; the first that is shown counts."""

SHORT: Final = "short clip"
FEATURE: Final = "feature length"
SHORT_S, FEATURE_S = 120.0, 2_400.0
"""Formats by length alone, where no word shows another: up to 2 minutes, from 40."""

MOODS: Final[Cues] = MappingProxyType({
    "relaxing": (
        "relaxing", "relax", "calm", "calming", "soothing", "ambient", "asmr", "chill",
        "放松", "治愈", "舒缓", "安静",
    ),
    "funny": ("funny", "hilarious", "comedy", "prank", "pranks", "humour", "humor", "搞笑", "喜剧",
              "爆笑"),
    "scary": ("scary", "horror", "creepy", "haunted", "terrifying", "恐怖", "惊悚", "吓人"),
    "sad": ("sad", "heartbreaking", "tragic", "tearjerker", "悲伤", "感人", "催泪"),
    "exciting": ("exciting", "epic", "action-packed", "thrilling", "extreme", "刺激", "燃"),
    "romantic": ("romantic", "romance", "love story", "浪漫", "爱情"),
    "inspiring": ("inspiring", "inspirational", "motivational", "motivation", "励志", "鼓舞"),
    "tense": ("thriller", "suspense", "悬疑", "紧张"),
})  # fmt: skip
"""What it feels like, where its own words say so."""

AUDIENCES: Final[Cues] = MappingProxyType({
    "beginners": ("for beginners", "beginner", "beginners", "basics", "101", "for dummies", "入门",
                  "新手", "初学者", "零基础"),
    "advanced": ("advanced", "for experts", "masterclass", "deep dive", "进阶", "高级", "高手"),
    "families": ("family friendly", "for the whole family", "for families", "全家", "亲子"),
})  # fmt: skip
"""For whom it is, by what one must know."""

GROWN_UP: Final = "18 and over"
GROWN_UP_AGE: Final = 18
"""The audience of what the catalogue rates so."""
