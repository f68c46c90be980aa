"""Quoting: titles, topics and creators are data; here they lose whatever could act.

Nothing here judges meaning beyond a refusal: a topic that reads like an instruction or names a
sensitive attribute is not a topic a sentence may use.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from vidrec_tasks.language.words import (
    COMMANDING_WORDS,
    INSTRUCTION_STEMS,
    INSTRUCTION_WORDS,
    has_sensitive,
)

REMEMBERED: Final = 1 << 16
"""Texts whose quoted form is kept: the lists of a night name the same titles and topics again."""

TITLE_LIMIT = 80
"""Characters of a title in a sentence."""

TOPIC_LIMIT = 40
"""Characters of a topic in a sentence."""

# Inert look-alikes: the letters stay, so a checker can still compare what was quoted.
_INERT = str.maketrans(
    {
        "<": "‹", ">": "›", "《": "〈", "》": "〉",
        "“": "'", "”": "'", '"': "'", "„": "'", "‟": "'",
        "`": "'", "{": "(", "}": ")", "[": "(", "]": ")", "|": "/", "\\": "/", "*": "·", "_": " ",
        "#": "＃", "$": "＄", "@": "＠", "&": "＆", "「": "〈", "」": "〉", "『": "〈", "』": "〉",
    }
)  # fmt: skip
_TEMPLATE = re.compile(r"<\|?/?\w+\|?>|\{\{|\$\{|\[/?inst\]|###|\b(?:system|assistant|user)\s*:")
_TOPIC = re.compile(r"[^\W_]+(?:[ '’/&+-]{1,3}[^\W_]+)*")


_TURNS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Signs that turn the direction of writing (Bidi_Control, Unicode Standard Annex 9)."""


def inert(text: str) -> str:
    """Text for a page or a terminal: what they would obey is shown as a replacement character.

    These are control characters but line feed and tab, halves of surrogate pairs, and signs that
    turn the direction of writing: one of them that is not closed turns the text around it.
    """
    if text.isprintable():
        return text
    return "".join("\ufffd" if _acts(char) else char for char in text)


@lru_cache(REMEMBERED)
def quote(text: str, limit: int = TITLE_LIMIT) -> str:
    """Foreign text made harmless for one place in one sentence.

    Line breaks, control, format (also right-to-left overrides) and private characters go; markup
    becomes look-alikes; marks piled on a letter are cut to two; the length is cut with an ellipsis.

    Args:
        text: a title, a topic or a name as it came.
        limit: characters the result may have, at least 2.
    """
    flat = unicodedata.normalize("NFC", text[: 50 * limit])
    flat = "".join(" " if char.isspace() else char for char in flat)
    flat = "".join(char for char in flat if not unicodedata.category(char).startswith("C"))
    flat = " ".join(_unpile(flat.translate(_INERT)).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


@lru_cache(REMEMBERED)
def plain_topic(topic: str) -> str:
    """The topic as a sentence may write it; empty when it may not.

    Refused: more than 4 words or 40 characters, other signs than joining ones, words of
    instructions, sensitive attributes.
    """
    flat = quote(topic, TOPIC_LIMIT + 1).replace("＆", "&")
    folded = as_judged(flat)
    words = folded.replace("-", " ").split()
    if not _TOPIC.fullmatch(flat) or len(flat) > TOPIC_LIMIT or len(words) > 4:
        return ""
    if not INSTRUCTION_WORDS.isdisjoint(words) or has_sensitive(flat):
        return ""
    return "" if any(stem in folded for stem in INSTRUCTION_STEMS) else flat


@lru_cache(REMEMBERED)
def plain_title(title: str) -> str:
    """The title (or a creator) as a sentence may quote it; empty when it may not.

    Refused: no letter or digit, words of instructions, sensitive attributes.
    """
    flat = quote(title)
    folded = as_judged(flat)
    words = re.split(r"[\W_]+", folded)
    if not any(map(str.isalnum, flat)) or has_sensitive(flat):
        return ""
    if not INSTRUCTION_WORDS.isdisjoint(words):
        return ""
    return "" if any(stem in folded for stem in INSTRUCTION_STEMS) else flat


@lru_cache(REMEMBERED)
def commands(text: str) -> bool:
    """Whether a longer text reads like a command to a language model.

    A stem or a sign of such commands is enough, or two of their words: one alone, "write" say, is
    a word like any other in a sentence.
    """
    flat = as_judged(text)
    words = set(re.findall(r"[^\W_]+", flat))
    is_named = any(stem in flat for stem in INSTRUCTION_STEMS) or bool(words & COMMANDING_WORDS)
    return is_named or len(words & INSTRUCTION_WORDS) >= 2 or bool(_TEMPLATE.search(flat))


def as_judged(text: str) -> str:
    """The text in the letters that it is judged by: wide and fancy ones are read as plain ones."""
    return unicodedata.normalize("NFKC", text).casefold()


def _acts(char: str) -> bool:
    is_control = unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
    return is_control or char in _TURNS


def _unpile(text: str) -> str:
    kept: list[str] = []
    n_marks = 0
    for char in text:
        n_marks = n_marks + 1 if unicodedata.combining(char) else 0
        if n_marks <= 2:
            kept.append(char)
    return "".join(kept)
