"""Explanation templates: the sentence of each reason, in each language; no logic.

Foreign text (titles, topics, creators) comes in already quoted by `language.quoting`.
"""

from typing import Final

from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    MATCHES_TOPIC,
    NEW_FOR_YOU,
    NEW_VIDEO,
    POPULAR_NOW,
)

TEMPLATES: Final[dict[str, dict[str, str]]] = {
    "en": {
        BECAUSE_YOU_WATCHED: "Because you watched “{title}”.",
        BECAUSE_YOU_WATCHED + "+topic": "Because you watched “{title}”, also about “{topic}”.",
        MATCHES_TOPIC: "Matches your interest in “{topic}”: you have watched {n_videos} about it.",
        BY_CREATOR: "By “{creator}”, of whom you have watched {n_videos}.",
        POPULAR_NOW: "Popular now: watched by {n_viewers} in the last {window}.",
        NEW_VIDEO: "New: published {age} ago.",
        NEW_VIDEO + "+today": "New: published less than a day ago.",
        NEW_FOR_YOU: "New for you: a video you have not watched yet.",
    },
    "zh": {
        BECAUSE_YOU_WATCHED: "因为你看过《{title}》。",
        BECAUSE_YOU_WATCHED + "+topic": "因为你看过同样关于“{topic}”的《{title}》。",
        MATCHES_TOPIC: "符合你对“{topic}”的兴趣：你看过{n_videos}相关视频。",
        BY_CREATOR: "来自创作者“{creator}”：你看过其{n_videos}视频。",
        POPULAR_NOW: "近期热门：最近{window}内有{n_viewers}看过。",
        NEW_VIDEO: "新视频：{age}前发布。",
        NEW_VIDEO + "+today": "新视频：发布不到一天。",
        NEW_FOR_YOU: "为你发现：一个你还没有看过的视频。",
    },
}
"""Language -> reason code (``+variant``) -> sentence with named places."""

COUNTED: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "en": {
        "n_videos": ("{} video", "{} videos"),
        "n_viewers": ("{} user", "{} users"),
        "window": ("{} day", "{} days"),
        "age": ("{} day", "{} days"),
    },
    "zh": {
        "n_videos": ("{} 个", "{} 个"),
        "n_viewers": ("{} 位用户", "{} 位用户"),
        "window": ("{} 天", "{} 天"),
        "age": ("{} 天", "{} 天"),
    },
}
"""Language -> place -> how one and how many are counted."""


def write_sentence(template: str, evidence: dict[str, object], *, language: str) -> str:
    """The sentence of a template with its places filled.

    Args:
        template: a key of `TEMPLATES`, a reason code with or without ``+variant``.
        evidence: holds a value for each place; counts are whole numbers.
        language: 'en' or 'zh'.
    """
    counted = COUNTED[language]
    places = {
        name: counted[name][value != 1].format(value) if name in counted else value
        for name, value in evidence.items()
    }
    return TEMPLATES[language][template].format(**places)
