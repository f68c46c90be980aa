"""Portrait reading: a sentence about a user, English or Chinese, read back into what it states.

Written apart from whoever writes portraits: every number, name and word of more, less, most or
often must stand in a form that is known here, and beside those only words that state nothing. A
sentence with anything else cannot be read.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple


class Statement(NamedTuple):
    """One thing said of a user.

    Attributes:
        kind: what is said.
        name: the topic, title or creator it is said of, or a word of its kind.
        n, of, before, of_before: counts, -1 where none is said.
        since: a day, ``YYYY-MM-DD``.
        limit: minutes or days.
    """

    kind: str
    name: str = ""
    n: int = -1
    of: int = -1
    before: int = -1
    of_before: int = -1
    since: str = ""
    limit: int = -1


class Unreadable(Exception):
    """A sentence that cannot be read; the words say what is unknown in it."""


LIMIT: Final = 600
"""Characters a sentence may have."""

_PRIVATE: Final = 0xE000
_MANY: Final = 0xF8FF - _PRIVATE
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
_X: Final = "[\ue000-\uf8ff]"
_N: Final = r"(?:0|[1-9]\d{0,8})"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DATE: Final = rf"(?P<day>\d{{1,2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>\d{{4}})"
_DATE_ZH: Final = r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"

_ONE: Final = rf"(?:“(?P<x>{_X})”|(?P<x2>{_X}))"
_COUNTED: Final = rf"(?: \((?:{_N} of {_N} videos|{_N}|watched {_N} times)\))?"
_ITEM: Final = rf"“?{_X}”?{_COUNTED}"
_LIST: Final = (
    rf"(?=(?:watching )?(?:videos (?:about|of|on) )?"
    rf"(?P<list>{_ITEM}(?:(?:, along with |, and | and |, ){_ITEM})*))"
)
_OF: Final = rf"\((?P<n>{_N}) of (?P<of>{_N})\)"
_TIMES: Final = rf"(?: \((?P<n>{_N}) of (?P<of>{_N}) times\))?"
_HALVES: Final = (
    rf"(?: \((?P<n>{_N}) of (?P<of>{_N}) videos, (?P<before>{_N}) of (?P<of_before>{_N}) before\))?"
)
_PARTS: Final = {
    "in the morning": "morning", "in the afternoon": "afternoon", "in the evening": "evening",
    "at night": "night", "at weekends": "weekend", "on weekends": "weekend",
    "上午": "morning", "下午": "afternoon", "傍晚到晚上": "evening", "深夜": "night",
    "周末": "weekend",
}  # fmt: skip
_PREFERS: Final = r"(?:prefers?|favours?|mostly (?:chooses?|watch(?:es)?))"
_PART: Final = f"(?P<part>{'|'.join(_PARTS)})"

_ENGLISH: Final = [
    ("likes", rf"(?:likes?|liked|enjoys?|enjoyed|loves?|is a fan of|is interested in) {_LIST}"),
    ("likes", rf"(?:among the )?videos they (?:liked|enjoyed) (?:include|are) {_LIST}"),
    ("likes", rf"one of the videos they liked is {_LIST}"),
    ("often", rf"(?:often watches|keeps coming back to|keeps returning to) {_LIST}"),
    ("most", rf"mostly watch(?:es)? {_ONE} \((?P<n>{_N}) of (?P<of>{_N}) videos\)"),
    ("times", rf"{_ONE} \(watched (?P<n>{_N}) times\)"),
    ("about", rf"{_ONE} \((?P<n>{_N}) of (?P<of>{_N}) videos\)"),
    ("about", rf"{_ONE} \((?P<n>{_N})(?: videos?)?\)"),
    ("about", rf"(?P<n>{_N}) of (?:the )?(?P<of>{_N}) videos (?:they watched )?"
              rf"(?:(?:are|were) )?about {_ONE}"),
    ("about", rf"(?P<n>{_N}) (?:videos? )?about {_ONE}"),
    ("about", rf"{_ONE}"),
    ("by", rf"(?P<n>{_N}) videos? (?:by|from) {_ONE}"),
    ("by", rf"knows? {_ONE} from (?P<n>{_N}) videos?"),
    ("more", rf"(?:turned to|watched more (?:of|about)) {_ONE} since {_DATE}{_HALVES}"),
    ("less", rf"watched less (?:of|about) {_ONE} since {_DATE}{_HALVES}"),
    ("new", rf"(?:discovered|begun to watch|begun watching) {_ONE} since {_DATE}"
            rf"(?: \((?P<n>{_N}) of (?P<of>{_N}) videos, none of (?P<of_before>{_N}) before\))?"),
    ("when", rf"mostly (?:watch(?:es)? )?{_PART}{_TIMES}"),
    ("when", rf"(?:watch(?:es)? mostly|tends? to watch) {_PART}{_TIMES}"),
    ("under", rf"{_PREFERS} videos (?:under|shorter than) "
              rf"(?P<limit>{_N}) minutes(?: {_OF})?"),
    ("over", rf"{_PREFERS} videos (?:over|longer than) "
             rf"(?P<limit>{_N}) minutes(?: {_OF})?"),
    ("whole", rf"watch(?:es)? most videos to the end(?: {_OF})?"),
    ("half", rf"leaves? most videos before the middle(?: {_OF})?"),
    ("fresh", rf"(?:mostly watch(?:es)?|often catch(?:es)?) videos in their first "
              rf"(?P<limit>{_N}) days(?: {_OF})?"),
    ("away", rf"turns? away from most videos about {_ONE}(?: {_OF})?"),
    ("away", rf"do(?:es)? not care for most videos about {_ONE}"
             rf"(?: \((?P<n>{_N}) of (?P<of>{_N}) turned away\))?"),
    ("total", rf"watched (?P<n>{_N}|one) videos?(?!\w| (?:by|from|about))"),
    ("unknown", r"has not watched any video yet, so there is nothing to say of their taste"),
]  # fmt: skip

_OF_ZH: Final = rf"（(?P<of>{_N}) ?[个次]中的 ?(?P<n>{_N}) ?[个次]）"
_HALVES_ZH: Final = (
    rf"（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个，此前 ?(?P<of_before>{_N}) ?个中的 ?"
    rf"(?P<before>{_N}) ?个）"
)
_ONE_ZH: Final = rf"[“《](?P<x>{_X})[”》]"
_ITEM_ZH: Final = rf"[“《]{_X}[”》](?:（[^（）]*）)?"
_LIST_ZH: Final = rf"(?=(?P<list>{_ITEM_ZH}(?:(?:、|和|，此外还有){_ITEM_ZH})*))"
_CHINESE: Final = [
    ("likes", rf"(?:喜欢的视频有|看过并喜欢|喜欢|爱看){_LIST_ZH}"),
    ("often", rf"(?:经常看|一再回来看){_LIST_ZH}"),
    ("most", rf"大多看{_ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个）"),
    ("times", rf"{_ONE_ZH}（看过 ?(?P<n>{_N}) ?次）"),
    ("about", rf"{_ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个）"),
    ("about", rf"{_ONE_ZH}（(?P<n>{_N}) ?个）"),
    ("about", rf"{_ONE_ZH}"),
    ("by", rf"看过{_ONE_ZH}的 ?(?P<n>{_N}) ?个视频"),
    ("more", rf"自{_DATE_ZH}起更多地看{_ONE_ZH}{_HALVES_ZH}"),
    ("less", rf"自{_DATE_ZH}起较少看{_ONE_ZH}{_HALVES_ZH}"),
    ("new", rf"自{_DATE_ZH}起开始看{_ONE_ZH}（(?P<of>{_N}) ?个视频中的 ?(?P<n>{_N}) ?个，此前 ?"
            rf"(?P<of_before>{_N}) ?个中没有）"),
    ("when", rf"多在{_PART}观看{_OF_ZH}"),
    ("under", rf"偏爱 ?(?P<limit>{_N}) ?分钟以内的视频{_OF_ZH}"),
    ("over", rf"偏爱 ?(?P<limit>{_N}) ?分钟以上的视频{_OF_ZH}"),
    ("whole", rf"大多把视频看完{_OF_ZH}"),
    ("half", rf"大多看不到一半{_OF_ZH}"),
    ("fresh", rf"大多看发布 ?(?P<limit>{_N}) ?天以内的视频{_OF_ZH}"),
    ("away", rf"大多避开关于{_ONE_ZH}的视频{_OF_ZH}"),
    ("total", rf"看过 ?(?P<n>{_N}) ?个视频"),
    ("unknown", r"还没有看过任何视频，因此无从谈起其喜好"),
]  # fmt: skip

_NEUTRAL: Final = (
    r"this user's|this user|the user's|the user|they|their|so far|goes for|is drawn to|along with|"
    r"has|have|watches|watched|watch|watching|videos|video|topics|topic|include|includes|are|is|about|on|of|"
    r"and|also|both|a|an|the"
)
_NEUTRAL_ZH: Final = (
    "这位用户|该用户|用户|目前|观看|看过|看的主题包括|内容有|的视频|视频|看|此外还有|还|也|和|的"
)


def _class_of(char: str) -> str:
    """Names, numbers and words begin different forms, and most forms need not be tried."""
    if char in "“《" or _PRIVATE <= ord(char) <= 0xF8FF:
        return "name"
    return "number" if char.isdigit() else "word"


def _by_class(
    forms: Sequence[tuple[str, str]],
) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {"name": [], "number": [], "word": []}
    for kind, form in forms:
        is_name = form.startswith((_ONE, _ONE_ZH))
        begins = "name" if is_name else "number" if form.startswith("(?P<n>") else "word"
        found[begins].append((kind, re.compile(form, re.IGNORECASE)))
    return found


_FORMS: Final = [_by_class(_ENGLISH), _by_class(_CHINESE)]
_SILENT: Final = re.compile(rf"(?:{_NEUTRAL})(?![\w’'])|{_NEUTRAL_ZH}", re.IGNORECASE)
_OWN: Final = frozenset(
    re.findall("[a-z]+", " ".join([*(form for _, form in _ENGLISH), _NEUTRAL, *_PARTS, *_MONTHS]))
)
"""Words of the forms themselves."""
_BETWEEN: Final = re.compile(r"[\s,;，；、]+")
_STOP: Final = re.compile(r"[.。]$")


def read_statements(sentence: str, names: Sequence[str]) -> list[Statement]:
    """What a sentence states.

    Args:
        sentence: one, with its full stop.
        names: the topics, titles and creators it may name.

    Raises:
        Unreadable: a part of it states something in no known form; the message names the part.
    """
    if any(unicodedata.category(char) in _HIDDEN for char in sentence):
        raise Unreadable("a hidden character")
    if len(sentence) > LIMIT or not _STOP.search(sentence):
        raise Unreadable("not a whole sentence")
    ordered = sorted({name for name in names if name}, key=lambda name: (-len(name), name))[:_MANY]
    masked = _mask(sentence[:-1], ordered)
    forms = _FORMS[sentence.endswith("。")]
    found: list[Statement] = []
    place = 0
    while place < len(masked):
        kind, match = _longest(masked, place, forms)
        if match is not None:
            found += _stated(kind, match, ordered)
            place = match.end()
        elif silent := _SILENT.match(masked, place) or _BETWEEN.match(masked, place):
            place = silent.end()
        else:
            raise Unreadable(_word_at(masked, place, ordered))
    return found


def _mask(text: str, names: Sequence[str]) -> str:
    """Each name as one private character; the longest first, as a whole word, in any case.

    One that the forms are made of ("videos", "9") is a name only in quotation marks.
    """
    for num, name in enumerate(names):
        for opening, closing in ("“”", "《》"):
            quoted = f"{opening}{name}{closing}"
            text = text.replace(quoted, f"{opening}{chr(_PRIVATE + num)}{closing}")
    for num, name in enumerate(names):
        if not _is_own(name):
            text = _replaced(text, name, chr(_PRIVATE + num))
    return text


@lru_cache(maxsize=1 << 16)
def _is_own(name: str) -> bool:
    return _OWN.issuperset(re.findall(r"[a-z]+|[^\W\da-z_]", name.casefold()))


def _replaced(text: str, name: str, sign: str) -> str:
    """The text with a name as a sign wherever it stands as a whole word."""
    folded, sought = text.lower(), name.lower()
    if len(folded) != len(text) or sought not in folded:  # a letter that folds to two is left
        return text
    pieces, begin, place = [], 0, folded.find(sought)
    while place >= 0:
        end = place + len(sought)
        before, after = text[place - 1 : place], text[end : end + 1]
        if not (_joins(before) and _joins(sought[0])) and not (
            _joins(after) and _joins(sought[-1])
        ):
            pieces += [text[begin:place], sign]
            begin = end
        place = folded.find(sought, end)
    return "".join([*pieces, text[begin:]])


def _joins(char: str) -> bool:
    """Whether a character is part of a word that has spaces around it."""
    return char.isascii() and (char.isalnum() or char == "_")


def _longest(
    text: str, place: int, forms: Mapping[str, Sequence[tuple[str, re.Pattern[str]]]]
) -> tuple[str, re.Match[str] | None]:
    """The form that reads most of the text from a place on."""
    best: tuple[str, re.Match[str] | None] = ("", None)
    if place and _joins(text[place - 1]):
        return best  # within a word or a number
    for kind, form in forms[_class_of(text[place])]:
        match = form.match(text, place)
        if match is not None and (best[1] is None or match.end() > best[1].end()):
            best = (kind, match)
    return best


def _stated(kind: str, match: re.Match[str], names: Sequence[str]) -> list[Statement]:
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    if "list" in groups:
        shown = [char for char in groups["list"] if _PRIVATE <= ord(char) <= 0xF8FF]
        return [Statement(kind, names[ord(char) - _PRIVATE]) for char in shown]
    shown_at = groups.get("x") or groups.get("x2")
    name = names[ord(shown_at) - _PRIVATE] if shown_at else _part(groups)
    counts = {
        field: 1 if groups[field] == "one" else int(groups[field])
        for field in ("n", "of", "before", "of_before", "limit")
        if field in groups
    }
    return [Statement(kind, name, since=_since(groups), **counts)]


def _part(groups: dict[str, str]) -> str:
    return _PARTS.get(groups.get("part", "").casefold(), "")


def _since(groups: dict[str, str]) -> str:
    if "year" not in groups:
        return ""
    month = groups["month"]
    number = int(month) if month.isdigit() else 1 + _MONTHS.index(month.casefold())
    return f"{groups['year']}-{number:02d}-{int(groups['day']):02d}"


def _word_at(text: str, place: int, names: Sequence[str]) -> str:
    found = re.compile(r"\w+|.", re.DOTALL).match(text, place)
    word = found[0] if found else ""
    return "".join(
        names[ord(char) - _PRIVATE] if _PRIVATE <= ord(char) < _PRIVATE + len(names) else char
        for char in word
    )
