"""Phrases: the word groups of a text that may name what it is about.

As in RAKE (Rose et al., 2010) a phrase lies between stop words and signs; from each such run come
its word groups of up to three. Runs of Chinese or Japanese have no spaces: there every group of two
to four characters is one, and `vocabulary` keeps those that are whole.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from vidrec_tasks.language.cards.stopping import STOP_CHARACTERS, STOP_WORDS
from vidrec_tasks.language.terms import MARKS, UNSPACED, split_terms

MAX_WORDS: Final = 3
MIN_CHARACTERS, MAX_CHARACTERS = 2, 4
MAX_RUN: Final = 40
"""Words or characters of a run that are read: a longer one is no sentence."""

_LETTER: Final = rf"(?:(?![{UNSPACED}])[^\W_]|[{MARKS}])"
_ADDRESS: Final = re.compile(
    r"https?://\S+|www\.\S+|\S+@\S+|\S+\.(?:com|net|org)\S*", re.IGNORECASE
)
_TOKEN: Final = re.compile(rf"([{UNSPACED}]+)|({_LETTER}+(?:['’-]{_LETTER}+)*)|(\S)")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n|\s[|•·►▶]\s")
_NUMBER: Final = re.compile(r"[\d.,:]+(?:st|nd|rd|th|s|k|p|fps|hd)?")


def phrases_of(text: str) -> Iterator[tuple[str, str]]:
    """The phrases of a text with repeats, in order of where they begin.

    Yields:
        The key, under which singular and plural are one, and the phrase in lower case as it stands.
    """
    for run in _runs(text):
        if isinstance(run, str):
            yield from _characters(run)
            continue
        for first in range(len(run)):
            for last in range(first, min(first + MAX_WORDS, len(run))):
                words = run[first : last + 1]
                if _may_name(words):
                    yield " ".join(map(stem, words)), " ".join(words)


def sentences_of(text: str) -> list[str]:
    """The sentences of a flat text, as far as signs tell them apart."""
    return [piece for part in _SENTENCE_END.split(text) if (piece := part.strip())]


@lru_cache(1 << 16)
def stem(word: str) -> str:
    """A word as it is compared: without accent and plural ending (`split_terms`)."""
    return "".join(split_terms(word)) or word


def key_of(phrase: str) -> str:
    """The key of a phrase that is known as a whole, a tag say."""
    found = unicodedata.normalize("NFKC", phrase).casefold()
    return " ".join(stem(token[0]) for token in _TOKEN.finditer(found) if not token[3])


def _runs(text: str) -> Iterator[list[str] | str]:
    """Words between stop words and signs; a run of Chinese or Japanese as one string."""
    flat = unicodedata.normalize("NFKC", _ADDRESS.sub(" . ", text)).casefold()
    words: list[str] = []
    for match in _TOKEN.finditer(flat):
        unspaced, word, _ = match.groups()
        if word and word not in STOP_WORDS and word.split("'")[0].split("’")[0] not in STOP_WORDS:
            words.append(word.removesuffix("'s").removesuffix("’s"))
            continue
        if words:
            yield words[:MAX_RUN]
            words = []
        if unspaced:
            for piece in re.split(f"[{''.join(STOP_CHARACTERS)}]+", unspaced):
                if len(piece) >= MIN_CHARACTERS:
                    yield piece[:MAX_RUN]
    if words:
        yield words[:MAX_RUN]


def _characters(run: str) -> Iterator[tuple[str, str]]:
    for first in range(len(run) - MIN_CHARACTERS + 1):
        for size in range(MIN_CHARACTERS, min(MAX_CHARACTERS, len(run) - first) + 1):
            phrase = run[first : first + size]
            yield phrase, phrase


def _may_name(words: list[str]) -> bool:
    """Neither numbers nor single letters at its ends, and at least three letters."""
    ends = (words[0], words[-1])
    is_number = any(_NUMBER.fullmatch(word) or len(word) < 2 for word in ends)
    return not is_number and len("".join(words)) >= 3
