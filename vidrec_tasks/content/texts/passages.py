"""Passages: pieces of what a film says, each with its seconds, made from shorter cues."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

MAX_CHARS: Final = 400
"""Characters of a passage: about 100 tokens of the text encoder, which reads 256."""

MAX_S: Final = 30.0
MAX_GAP_S: Final = 6.0
"""Seconds that a passage lasts, and of silence that end it."""

MAX_PASSAGES: Final = 1_000
"""Passages of one track: eight hours of speech without a pause."""

MAX_CUES: Final = 50_000
"""Cues of one track of captions."""

MAX_CUE_CHARS: Final = 1_000
"""Characters of one cue; the rest of a longer one is a cue of the same time."""

MASK: Final = "▇"

_NOTES = re.compile(r"[♪♫♬♩]+|\[[^\]]{0,60}\]|【[^】]{0,60}】|^[^\w(（]*[(（][^)）]{0,60}[)）]\W*$")
"""Music and what captions say of sounds: [Music], and a line that is (applause) alone."""

_SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’)]*$")
_BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


@dataclass(frozen=True)
class Cue:
    """A line of captions or a segment of speech.

    Attributes:
        at_s, until_s: seconds from the beginning of the film; NaN: not known.
        text: flat.
        confidence: 0 to 1.
    """

    at_s: float
    until_s: float
    text: str
    confidence: float = 1.0


def flat(text: str) -> str:
    """A text on one line, without control characters and what turns the direction of writing."""
    kept = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text).translate(_BIDI)
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn")
    )
    return " ".join("".join(kept).split())


def without_sounds(text: str) -> str:
    """A caption without what it says of music and noises; '' when there is nothing else."""
    said = flat(_NOTES.sub(" ", text)).lstrip("-– ")
    return said if any(char.isalnum() for char in said) else ""


def group(cues: Iterable[Cue]) -> list[Cue]:
    """Cues in order of time as passages of whole sentences, as far as they are marked.

    A cue that is longer than a passage is several, each of its time: cues may overlap, and
    passages stand in order.
    """
    passages: list[Cue] = []
    open_: list[Cue] = []
    for cue in chain.from_iterable(map(_pieces, cues)):
        if open_ and _is_full(open_, cue):
            passages.append(_joined(open_))
            open_ = []
        open_.append(cue)
    if open_:
        passages.append(_joined(open_))
    return passages[:MAX_PASSAGES]


def split_text(text: str) -> list[Cue]:
    """A text without times as passages."""
    nan = float("nan")
    return group(Cue(nan, nan, piece) for piece in _sentences(flat(text)))


def mask(text: str, blocked: re.Pattern[str] | None) -> str:
    """A text whose blocked words are covered."""
    return text if blocked is None else blocked.sub(lambda found: MASK * len(found[0]), text)


def listed_words(words: str) -> set[str]:
    """The words of a setting, given with commas between."""
    return {flat(word) for word in words.split(",")} - {""}


def blocked_pattern(words: str) -> re.Pattern[str] | None:
    """What finds the blocked words, given with commas between; whole words, whatever their case.

    A language that writes without blanks has no whole words: there the letters alone decide.
    """
    listed = sorted(listed_words(words), key=len, reverse=True)
    if not listed:
        return None
    return re.compile("|".join(map(_as_word, listed)), re.IGNORECASE)


def _as_word(word: str) -> str:
    first = r"(?<!\w)" if word[0].isascii() and word[0].isalnum() else ""
    last = r"(?!\w)" if word[-1].isascii() and word[-1].isalnum() else ""
    return first + r"\s+".join(map(re.escape, word.split())) + last


def _is_full(open_: Sequence[Cue], cue: Cue) -> bool:
    length = sum(len(part.text) + 1 for part in open_)
    ends = bool(_SENTENCE_END.search(open_[-1].text))
    if length + len(cue.text) > MAX_CHARS or cue.at_s - open_[-1].until_s > MAX_GAP_S:
        return True
    lasts = cue.until_s - open_[0].at_s
    return lasts > MAX_S or (ends and (length > MAX_CHARS / 2 or lasts > MAX_S / 2))


def _joined(cues: Sequence[Cue]) -> Cue:
    length = sum(len(cue.text) for cue in cues) or 1
    confidence = sum(cue.confidence * len(cue.text) for cue in cues) / length
    text = " ".join(cue.text for cue in cues)
    return replace(
        cues[0], until_s=max(cue.until_s for cue in cues), text=text, confidence=confidence
    )


def _pieces(cue: Cue) -> list[Cue]:
    if len(cue.text) <= MAX_CHARS:
        return [cue]
    return [replace(cue, text=text) for text in _sentences(cue.text)]


def _sentences(text: str) -> list[str]:
    """Sentences, or parts of those that are longer than a passage."""
    sentences = re.split(r"(?<=[.!?…。！？])\s+|(?<=[。！？])", text)
    return [piece for sentence in sentences for piece in _wrapped(sentence) if piece]


def _wrapped(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > MAX_CHARS:
        cut = sentence.rfind(" ", MAX_CHARS // 2, MAX_CHARS)
        cut = cut if cut > 0 else MAX_CHARS
        pieces.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [*pieces, sentence]
