"""Grounding: may this sentence be published, given this evidence?

Every content word must lie inside a phrase of the evidence, whole and as written there, or be a
word of grammar or of watching. So a number cannot move from one topic to another, half a name
cannot stand for a name, and "mostly" holds only where the evidence says mostly.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from vidrec_tasks.language.words import FUNCTION_WORDS, TASTE_WORDS, has_sensitive

SENTENCE_LIMIT = 300
"""Characters a published sentence may have."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SIGNS = re.compile(r"[^\w\s,.;:'’()&+/-]|_")
_ENDS = re.compile(r"[.](?=\s)")


class Grounding(NamedTuple):
    """A verdict on a sentence: ``reason`` is empty when ``ok``, else says what is wrong."""

    ok: bool
    reason: str


def is_grounded(
    sentence: str,
    evidence: Sequence[str],
    *,
    names: Sequence[str] = (),
    min_names: int = 0,
    free_words: frozenset[str] = FUNCTION_WORDS | TASTE_WORDS,
) -> Grounding:
    """Check one sentence against its evidence.

    Args:
        sentence: what a generator or a template wrote.
        evidence: phrases that may stand in the sentence as they are; one with a capital letter
            must match by case too.
        names: the phrases of which some must be named; they count as evidence.
        min_names: how many different names the sentence must hold.
        free_words: lower-case words that need no evidence.

    Returns:
        Whether it may be published, else the first reason why not.
    """
    if has_sensitive(sentence):
        return Grounding(False, "sensitive attribute")
    if reason := _malformed(sentence):
        return Grounding(False, reason)
    rest, used = _mask(sentence, [*evidence, *names])
    if repeated := _repeated(used, names):
        return Grounding(False, f"repeats {repeated!r}")
    loose = [word for word in _WORD.findall(rest) if _bare(word) not in free_words]
    if loose:
        return Grounding(False, f"not in the evidence: {loose[0]!r}")
    n_named = len({_named(phrase, names) for phrase in used} - {""})
    if n_named < min_names:
        return Grounding(False, f"names {n_named} of {min_names} topics")
    return Grounding(True, "")


def sentence_shape(sentence: str, evidence: Sequence[str]) -> str:
    """The sentence with each evidence phrase (and the comma lists they form) replaced by a slot."""
    rest, _ = _mask(sentence, evidence)
    return re.sub(r"_(?:,? (?:and )?_)+", "_", rest)


def _repeated(used: Sequence[str], names: Sequence[str]) -> str:
    """A phrase said twice, or once more within another: "in the evening, mostly in the evening"."""
    for place, phrase in enumerate(used):
        others = [*used[:place], *used[place + 1 :]]
        if phrase in others or (phrase not in names and any(phrase in other for other in others)):
            return phrase
    return ""


def _malformed(sentence: str) -> str:
    if not sentence or len(sentence) > SENTENCE_LIMIT:
        return f"{len(sentence)} characters, 1 to {SENTENCE_LIMIT} may be"
    if not sentence[0].isupper() or not sentence.endswith("."):
        return "not a whole sentence"
    if _ENDS.search(sentence[:-1]):
        return "more than one sentence"
    sign = _SIGNS.search(sentence)
    return f"sign {sign.group()!r}" if sign else ""


def _mask(sentence: str, phrases: Sequence[str]) -> tuple[str, list[str]]:
    """The sentence with phrases replaced by ``_``, longest first, and the phrases met."""
    used: list[str] = []
    # equal phrases once; the longest first, so "street food" is never read as "food"
    for phrase in sorted({p for p in phrases if p}, key=lambda p: (-len(p), p)):
        flags = 0 if any(char.isupper() for char in phrase) else re.IGNORECASE
        sentence, n_times = re.subn(
            rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", "_", sentence, flags=flags
        )
        used += [phrase] * n_times
    return sentence, used


def _named(phrase: str, names: Sequence[str]) -> str:
    """The longest name the phrase holds, empty when none: "street art" does not name "art"."""
    held = [name for name in names if name and _mask(phrase, [name])[1]]
    return max(held, key=len, default="").casefold()


def _bare(word: str) -> str:
    return word.casefold().replace("’", "'")
