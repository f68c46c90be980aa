"""Captions: WebVTT, SubRip and SubStation files and texts as cues, or the reason why not."""

import html
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pysubs2
from charset_normalizer import from_bytes
from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat

from vidrec_tasks.content.texts.passages import (
    MAX_CUE_CHARS,
    MAX_CUES,
    Cue,
    flat,
    without_sounds,
)

SUFFIXES: Final = (".vtt", ".srt", ".ass", ".ssa")
LONGEST_S: Final = 20.0
"""Seconds a cue lasts at most, and one whose end lies before its beginning."""

_SAMPLED: Final = 200_000
"""Bytes that an unknown encoding is told by."""

LATE_S: Final = 5.0
"""Seconds after the end of its film at which a cue may still begin."""

_BEGINS: Final = {"srt": SubripFormat.TIMESTAMP, "vtt": WebVTTFormat.TIMESTAMP}
"""What stands twice in a line at which pysubs2 begins a cue; in other formats a line is a cue."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_ASS_HEAD = re.compile(r"Dialogue:(?:[^,]{0,200},){9}")
_NEAR: Final = 100
"""Characters in which a blank is looked for where a line is cut."""
_DRAWN_CHARS: Final = 8
"""Of an override that a cut line begins with again."""
_CUE_NUMBER = re.compile(r"\s*\d{1,9}\s*")
_DRAWING = re.compile(r"\\p(\d)")
_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")
_BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip


class CaptionError(Exception):
    """Captions that cannot be used; its text is the reason that readers see."""


def read_captions(data: bytes, name: str, *, film_s: float = 0.0) -> list[Cue]:
    """The cues of a caption file.

    Args:
        data: the file.
        name: of the file; its ending says the format where the text does not.
        film_s: how long the film is; 0: not known.

    Raises:
        CaptionError: nothing of it can be used; its text says why.
    """
    if not data.strip(b"\0 \t\r\n"):
        message = "caption file is empty"
        raise CaptionError(message)
    return parse_captions(decode(data), name, film_s=film_s)


def parse_captions(text: str, name: str, *, film_s: float = 0.0) -> list[Cue]:
    """The cues of captions as text; see `read_captions`."""
    kind = format_of(text, name)
    try:
        with warnings.catch_warnings():  # a margin that is no number is no reason
            warnings.simplefilter("ignore", RuntimeWarning)
            events = pysubs2.SSAFile.from_string(_cut(text, kind), format_=kind).events
    except Exception as error:  # whatever a file from outside brings about costs that file alone
        message = f"caption file is broken ({type(error).__name__})"
        raise CaptionError(message) from error
    lines = [
        Cue(event.start / 1000, event.end / 1000, event.plaintext)
        for event in events[: MAX_CUES + 1]
        if not event.is_comment and not event.is_drawing
    ]
    if len(lines) > MAX_CUES:
        message = f"caption file has more than {MAX_CUES:,} cues"
        raise CaptionError(message)
    return clean_cues(lines, film_s=film_s)


def _cut(text: str, kind: str) -> str:
    """Captions of which no cue is longer than `MAX_CUE_CHARS`: the rest of one is the next.

    What reads the markup of a cue takes the square of its length.

    Args:
        text: the captions.
        kind: as pysubs2 calls the format.
    """
    begins = _BEGINS.get(kind)
    kept: list[str] = []
    left, head = MAX_CUE_CHARS, ""
    for line in _LINE_END.split(text):
        if begins is None:  # a line is a cue; what is drawn may be long and is no text
            kept += _cut_line(_OVERRIDE.sub(_drawn, line))
        elif len(begins.findall(line[:MAX_CUE_CHARS])) == 2:
            head, left = line[:MAX_CUE_CHARS], MAX_CUE_CHARS
            kept.append(head)
        elif not head:  # what stands before the first cue is none
            kept.append(line[:MAX_CUE_CHARS])
        elif not line.strip():
            kept += [""] if kept[-1] else []
        elif not kept[-1] and _CUE_NUMBER.fullmatch(line):  # of the cue that comes
            kept.append(line)
        else:
            if len(line) > left:
                kept += ["", head]
                left = MAX_CUE_CHARS
            first, *others = _pieces(line, MAX_CUE_CHARS)
            kept.append(first)
            for piece in others:
                kept += ["", head, piece]
            left = max(0, (left if not others else MAX_CUE_CHARS) - len(kept[-1]) - 1)
    return "\n".join(kept)


def _cut_line(line: str) -> list[str]:
    """A line of SubStation as lines that are not too long, each of the same time and style."""
    found = _ASS_HEAD.match(line[:MAX_CUE_CHARS])
    if len(line) <= MAX_CUE_CHARS or found is None or found.end() > MAX_CUE_CHARS // 2:
        return [line[:MAX_CUE_CHARS]]
    kept, drawn = [], ""
    for words in _pieces(line[found.end() :], MAX_CUE_CHARS - found.end() - _DRAWN_CHARS):
        kept.append(f"{found[0]}{drawn}{words}")
        overrides = _OVERRIDE.findall(words)
        drawn = overrides[-1] if overrides else drawn  # a shape goes on behind the cut
    return kept


def _pieces(line: str, most: int) -> list[str]:
    """A line in pieces of at most so many characters, cut at a blank where one is near."""
    pieces, begin = [], 0
    while len(line) - begin > most:
        cut = line.rfind(" ", begin + max(0, most - _NEAR), begin + most) + 1 or begin + most
        pieces.append(line[begin:cut])
        begin = cut
    return [*pieces, line[begin:]]


def _drawn(override: re.Match[str]) -> str:
    """What is kept of an override of ASS: whether a drawing begins or ends."""
    found = _DRAWING.findall(override[0])
    return f"{{\\p{found[-1]}}}" if found else ""


def clean_cues(lines: Sequence[Cue], *, film_s: float = 0.0) -> list[Cue]:
    """Cues in order of time, without markup, repetitions and those beyond the film's end.

    Raises:
        CaptionError: none is left; its text says why.
    """
    timed = sorted((_timed(line) for line in lines), key=lambda cue: (cue.at_s, cue.until_s))
    cues = list(_new_lines(timed))
    if not cues:
        message = "caption file has no cue with words"
        raise CaptionError(message)
    inside = [cue for cue in cues if not film_s or cue.at_s <= film_s + LATE_S]
    if not inside:
        message = (
            f"captions begin after the film ends (first cue at {cues[0].at_s:,.0f} s, the film "
            f"lasts {film_s:,.0f} s)"
        )
        raise CaptionError(message)
    return inside


def format_of(text: str, name: str) -> str:
    """What pysubs2 calls the format: the text says it, else the ending of the name.

    Raises:
        CaptionError: neither does.
    """
    head = text.lstrip("\ufeff \t\r\n")[:4_000]
    if head.startswith("WEBVTT"):
        return "vtt"
    if head.lower().startswith("[script info]") or "\n[events]" in head.lower():
        return "ass"
    if "-->" in text:
        return "srt" if re.search(r"\d,\d{3}\s*-->", text) else "vtt"
    message = f"caption file has no cue that can be read (of {flat(name)[-80:] or 'a text'})"
    raise CaptionError(message)


def decode(data: bytes) -> str:
    """The text of a file: what a byte order mark names, UTF-8, or what its bytes look like.

    Raises:
        CaptionError: it is no text, or in no encoding that can be told.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data, encoding)
    if b"\0" in data[:4_000]:
        even, odd = data[0:4_000:2].count(0), data[1:4_000:2].count(0)
        if max(even, odd) < len(data[:4_000]) // 5:
            message = "caption file is not text"
            raise CaptionError(message)
        return _decoded(data, "utf-16-be" if even > odd else "utf-16-le")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    sample = data if len(data) <= _SAMPLED else data[: data.rfind(b"\n", 0, _SAMPLED) + 1]
    best = from_bytes(sample or data[:_SAMPLED]).best()  # no character is cut
    if best is None:
        message = "caption file is not text"
        raise CaptionError(message)
    return _decoded(data, best.encoding)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"caption file is damaged (not {encoding} from byte {error.start:,})"
        raise CaptionError(message) from error


def _timed(cue: Cue) -> Cue:
    at_s = max(cue.at_s, 0.0)
    until_s = cue.until_s if cue.until_s >= at_s else at_s + LONGEST_S
    return replace(cue, at_s=at_s, until_s=min(until_s, at_s + LONGEST_S))


def _new_lines(cues: Iterable[Cue]) -> Iterable[Cue]:
    """The lines of each cue that the one before did not show: captions that roll repeat them."""
    shown: list[str] = []
    before: Cue | None = None
    for cue in cues:
        lines = [without_sounds(_plain(line)) for line in cue.text.splitlines()]
        lines = [line for line in lines if line]
        fresh = [line for line in lines if line not in shown or _goes_on(before, cue)]
        before = cue
        if fresh:
            yield replace(cue, text=" ".join(fresh))
        shown = lines or shown


def _goes_on(before: Cue | None, cue: Cue) -> bool:
    """Whether a cue is the rest of one that was too long: it repeats nothing."""
    if before is None or len(before.text) < MAX_CUE_CHARS // 2:
        return False
    return (before.at_s, before.until_s) == (cue.at_s, cue.until_s)


def _plain(line: str) -> str:
    return _TAG.sub("", html.unescape(_TAG.sub("", line)))
