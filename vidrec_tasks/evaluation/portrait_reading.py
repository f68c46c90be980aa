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

from vidrec_tasks.evaluation.portrait_forms import (
    CHINESE,
    ENGLISH,
    MONTHS,
    NEUTRAL,
    NEUTRAL_ZH,
    ONE,
    ONE_ZH,
    PARTS,
    PRIVATE,
    UNCOUNTED,
    WORDS,
)


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

_MANY: Final = 0xF8FF - PRIVATE
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def _class_of(char: str) -> str:
    """Names, numbers and words begin different forms, and most forms need not be tried."""
    if char in "“《" or PRIVATE <= ord(char) <= 0xF8FF:
        return "name"
    return "number" if char.isdigit() else "word"


def _by_class(
    forms: Sequence[tuple[str, str]],
) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {"name": [], "number": [], "word": []}
    for kind, form in forms:
        is_name = form.startswith((ONE, ONE_ZH, UNCOUNTED))
        is_number = form.startswith("(?P<n>")
        begins = ["name"] if is_name else ["number", "word"] if is_number else ["word"]
        for one in begins:
            found[one].append((kind, re.compile(form, re.IGNORECASE)))
    return found


_FORMS: Final = [_by_class(ENGLISH), _by_class(CHINESE)]
_SILENT: Final = re.compile(rf"(?:{NEUTRAL})(?![\w’'])|{NEUTRAL_ZH}", re.IGNORECASE)
_REACHING: Final = (*TURNS, "away", "all away", "rarely", "by")
"""What is said of one name and would be read of the next one too."""
_VERB: Final = re.compile(
    r"watch(?:es|ed|ing)?|goe?s? for|(?:is|are) drawn to|观看|看过|看", re.IGNORECASE
)
_OWN: Final = frozenset(
    re.findall("[a-z]+", " ".join([*(form for _, form in ENGLISH), NEUTRAL, *PARTS, *MONTHS]))
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
            text = text.replace(quoted, f"{opening}{chr(PRIVATE + num)}{closing}")
    for num, name in enumerate(names):
        if not _is_own(name):
            text = _replaced(text, name, chr(PRIVATE + num))
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
        shown = [char for char in groups["list"] if PRIVATE <= ord(char) <= 0xF8FF]
        return [Statement(kind, names[ord(char) - PRIVATE], since="", **counts) for char in shown]
    shown_at = groups.get("x")
    name = names[ord(shown_at) - PRIVATE] if shown_at else _part(groups)
    return [Statement(kind, name, since=_since(groups), **counts)]


def _number(text: str) -> int:
    return WORDS[text.casefold()] if text.casefold() in WORDS else int(text)


def _part(groups: dict[str, str]) -> str:
    return PARTS.get(groups.get("part", "").casefold(), "")


def _since(groups: dict[str, str]) -> str:
    if "year" not in groups:
        return ""
    month = groups["month"]
    number = int(month) if month.isdigit() else 1 + MONTHS.index(month.casefold())
    try:
        return date(int(groups["year"]), number, int(groups["day"])).isoformat()
    except ValueError as error:
        raise Unreadable("no such day") from error


def _word_at(text: str, place: int, names: Sequence[str]) -> str:
    found = re.compile(r"\w+|.", re.DOTALL).match(text, place)
    word = found[0] if found else ""
    return "".join(
        names[ord(char) - PRIVATE] if PRIVATE <= ord(char) < PRIVATE + len(names) else char
        for char in word
    )
