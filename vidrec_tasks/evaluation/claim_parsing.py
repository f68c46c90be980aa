"""Claim parsing: an explanation, English or Chinese, read back into the claims it makes."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple


class Claim(NamedTuple):
    """One thing said: its kind and the words and numbers it is said of."""

    kind: str
    text: str = ""
    number: int = 0
    days: int = 0


REASON_KINDS: Final[Mapping[str, str]] = {
    "because_you_watched": "watched",
    "matches_topic": "interest",
    "by_creator": "creator",
    "popular_now": "popular",
    "new_video": "age",
    "new_for_you": "unseen",
}
"""Reason code -> the kind of claim its sentence must make."""

_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Categories of characters that no sentence may hold; none of them is printable."""
_QUOTED = r"[^“”《》<>\n]{1,80}"
_N = r"(0|[1-9]\d{0,8})"

_WATCHED = re.compile(rf"Because you watched “({_QUOTED})”(?:, also about “({_QUOTED})”)?\.")
_WATCHED_ZH = re.compile(rf"因为你看过(?:同样关于“({_QUOTED})”的)?《({_QUOTED})》。")
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


def parse_claims(sentence: str) -> list[Claim]:
    """All claims of a sentence; empty when any part of it cannot be read.

    A sentence with a control or format character (a hidden or reversed word) cannot be read.
    """
    if not sentence.isprintable() and any(unicodedata.category(c) in _HIDDEN for c in sentence):
        return []
    for parse in (_parse_watched, _parse_counted, _parse_video):
        if claims := parse(sentence):
            return claims
    return []


def _parse_watched(sentence: str) -> list[Claim]:
    if found := _WATCHED.fullmatch(sentence):
        title, topic = found.groups()
    elif found := _WATCHED_ZH.fullmatch(sentence):
        topic, title = found.groups()
    else:
        return []
    claims = [Claim("watched", title)]
    # the shared topic is said of the cited video too, so the claim carries its title along
    shared = [Claim("about", topic), Claim("about_cited", f"{topic}\n{title}")] if topic else []
    return [*claims, *shared]


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
