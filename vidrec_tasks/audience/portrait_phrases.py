"""Portrait phrases: the words of each fact and of what joins them, in each language; no logic.

Foreign text (topics, titles, creators) comes in already quoted by `language.quoting`. The checker
has a grammar of its own; a phrase that is added here is published only once it reads it.
"""

from dataclasses import dataclass
from typing import Final

from vidrec_tasks.audience import portrait_facts as kinds

ALL: Final = " all"
BOTH: Final = " both"
"""Added to a kind whose count is the whole: "most videos (2 of 2)" reads as if there were more."""


@dataclass(frozen=True)
class Phrases:
    """The words of a language; where there are several, each says the same.

    Attributes:
        unknown: the portrait of a user without a visit.
        watched_little: the first sentence of one or two videos; ``{videos}`` and ``{names}``.
        watched_only: of videos without a topic that can be named; ``{videos}``.
        openings: what the first sentence begins with: ``any``; ``liked``: of topics with a liked
            video; ``often``: of a topic of three videos or more; ``mostly``: of more than half.
        also: what stands between a topic of most videos and the others.
        bare_topic: a topic without counts.
        first_topic, topic: a topic with its counts, as the first of a list and later on.
        favourites: the sentence about liked videos; ``{names}``.
        favourite: of a single one.
        title, title_again: a liked video, and one watched several times.
        clause: what the last sentence begins with.
        clauses: kind of fact (and its name where several share it, or `ALL`, `BOTH`) -> clauses
            about it.
        comma, last: what joins a list, and its last two.
        clause_comma, clause_last: the same of clauses.
        stop: what ends a sentence.
        gap: what stands between two sentences.
        one_video, videos: how many are counted.
        day: a day; ``{year}``, ``{month}``, ``{day}``.
        months: names by number, none where the number is written.
    """

    unknown: str
    watched_little: tuple[str, ...]
    watched_only: tuple[str, ...]
    openings: dict[str, tuple[str, ...]]
    also: str
    bare_topic: str
    first_topic: str
    topic: str
    favourites: tuple[str, ...]
    favourite: tuple[str, ...]
    title: str
    title_again: str
    clause: str
    clauses: dict[str, tuple[str, ...]]
    comma: str
    last: str
    clause_comma: str
    clause_last: str
    stop: str
    gap: str
    one_video: str
    videos: str
    day: str
    months: tuple[str, ...] = ()


ENGLISH: Final = Phrases(
    unknown="This user has not watched any video yet, so there is nothing to say of their taste.",
    watched_little=(
        "So far this user has watched {videos}, about {names}.",
        "This user has watched {videos} so far, about {names}.",
    ),
    watched_only=("This user has watched {videos} so far.",),
    openings={
        "any": (
            "This user watches videos about ",
            "This user goes for videos about ",
            "This user is drawn to videos about ",
        ),
        "liked": ("This user enjoys videos about ", "This user likes videos about "),
        "often": (
            "This user keeps coming back to videos about ",
            "This user often watches videos about ",
        ),
        "mostly": ("This user mostly watches videos about ",),
    },
    also=", along with ",
    bare_topic="{name}",
    first_topic="{name} ({n} of {of})",
    topic="{name} ({n})",
    favourites=(
        "They liked {names}.",
        "Among the videos they liked are {names}.",
        "Videos they liked include {names}.",
    ),
    favourite=("They liked {names}.", "One of the videos they liked is {names}."),
    title="“{name}”",
    title_again="“{name}” (watched {n} times)",
    clause="They ",
    clauses={
        kinds.MORE: (
            "have turned to {name} since {day} ({n} of {of} videos, {n_before} of {of_before} "
            "before)",
            "have watched more of {name} since {day} ({n} of {of} videos, {n_before} of "
            "{of_before} before)",
        ),
        kinds.NEW: (
            "have discovered {name} since {day} ({n} of {of} videos, none of {of_before} before)",
            "have begun to watch {name} since {day} ({n} of {of} videos, none of {of_before} "
            "before)",
        ),
        kinds.LESS: (
            "have watched less of {name} since {day} ({n} of {of} videos, {n_before} of "
            "{of_before} before)",
        ),
        kinds.WHEN + kinds.EVENING: (
            "watch mostly in the evening ({n} of {of} times)",
            "tend to watch in the evening ({n} of {of} times)",
        ),
        kinds.WHEN + kinds.NIGHT: (
            "watch mostly at night ({n} of {of} times)",
            "tend to watch at night ({n} of {of} times)",
        ),
        kinds.WHEN + kinds.MORNING: (
            "watch mostly in the morning ({n} of {of} times)",
            "tend to watch in the morning ({n} of {of} times)",
        ),
        kinds.WHEN + kinds.AFTERNOON: (
            "watch mostly in the afternoon ({n} of {of} times)",
            "tend to watch in the afternoon ({n} of {of} times)",
        ),
        kinds.WHEN + kinds.WEEKEND: (
            "watch mostly at weekends ({n} of {of} times)",
            "tend to watch at weekends ({n} of {of} times)",
        ),
        kinds.LENGTH + kinds.SHORT: (
            "prefer videos under {minutes} minutes ({n} of {of})",
            "favour videos under {minutes} minutes ({n} of {of})",
        ),
        kinds.LENGTH + kinds.LONG: (
            "prefer videos over {minutes} minutes ({n} of {of})",
            "favour videos over {minutes} minutes ({n} of {of})",
        ),
        kinds.FAR + kinds.WHOLE: ("watch most videos to the end ({n} of {of})",),
        kinds.FAR + kinds.PART: ("leave most videos before the middle ({n} of {of})",),
        kinds.FRESH: ("often catch videos in their first {limit} days ({n} of {of})",),
        kinds.CREATOR: (
            "have watched {n} videos by “{name}”",
            "know “{name}” from {n} videos",
        ),
        kinds.AWAY: (
            "turn away from most videos about {name} ({n} of {of})",
            "do not care for most videos about {name} ({n} of {of} turned away)",
        ),
        kinds.AWAY + ALL: ("have turned away from all {n} videos about {name} that they met",),
        kinds.AWAY + BOTH: ("have turned away from both videos about {name} that they met",),
    },
    comma=", ", last=" and ", clause_comma=", ", clause_last=" and ", stop=".", gap=" ",
    one_video="one video", videos="{n} videos",
    day="{day} {month} {year}",
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
)  # fmt: skip

CHINESE: Final = Phrases(
    unknown="这位用户还没有看过任何视频，因此无从谈起其喜好。",
    watched_little=("这位用户目前看过{videos}，内容有{names}。",),
    watched_only=("这位用户目前看过{videos}。",),
    openings={
        "any": ("这位用户观看", "这位用户看的主题包括"),
        "liked": ("这位用户喜欢", "这位用户爱看"),
        "often": ("这位用户经常看", "这位用户一再回来看"),
        "mostly": ("这位用户大多看",),
    },
    also="，此外还有",
    bare_topic="“{name}”",
    first_topic="“{name}”（{of} 个视频中的 {n} 个）",
    topic="“{name}”（{n} 个）",
    favourites=("喜欢的视频有{names}。", "看过并喜欢{names}。"),
    favourite=("喜欢的视频有{names}。", "看过并喜欢{names}。"),
    title="《{name}》",
    title_again="《{name}》（看过 {n} 次）",
    clause="这位用户",
    clauses={
        kinds.MORE: (
            "自{day}起更多地看“{name}”（{of} 个视频中的 {n} 个，此前 {of_before} 个中的 "
            "{n_before} 个）",
        ),
        kinds.NEW: (
            "自{day}起开始看“{name}”（{of} 个视频中的 {n} 个，此前 {of_before} 个中没有）",
        ),
        kinds.LESS: (
            "自{day}起较少看“{name}”（{of} 个视频中的 {n} 个，此前 {of_before} 个中的 "
            "{n_before} 个）",
        ),
        kinds.WHEN + kinds.EVENING: ("多在傍晚到晚上观看（{of} 次中的 {n} 次）",),
        kinds.WHEN + kinds.NIGHT: ("多在深夜观看（{of} 次中的 {n} 次）",),
        kinds.WHEN + kinds.MORNING: ("多在上午观看（{of} 次中的 {n} 次）",),
        kinds.WHEN + kinds.AFTERNOON: ("多在下午观看（{of} 次中的 {n} 次）",),
        kinds.WHEN + kinds.WEEKEND: ("多在周末观看（{of} 次中的 {n} 次）",),
        kinds.LENGTH + kinds.SHORT: ("偏爱 {minutes} 分钟以内的视频（{of} 个中的 {n} 个）",),
        kinds.LENGTH + kinds.LONG: ("偏爱 {minutes} 分钟以上的视频（{of} 个中的 {n} 个）",),
        kinds.FAR + kinds.WHOLE: ("大多把视频看完（{of} 个中的 {n} 个）",),
        kinds.FAR + kinds.PART: ("大多看不到一半（{of} 个中的 {n} 个）",),
        kinds.FRESH: ("大多看发布 {limit} 天以内的视频（{of} 个中的 {n} 个）",),
        kinds.CREATOR: ("看过“{name}”的 {n} 个视频",),
        kinds.AWAY + ALL: ("避开了关于“{name}”的全部 {n} 个视频",),
        kinds.AWAY: ("大多避开关于“{name}”的视频（{of} 个中的 {n} 个）",),
    },
    comma="、", last="和", clause_comma="，", clause_last="，", stop="。", gap="",
    one_video="1 个视频", videos="{n} 个视频",
    day="{year}年{month}月{day}日",
)  # fmt: skip

PHRASES: Final = {"en": ENGLISH, "zh": CHINESE}
