"""Portrait reading: a sentence about a user, English or Chinese, read back into what it states.

Written apart from whoever writes portraits: every number, name and word of more, less, most or
often must stand in a form that is known here, and beside those only words that state nothing. A
sentence with anything else cannot be read.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
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
LATELY_DAYS: Final = 60
"""Days before somebody's last visit in which something is "lately"."""
TURNS: Final = ("more", "less", "new")

_PRIVATE: Final = 0xE000
_MANY: Final = 0xF8FF - _PRIVATE
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
_X: Final = "[\ue000-\uf8ff]"
_WORDS: Final = {
    "none": 0, "one": 1, "once": 1, "two": 2, "twice": 2, "both": 2, "three": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
"""Numbers that are written as words."""
_N: Final = r"(?:0|[1-9]\d{0,8})"
_M: Final = rf"(?:{_N}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?!\w)"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH: Final = "|".join(_MONTHS)
_DATE: Final = (
    rf"(?:(?P<day>\d{{1,2}}) (?P<month>{_MONTH}),? (?P<year>\d{{4}})|"
    rf"(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}}),? (?P<year2>\d{{4}})|"
    r"(?P<year3>\d{4})-(?P<month3>\d{2})-(?P<day3>\d{2}))(?!\w)"
)
_DATE_ZH: Final = r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"

_ONE: Final = rf"(?:“(?P<x>{_X})”|(?P<x2>{_X}))"
_COUNTED: Final = (
    rf"(?: \((?:{_N} (?:out )?of (?:the )?{_N}(?: videos)?|{_N}(?: videos?)?|"
    rf"(?:watched )?(?:{_N} times|twice))\))?"
)
_ITEM: Final = rf"“?{_X}”?{_COUNTED}"
_JOINED: Final = r"(?:, along with |, as well as |, and | and |, )"
_LIST: Final = (
    rf"(?=(?:watching )?(?:(?:videos|topics) (?:about|of|on|such as|including) )?"
    rf"(?P<list>{_ITEM}(?:{_JOINED}{_ITEM})*))"
)
_UNCOUNTED: Final = rf"(?P<list>“?{_X}”?(?:(?:, and | and |, )“?{_X}”?)*)"
_OF: Final = rf"\((?P<n>{_N}) (?:out )?of (?P<of>{_N})(?: videos)?\)"
_TIMES: Final = (
    rf"(?:(?:,| \(|,? with| in)? ?(?P<n>{_N}) (?:out )?of (?P<of>{_N}) (?:times|visits)\)?)?"
)
_MOSTLY: Final = r"(?:mostly|mainly|usually|typically|generally|primarily)"
_TENDS: Final = r"tends? to"
_LATELY: Final = r"(?:(?P<lately>lately|recently) )?"


def _halves(direction: str) -> str:
    """The counts of a turn, and those before it."""
    versus = rf"(?:{direction} from |compared (?:to|with) |versus |against )?"
    return (
        rf"(?: \((?P<n>{_N}) (?:out )?of (?P<of>{_N}) videos,? {versus}"
        rf"(?P<before>none|{_N}) (?:out )?of (?:the )?(?P<of_before>{_N})(?: videos)? before\))?"
    )


_SINCE: Final = rf"(?: since {_DATE})?"
_PARTS: Final = {
    "in the morning": "morning", "in the afternoon": "afternoon", "in the evening": "evening",
    "in the mornings": "morning", "in the afternoons": "afternoon", "in the evenings": "evening",
    "at night": "night", "at weekends": "weekend", "on weekends": "weekend",
    "on the weekend": "weekend", "at the weekend": "weekend",
    "上午": "morning", "下午": "afternoon", "傍晚到晚上": "evening", "深夜": "night",
    "周末": "weekend",
}  # fmt: skip
_PREFERS: Final = (
    rf"(?:prefers?(?: to watch)?|favours?|favors?|{_MOSTLY} (?:chooses?|watch(?:es)?)|"
    rf"{_TENDS} (?:choose|watch|prefer))"
)
_PART: Final = f"(?P<part>{'|'.join(sorted(_PARTS, key=len, reverse=True))})(?![a-z])"
_THEY: Final = r"(?:they|this user) (?:have |has )?"
_ABOUT: Final = r"(?:(?:are|were) )?(?:about|on)"

_ENGLISH: Final = [
    ("likes", r"(?:likes?|liked|enjoys?|enjoyed|loves?|(?:is|are) (?:a fan of|fans of|fond of|"
              rf"keen on|interested in)|(?:has|have|shows?) an interest in) {_LIST}"),
    ("likes", rf"(?:among )?(?:the )?(?:videos|topics) {_THEY}(?:liked|like|enjoyed|enjoy) "
              rf"(?:include|are) {_LIST}"),
    ("likes", rf"their (?:interests|liked videos) (?:include|are) {_LIST}"),
    ("likes", rf"one of the videos {_THEY}(?:liked|enjoyed) is {_LIST}"),
    ("likes", rf"{_UNCOUNTED} (?:is|are) among the videos {_THEY}(?:liked|enjoyed)"),
    ("often", r"(?:(?:often|regularly|frequently|repeatedly) watch(?:es)?|keeps? (?:coming|going) "
              rf"back to|keeps? returning to|returns? again and again to) {_LIST}"),
    ("most", rf"{_MOSTLY} watch(?:es)? (?:videos (?:about|on) )?{_ONE} "
             rf"\((?P<n>{_N}) (?:out )?of (?P<of>{_N})(?: videos)?\)"),
    ("most", rf"{_MOSTLY} watch(?:es)? {_LIST}"),
    ("most", r"(?:most|more than half|over half) of (?:the |their )?"
             rf"(?:(?P<of>{_N}) )?videos (?:{_THEY}watched )?{_ABOUT} {_ONE}"),
    ("most", rf"most of (?:the |their )?videos (?:{_THEY}watched )?{_ABOUT} {_ONE} {_OF}"),
    ("times", rf"{_ONE} \((?:watched )?(?:(?P<n>{_M}|one) times?|(?P<n2>once|twice))\)"),
    ("times", rf"{_ONE}, which {_THEY}watched (?:(?P<n>{_M}) times|(?P<n2>twice))"),
    ("times", rf"watched {_ONE} (?:(?P<n>{_M}) times|(?P<n2>twice))"),
    ("about", rf"{_ONE} \((?P<n>{_N}) (?:out )?of (?:the )?(?P<of>{_N})(?: videos)?\)"),
    ("about", rf"{_ONE} \((?P<n>{_N})(?: videos?)?\)"),
    ("about", rf"{_ONE} in (?P<n>{_N}) (?:out )?of (?:the |their )?(?P<of>{_N}) videos"),
    ("about", rf"(?P<n>{_M}) (?:out )?of (?:the |their )?(?P<of>{_N}) videos "
              rf"(?:{_THEY}watched )?{_ABOUT} {_ONE}"),
    ("about", rf"(?P<n>{_M}) (?:videos? )?about {_ONE}"),
    ("about", rf"{_ONE}"),
    ("by", rf"(?P<n>{_M}|one) (?:videos? )?(?:(?:made|created) )?(?:by|from) {_ONE}"),
    ("by", rf"(?P<n>{_M}|one) videos? each (?:by|from) {_UNCOUNTED}"),
    ("by", rf"(?:knows?|(?:is|are) familiar with) {_ONE} from (?P<n>{_M}|one) videos?"),
    ("more", rf"{_LATELY}(?:turned to|watched more (?:of|about)) {_ONE}{_SINCE}"
             rf"{_halves('up')}"),
    ("less", rf"{_LATELY}watched less (?:of|about) {_ONE}{_SINCE}"
             rf"{_halves('down')}"),
    ("new", rf"{_LATELY}(?:discovered|begun to watch|begun watching|started to watch|"
            rf"started watching|taken up) {_ONE}{_SINCE}{_halves('up')}"),
    ("since", rf"since {_DATE}"),
    ("when", rf"{_MOSTLY} (?:watch(?:es)? )?(?:videos )?{_PART}{_TIMES}"),
    ("when", rf"(?:watch(?:es)? (?:videos )?{_MOSTLY}|{_TENDS} watch(?: videos)?|"
             rf"(?:prefers?|favours?) (?:watching|to watch)(?: videos)?) {_PART}{_TIMES}"),
    ("under", rf"{_PREFERS} (?:short )?videos \(?(?:that are )?(?:under|shorter than|below) "
              rf"(?P<limit>{_M}) minutes\)?(?: {_OF})?"),
    ("over", rf"{_PREFERS} (?:long )?videos \(?(?:that are )?(?:over|longer than|above) "
             rf"(?P<limit>{_M}) minutes\)?(?: {_OF})?"),
    ("whole", r"(?:watch|finish)(?:es)? most (?:of the )?videos(?: they (?:watch|start))? "
              rf"(?:to the end|through)(?: {_OF})?"),
    ("whole", rf"finish(?:es)? most (?:of the )?videos(?: they (?:watch|start))?(?: {_OF})?"),
    ("whole", rf"(?:{_TENDS} (?:finish|watch)|{_MOSTLY} (?:finish|watch)(?:es)?) "
              rf"(?:the )?videos(?: they (?:watch|start))? (?:to the end|through)(?: {_OF})?"),
    ("whole", rf"(?:{_TENDS} finish|{_MOSTLY} finish(?:es)?) (?:the )?videos"
              rf"(?: they (?:watch|start))?(?: {_OF})?"),
    ("half", r"(?:leaves?|stops?) most (?:of the )?videos before (?:the middle|halfway)"
             rf"(?: {_OF})?"),
    ("half", rf"(?:{_TENDS} (?:leave|stop)|{_MOSTLY} (?:leaves?|stops?)) (?:the )?videos before "
             rf"(?:the middle|halfway)(?: {_OF})?"),
    ("unfinished", r"(?:rarely|seldom) (?:finish|watch)(?:es)? (?:the )?videos"
                   r"(?: they (?:watch|start))? to the end"),
    ("unfinished", r"(?:rarely|seldom) finish(?:es)? (?:the )?videos(?: they (?:watch|start))?"),
    ("fresh", rf"(?:{_MOSTLY} watch(?:es)?|often (?:catch|watch)(?:es)?) videos (?:with)?in their "
              rf"first (?P<limit>{_M}) days(?: {_OF})?"),
    ("away", r"(?:turns? away from|avoids?|skips?) most (?:of the )?videos (?:about|on) "
             rf"{_ONE}(?: {_OF})?"),
    ("away", rf"(?:{_TENDS} (?:avoid|skip|turn away from)|{_MOSTLY} (?:avoids?|skips?|turns? away "
             rf"from)) videos (?:about|on) {_ONE}(?: {_OF})?"),
    ("away", rf"do(?:es)? not care for most videos about {_ONE}"
             rf"(?: \((?P<n>{_N}) (?:out )?of (?P<of>{_N}) turned away\))?"),
    ("all away", rf"(?:turns?|turned) away from (?:all (?:the )?(?P<n>{_M})|(?P<n2>both)) "
                 rf"videos about {_ONE}(?: (?:that )?(?:they|this user) met)?"),
    ("rarely", rf"(?:rarely|seldom) watch(?:es)? (?:videos (?:about|on) )?{_ONE}"),
    ("total", rf"watched (?:a total of )?(?P<n>{_M}|one) videos?(?!\w| (?:each |made |created )?"
              r"(?:by|from|about|on))"),
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
    ("likes", rf"(?:喜欢的视频有|看过并喜欢|喜欢看|喜欢观看|喜欢|爱看){_LIST_ZH}"),
    ("often", rf"(?:经常看|经常观看|常看|一再回来看){_LIST_ZH}"),
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
    ("when", rf"(?:多|大多|通常|主要)在{_PART}(?:观看|看视频){_OF_ZH}"),
    ("under", rf"偏爱 ?(?P<limit>{_N}) ?分钟以内的视频{_OF_ZH}"),
    ("over", rf"偏爱 ?(?P<limit>{_N}) ?分钟以上的视频{_OF_ZH}"),
    ("whole", rf"(?:大多|通常)(?:会)?把视频看完{_OF_ZH}"),
    ("half", rf"大多看不到一半{_OF_ZH}"),
    ("fresh", rf"大多看发布 ?(?P<limit>{_N}) ?天以内的视频{_OF_ZH}"),
    ("away", rf"(?:大多|通常)(?:避开|跳过)关于{_ONE_ZH}的视频{_OF_ZH}"),
    ("all away", rf"避开了关于{_ONE_ZH}的全部 ?(?P<n>{_N}) ?个视频"),
    ("total", rf"看过 ?(?P<n>{_N}) ?个视频"),
    ("unknown", r"还没有看过任何视频，因此无从谈起其喜好"),
]  # fmt: skip

_NEUTRAL: Final = (
    r"this user's|this user|the user's|the user|they|their|so far|in total|goes for|go for|"
    r"is drawn to|are drawn to|along with|as well as|such as|including|has|have|watches|watched|"
    r"watch|watching|videos|video|topics|topic|include|includes|are|is|about|on|of|and|also|both|"
    r"a|an|the"
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
        is_name = form.startswith((_ONE, _ONE_ZH, _UNCOUNTED))
        is_number = form.startswith("(?P<n>")
        begins = ["name"] if is_name else ["number", "word"] if is_number else ["word"]
        for one in begins:
            found[one].append((kind, re.compile(form, re.IGNORECASE)))
    return found


_FORMS: Final = [_by_class(_ENGLISH), _by_class(_CHINESE)]
_SILENT: Final = re.compile(rf"(?:{_NEUTRAL})(?![\w’'])|{_NEUTRAL_ZH}", re.IGNORECASE)
_REACHING: Final = (*TURNS, "away", "all away", "rarely", "by")
"""What is said of one name and would be read of the next one too."""
_VERB: Final = re.compile(
    r"watch(?:es|ed|ing)?|goe?s? for|(?:is|are) drawn to|观看|看过|看", re.IGNORECASE
)
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
    place, reaches_on = 0, False
    while place < len(masked):
        kind, match = _longest(masked, place, forms)
        if match is not None:
            if reaches_on and kind == "about":  # "turns away from coins and cats"
                raise Unreadable(_word_at(masked, place, ordered))
            reaches_on = kind in _REACHING
            found += _stated(kind, match, ordered)
            place = match.end()
        elif silent := _SILENT.match(masked, place) or _BETWEEN.match(masked, place):
            reaches_on = reaches_on and not _VERB.fullmatch(silent[0])
            place = silent.end()
        else:
            raise Unreadable(_word_at(masked, place, ordered))
    return _dated(found)


def _dated(found: Sequence[Statement]) -> list[Statement]:
    """A day at the beginning of a sentence is that of its turns; none stands alone."""
    days = [one.since for one in found if one.kind == "since"]
    turns = [one for one in found if one.kind in TURNS]
    if days and not (found[0].kind == "since" and found[1:] and found[1:] == turns):
        raise Unreadable("since")
    if days and any(one.since for one in turns):
        raise Unreadable("since")
    if any(not (one.since or days) and one.n < 0 for one in turns):
        raise Unreadable("a turn without its day or counts")
    return [
        one._replace(since=days[0]) if days and one.kind in TURNS else one
        for one in found if one.kind != "since"
    ]  # fmt: skip


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
    groups = {name.rstrip("23"): text for name, text in match.groupdict().items() if text}
    counts = {
        field: _number(groups[field])
        for field in ("n", "of", "before", "of_before", "limit")
        if field in groups
    }
    if "lately" in groups:
        counts["limit"] = LATELY_DAYS
    if "list" in groups:
        shown = [char for char in groups["list"] if _PRIVATE <= ord(char) <= 0xF8FF]
        return [Statement(kind, names[ord(char) - _PRIVATE], since="", **counts) for char in shown]
    shown_at = groups.get("x")
    name = names[ord(shown_at) - _PRIVATE] if shown_at else _part(groups)
    return [Statement(kind, name, since=_since(groups), **counts)]


def _number(text: str) -> int:
    return _WORDS[text.casefold()] if text.casefold() in _WORDS else int(text)


def _part(groups: dict[str, str]) -> str:
    return _PARTS.get(groups.get("part", "").casefold(), "")


def _since(groups: dict[str, str]) -> str:
    if "year" not in groups:
        return ""
    month = groups["month"]
    number = int(month) if month.isdigit() else 1 + _MONTHS.index(month.casefold())
    try:
        return date(int(groups["year"]), number, int(groups["day"])).isoformat()
    except ValueError as error:
        raise Unreadable("no such day") from error


def _word_at(text: str, place: int, names: Sequence[str]) -> str:
    found = re.compile(r"\w+|.", re.DOTALL).match(text, place)
    word = found[0] if found else ""
    return "".join(
        names[ord(char) - _PRIVATE] if _PRIVATE <= ord(char) < _PRIVATE + len(names) else char
        for char in word
    )
