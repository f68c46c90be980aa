"""Claim parsing: an explanation, English or Chinese, read back into the claims it makes."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple


class Claim(NamedTuple):
    """One thing said: its kind and the words and numbers it is said of.

    Attributes:
        kind: what is said.
        text: the title, topic or creator it is said of; two are divided by a line break.
        number: how many.
        days: of how many days, or how long ago.
        of: of how many users ``number`` liked it.
        percent: of all who began it.
        is_sample: whether a sample is said to be counted.
        shared: liked videos that those users share with the reader.
    """

    kind: str
    text: str = ""
    number: int = 0
    days: int = 0
    of: int = 0
    percent: int | None = None
    is_sample: bool = False
    shared: int = 0


REASON_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "because_you_watched": ("watched",),
    "liked_by_others": ("others", "alike_others"),
    "matches_topic": ("interest",),
    "by_creator": ("creator",),
    "popular_now": ("popular",),
    "new_video": ("age",),
    "new_for_you": ("unseen",),
}
"""Reason code -> the kinds of claim of which its first sentence must make one."""

_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Categories of characters that no sentence may hold; none of them is printable."""
_QUOTED = r"[^“”《》<>\n]{1,80}"
_N = r"(0|[1-9]\d{0,8})"

_LINKED: Final[Mapping[str, tuple[str, str]]] = {
    "about": (
        rf"Because you watched “(?P<title>{_QUOTED})”, also about “(?P<name>{_QUOTED})”\.",
        rf"因为你看过同样关于“(?P<name>{_QUOTED})”的《(?P<title>{_QUOTED})》。",
    ),
    "same_creator": (
        rf"Because you watched “(?P<title>{_QUOTED})”, also by “(?P<name>{_QUOTED})”\.",
        rf"因为你看过同样来自“(?P<name>{_QUOTED})”的《(?P<title>{_QUOTED})》。",
    ),
    "alike": (
        rf"Because you watched “(?P<title>{_QUOTED})”, much like this video\.",
        rf"因为你看过与本视频很相似的《(?P<title>{_QUOTED})》。",
    ),
    "next_part": (
        rf"Because you watched “(?P<title>{_QUOTED})”: this is the next part\.",
        rf"因为你看过《(?P<title>{_QUOTED})》：这是下一集。",
    ),
    "series": (
        rf"Because you watched “(?P<title>{_QUOTED})”, of the same series\.",
        rf"因为你看过同一系列的《(?P<title>{_QUOTED})》。",
    ),
}
"""What joins a watched video to the listed one; a sentence must say one of these."""
_JOINED: Final = [
    (kind, re.compile(pattern)) for kind, patterns in _LINKED.items() for pattern in patterns
]
_OTHERS: Final = [
    re.compile(
        rf"Of (?P<of>{_N})(?P<sampled> sampled)? users? who "
        rf"(?:liked “(?P<title>{_QUOTED})” and began this video"
        r"|liked (?P<that>that video) and began this one"
        rf"|share (?P<shared>{_N}) or more liked videos with you and began this one)"
        rf", (?P<liked>{_N}) liked it(?:, against (?P<percent>{_N})% of all who began it)?\."
    ),
    re.compile(
        rf"(?:喜欢《(?P<title>{_QUOTED})》|喜欢(?P<that>该视频)"
        rf"|与你共同喜欢至少 ?(?P<shared>{_N}) ?个视频)并开始看本视频的"
        rf"(?P<of>{_N}) ?位(?P<sampled>抽样)?用户中，有 ?(?P<liked>{_N}) ?位喜欢本视频"
        rf"(?:；在所有开始看的用户中为 ?(?P<percent>{_N})%)?。"
    ),
]
THAT: Final = "\n"
"""The text of a claim about the video that the sentence before named."""
_END: Final = re.compile(r"\. |。")
_INTEREST = re.compile(
    rf"Matches your interest in “({_QUOTED})”: you have watched {_N} videos? about it\."
    rf"|符合你对“({_QUOTED})”的兴趣：你看过{_N} ?个相关视频。"
)
_CREATOR = re.compile(
    rf"By “({_QUOTED})”, of whom you have watched {_N} videos?\."
    rf"|来自创作者“({_QUOTED})”：你看过其{_N} ?个视频。"
)
_POPULAR = re.compile(
    rf"Popular now: watched by {_N} users? in the last {_N} days?\."
    rf"|近期热门：最近{_N} ?天内有{_N} ?位用户看过。"
)
_AGE = re.compile(rf"New: published {_N} days? ago\.|新视频：{_N} ?天前发布。")
_TODAY = re.compile(r"New: published less than a day ago\.|新视频：发布不到一天。")
_UNSEEN = re.compile(
    r"New for you: a video you have not watched yet\.|为你发现：一个你还没有看过的视频。"
)


def parse_claims(text: str) -> list[Claim]:
    """All claims of an explanation; empty when any part of it cannot be read."""
    return [claim for claims in parse_sentences(text) for claim in claims]


def parse_sentences(text: str) -> list[list[Claim]]:
    """The claims of each sentence of an explanation, two at most; empty when it cannot be read.

    A text with a control or format character (a hidden or reversed word) cannot be read.
    """
    if not text.isprintable() and any(unicodedata.category(c) in _HIDDEN for c in text):
        return []
    if claims := _parse_one(text):
        return [] if any(claim.text == THAT for claim in claims) else [claims]
    for end in _END.finditer(text):
        first, second = _parse_one(text[: end.end()].rstrip(" ")), _parse_one(text[end.end() :])
        if first and second:
            return _resolved(first, second)
    return []


def _parse_one(sentence: str) -> list[Claim]:
    for parse in (_parse_joined, _parse_others, _parse_counted, _parse_video):
        if claims := parse(sentence):
            return claims
    return []


def _resolved(first: list[Claim], second: list[Claim]) -> list[list[Claim]]:
    """What "that video" is, is said in the sentence before; else nobody can say what is meant."""
    named = next((claim.text for claim in first if claim.kind == "watched"), THAT)
    told = [claim._replace(text=named) if claim.text == THAT else claim for claim in second]
    is_whole = all(claim.text != THAT for claim in (*first, *told))
    return [first, told] if is_whole else []


def _parse_joined(sentence: str) -> list[Claim]:
    for kind, pattern in _JOINED:
        if found := pattern.fullmatch(sentence):
            places = found.groupdict()
            title, name = places["title"], places.get("name", "")
            claims = [Claim("watched", title)]
            # what joins the two is said of the watched video too, so the claim carries its title
            if kind == "about":
                return [*claims, Claim("about", name), Claim("about_cited", f"{name}\n{title}")]
            if kind == "same_creator":
                return [*claims, Claim("creator", name), Claim("creator_cited", f"{name}\n{title}")]
            return [*claims, Claim(kind, title)]
    return []


def _parse_others(sentence: str) -> list[Claim]:
    found = next((match for one in _OTHERS if (match := one.fullmatch(sentence))), None)
    if found is None:
        return []
    place = found.groupdict()
    claim = Claim(
        "others",
        THAT if place["that"] else place["title"] or "",
        int(place["liked"]),
        of=int(place["of"]),
        percent=int(place["percent"]) if place["percent"] else None,
        is_sample=place["sampled"] is not None,
    )
    if place["shared"]:
        return [claim._replace(kind="alike_others", shared=int(place["shared"]))]
    return [claim]


def _parse_counted(sentence: str) -> list[Claim]:
    if found := _INTEREST.fullmatch(sentence):
        text, number = [part for part in found.groups() if part is not None]
        counted = Claim("watched_about", text, int(number))
        return [Claim("about", text), Claim("interest", text), counted]
    if found := _CREATOR.fullmatch(sentence):
        text, number = [part for part in found.groups() if part is not None]
        return [Claim("creator", text), Claim("watched_by", text, int(number))]
    return []


def _parse_video(sentence: str) -> list[Claim]:
    if found := _POPULAR.fullmatch(sentence):
        viewers, days, days_zh, viewers_zh = found.groups()
        return [Claim("popular", "", int(viewers or viewers_zh), int(days or days_zh))]
    if found := _AGE.fullmatch(sentence):
        return [Claim("age", days=int(found[1] or found[2]))]
    if _TODAY.fullmatch(sentence):
        return [Claim("age", days=0)]
    return [Claim("unseen")] if _UNSEEN.fullmatch(sentence) else []
