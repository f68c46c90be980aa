"""Explanation templates: the sentence of each reason, in each language; no logic.

Foreign text (titles, topics, creators) comes in already quoted by `language.quoting`.
"""

from typing import Final

from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    LIKED_BY_OTHERS,
    MATCHES_TOPIC,
    NEW_FOR_YOU,
    NEW_VIDEO,
    POPULAR_NOW,
)

THAT: Final = "+that"
"""The variant that speaks of the video which the sentence before named."""
TASTE: Final = "+taste"
"""The variant that speaks of users with a taste like the reader's, and names no video."""
USUAL: Final = "+usual"
"""The variant that adds what is usual, where fewer than half liked it."""

TEMPLATES: Final[dict[str, dict[str, str]]] = {
    "en": {
        BECAUSE_YOU_WATCHED + "+next": "Because you watched “{title}”: this is the next part.",
        BECAUSE_YOU_WATCHED + "+series": "Because you watched “{title}”, of the same series.",
        BECAUSE_YOU_WATCHED + "+topic": "Because you watched “{title}”, also about “{topic}”.",
        BECAUSE_YOU_WATCHED + "+alike": "Because you watched “{title}”, much like this video.",
        BECAUSE_YOU_WATCHED + "+creator": "Because you watched “{title}”, also by “{creator}”.",
        LIKED_BY_OTHERS: "Of {n_began} who liked “{title}” and began this video, {n_liked} liked "
        "it.",
        LIKED_BY_OTHERS + THAT: "Of {n_began} who liked that video and began this one, {n_liked} "
        "liked it.",
        LIKED_BY_OTHERS + TASTE: "Of {n_began} who share {n_shared} or more liked videos with you "
        "and began this one, {n_liked} liked it.",
        LIKED_BY_OTHERS + USUAL: "Of {n_began} who liked “{title}” and began this video, {n_liked} "
        "liked it, against {usual}% of all who began it.",
        LIKED_BY_OTHERS + USUAL + THAT: "Of {n_began} who liked that video and began this one, "
        "{n_liked} liked it, against {usual}% of all who began it.",
        LIKED_BY_OTHERS + TASTE + USUAL: "Of {n_began} who share {n_shared} or more liked videos "
        "with you and began this one, {n_liked} liked it, against {usual}% of all who began it.",
        MATCHES_TOPIC: "Matches your interest in “{topic}”: you have watched {n_videos} about it.",
        BY_CREATOR: "By “{creator}”, of whom you have watched {n_videos}.",
        POPULAR_NOW: "Popular now: watched by {n_viewers} in the last {window}.",
        NEW_VIDEO: "New: published {age} ago.",
        NEW_VIDEO + "+today": "New: published less than a day ago.",
        NEW_FOR_YOU: "New for you: a video you have not watched yet.",
    },
    "zh": {
        BECAUSE_YOU_WATCHED + "+next": "因为你看过《{title}》：这是下一集。",
        BECAUSE_YOU_WATCHED + "+series": "因为你看过同一系列的《{title}》。",
        BECAUSE_YOU_WATCHED + "+topic": "因为你看过同样关于“{topic}”的《{title}》。",
        BECAUSE_YOU_WATCHED + "+alike": "因为你看过与本视频很相似的《{title}》。",
        BECAUSE_YOU_WATCHED + "+creator": "因为你看过同样来自“{creator}”的《{title}》。",
        LIKED_BY_OTHERS: "喜欢《{title}》并开始看本视频的{n_began}中，有 {n_liked} 位喜欢本视频。",
        LIKED_BY_OTHERS
        + THAT: "喜欢该视频并开始看本视频的{n_began}中，有 {n_liked} 位喜欢本视频。",
        LIKED_BY_OTHERS + TASTE: "与你共同喜欢至少 {n_shared} 个视频并开始看本视频的{n_began}中，"
        "有 {n_liked} 位喜欢本视频。",
        LIKED_BY_OTHERS + USUAL: "喜欢《{title}》并开始看本视频的{n_began}中，有 {n_liked} "
        "位喜欢本视频；在所有开始看的用户中为 {usual}%。",
        LIKED_BY_OTHERS + USUAL + THAT: "喜欢该视频并开始看本视频的{n_began}中，有 {n_liked} "
        "位喜欢本视频；在所有开始看的用户中为 {usual}%。",
        LIKED_BY_OTHERS + TASTE + USUAL: "与你共同喜欢至少 {n_shared} 个视频并开始看本视频的"
        "{n_began}中，有 {n_liked} 位喜欢本视频；在所有开始看的用户中为 {usual}%。",
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
        "n_began": ("{} user", "{} users"),
        "n_began_sampled": ("{} sampled user", "{} sampled users"),
        "window": ("{} day", "{} days"),
        "age": ("{} day", "{} days"),
    },
    "zh": {
        "n_videos": ("{} 个", "{} 个"),
        "n_viewers": ("{} 位用户", "{} 位用户"),
        "n_began": ("{} 位用户", "{} 位用户"),
        "n_began_sampled": ("{} 位抽样用户", "{} 位抽样用户"),
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
    if "n_began_sampled" in places:
        places["n_began"] = places["n_began_sampled"]
    return TEMPLATES[language][template].format(**places)


def join_sentences(sentences: list[str], *, language: str) -> str:
    """Sentences one after the other, as the language writes them."""
    return ("" if language == "zh" else " ").join(sentences)
