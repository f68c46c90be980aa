# ruff: noqa: SIM905 - a list of words is read as text
"""Checking: which fields of a model's card rest on the sources; shares no code with who wrote them.

A summary may hold words of grammar and words of the sources, numbers and names exactly as they
stand there. A topic is one that was offered or stands in a source; a format, a mood, an audience
needs its words or its number; a name stands letter for letter. What fails is dropped with a reason
that quotes nothing, and the field of the rules stands.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vidrec_tasks.columns import (
    AGE_RATING,
    AUDIENCE,
    DURATION_S,
    FORMAT,
    MOOD,
    NAMED,
    SUMMARY,
    TOPICS,
)
from vidrec_tasks.language.cards import cues
from vidrec_tasks.language.cards.card import MAX_NAMED, MAX_TOPICS, SUMMARY_LIMIT, Ground
from vidrec_tasks.language.cards.sources import Sources
from vidrec_tasks.language.quoting import commands, plain_topic, quote
from vidrec_tasks.language.words import FUNCTION_WORDS

NOT_JSON: Final = "not a card"
TOO_LONG: Final = "too long"
SIGNS: Final = "markup or control signs"
COMMANDS: Final = "reads like a command"
OTHER_LANGUAGE: Final = "another language than the sources"
NO_WORDS: Final = "says nothing"
LOOSE_WORD: Final = "a word that is in no source"
LOOSE_NUMBER: Final = "a number that is in no source"
LOOSE_NAME: Final = "a name that is in no source"
NOT_A_TOPIC: Final = "no topic of the catalogue or the sources"
NO_EVIDENCE: Final = "nothing in the sources shows it"
UNKNOWN: Final = "not in the list"

MIN_PAIRS: Final = 0.7
"""Share of the pairs of Chinese characters that must stand in the sources; each character must."""

MAX_NEW_WORDS: Final = 3
"""Words of a topic that was not offered."""

Verdict = tuple[dict[str, Any], list[Ground], list[tuple[str, str]]]
"""Field -> value, what each rests on, and (field, reason) of what was dropped."""

_FREE: Final = FUNCTION_WORDS | frozenset(
    """video videos film clip shows show showing about how what where why you your we our i into
    through during after before until over under around while its features featuring covers
    explains will can""".split()
)
_GRAMMAR: Final = frozenset("的了是在和与及或也都这那个把被让从到对为以中里上下着过地得之其")
_HAN: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_TOKEN: Final = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_ENDINGS: Final = ("", "s", "es", "ed", "d", "ing", "er", "ers", "ly", "y", "ies", "ied", "'s")
_CUES: Final = {FORMAT: cues.FORMATS, MOOD: cues.MOODS, AUDIENCE: cues.AUDIENCES}


def check_answer(answer: str, sources: Sources, offered: Sequence[str]) -> Verdict:
    """Judge a model's card field by field.

    Args:
        answer: a JSON text; '' where there was none.
        sources: of the video.
        offered: topics that were offered.
    """
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return {}, [], [(SUMMARY, NOT_JSON)]
    kept: dict[str, Any] = {}
    grounds: list[Ground] = []
    dropped: list[tuple[str, str]] = []
    for value, own, reasons in _judged(said, sources, offered):
        kept |= value
        grounds += own
        dropped += reasons
    return kept, grounds, dropped


def _judged(said: Mapping[str, Any], sources: Sources, offered: Sequence[str]) -> Iterator[Verdict]:
    texts = sources.fields()
    summary = said.get(SUMMARY)
    if isinstance(summary, str) and summary.strip():
        yield _summary(" ".join(summary.split()), texts)
    topics = [one for name in (TOPICS, "new_topics") for one in _texts(said.get(name))]
    yield _each(TOPICS, topics, lambda one: _topic(one, texts, offered), MAX_TOPICS)
    for field in _CUES:
        name = said.get(field)
        if isinstance(name, str) and name:
            ground, reason = _cued(field, name, sources, texts)
            yield (({field: name}, [ground], []) if ground else ({}, [], [(field, reason)]))
    yield _each(NAMED, _texts(said.get(NAMED)), lambda one: _name(one, texts), MAX_NAMED)


def _summary(text: str, texts: Mapping[str, str]) -> Verdict:
    reason = _why_not(text, texts)
    if reason:
        return {}, [], [(SUMMARY, reason)]
    words = set(_words(text))
    held = {name: len(words & set(_words(source))) for name, source in texts.items()}
    best = max(held, key=lambda name: held[name])
    return {SUMMARY: text}, [Ground(SUMMARY, text, best, quote(texts[best], 80))], []


def _why_not(text: str, texts: Mapping[str, str]) -> str:
    """Why a summary does not stand; '' where it does."""
    every = " ".join(texts.values())
    if len(text) > SUMMARY_LIMIT:
        return TOO_LONG
    if quote(text, SUMMARY_LIMIT) != unicodedata.normalize("NFC", text):
        return SIGNS
    if commands(text):
        return COMMANDS
    if bool(_HAN.search(text)) and not _HAN.search(every):
        return OTHER_LANGUAGE
    loose = _loose(text, every)
    if loose:
        return loose
    content = [word for word in _words(text) if word not in _FREE]
    return "" if len(content) + len(_HAN.findall(text)) >= 2 or text in every else NO_WORDS


def _loose(text: str, every: str) -> str:
    """The first reason why a word does not rest on the sources."""
    known, exact = set(_words(every)), set(_TOKEN.findall(every))
    for num, token in enumerate(_TOKEN.findall(_HAN.sub(" ", text))):
        word = token.casefold()
        if any(char.isdigit() for char in token):
            if token not in exact:
                return LOOSE_NUMBER
        elif word not in _FREE and not _is_known(word, known):
            return LOOSE_NAME if token[0].isupper() and num else LOOSE_WORD
        elif token[0].isupper() and num and word not in _FREE and token not in exact:
            return LOOSE_NAME
    for run in _HAN.findall(text):
        pairs = [run[place : place + 2] for place in range(len(run) - 1)] or [run]
        pairs = [pair for pair in pairs if not _GRAMMAR & set(pair)]
        if sum(pair in every for pair in pairs) < MIN_PAIRS * len(pairs):
            return LOOSE_WORD
        if any(char not in every and char not in _GRAMMAR for char in run):
            return LOOSE_WORD
    return ""


def _is_known(word: str, known: set[str]) -> bool:
    """Whether the sources have the word, in this form or with another ending."""
    if word in known:
        return True
    roots = {word[: len(word) - len(end)] for end in _ENDINGS if word.endswith(end)}
    roots = {root for root in roots if len(root) >= 3}
    return any(root + end in known for root in roots for end in _ENDINGS)


def _words(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(unicodedata.normalize("NFKC", text))]


def _topic(
    topic: str, texts: Mapping[str, str], offered: Sequence[str]
) -> tuple[str, Ground | None]:
    plain = plain_topic(topic.casefold())
    if not plain or (plain not in offered and len(plain.split()) > MAX_NEW_WORDS):
        return NOT_A_TOPIC, None
    for name, text in texts.items():
        known = set(_words(text))
        runs = _HAN.findall(plain)
        words = [word for word in _words(_HAN.sub(" ", plain)) if word not in _FREE]
        is_here = all(_is_known(word, known) for word in words) and all(r in text for r in runs)
        if (words or runs) and is_here:
            return "", Ground(TOPICS, plain, name, plain)
    return ("", Ground(TOPICS, plain, "", "")) if plain in offered else (NOT_A_TOPIC, None)


def _cued(
    field: str, name: str, sources: Sources, texts: Mapping[str, str]
) -> tuple[Ground | None, str]:
    """What shows a format, a mood or an audience, else why it does not stand."""
    seconds = sources.duration_s
    numbers = {
        cues.SHORT: (0 < seconds <= cues.SHORT_S, DURATION_S, f"{seconds:.0f} s"),
        cues.FEATURE: (seconds >= cues.FEATURE_S, DURATION_S, f"{seconds:.0f} s"),
        cues.GROWN_UP: (
            sources.age_rating >= cues.GROWN_UP_AGE, AGE_RATING, str(sources.age_rating),
        ),
    }  # fmt: skip
    if name in numbers:
        holds, source, words = numbers[name]
        return (Ground(field, name, source, words), "") if holds else (None, NO_EVIDENCE)
    if name not in _CUES[field]:
        return None, UNKNOWN
    for source, text in texts.items():
        low = f" {' '.join(_words(text))} "
        for cue in _CUES[field][name]:
            if (f" {cue} " in low) if cue.isascii() else (cue in text):
                return Ground(field, name, source, cue), ""
    return None, NO_EVIDENCE


def _name(name: str, texts: Mapping[str, str]) -> tuple[str, Ground | None]:
    if quote(name, 41) != name or len(name) > 40 or commands(name):
        return SIGNS, None
    is_name = name[:1].isupper() or bool(_HAN.match(name))
    pattern = re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])")
    for source, text in texts.items():
        if is_name and (pattern.search(text) or (_HAN.match(name) and name in text)):
            return "", Ground(NAMED, name, source, name)
    return LOOSE_NAME, None


def _each(field: str, values: Sequence[str], judge: Any, most: int) -> Verdict:
    """A list: what holds is kept, each reason is told once."""
    grounds: dict[str, Ground] = {}
    reasons: dict[str, None] = {}
    for value in values:
        reason, ground = judge(value)
        if ground is None:
            reasons[reason] = None
        elif len(grounds) < most:
            grounds.setdefault(ground.value, ground)
    kept = {field: tuple(grounds)} if grounds else {}
    return kept, list(grounds.values()), [(field, reason) for reason in reasons]


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
