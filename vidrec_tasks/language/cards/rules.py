"""Cards by rules: extracted from the sources, word for word, without a language model."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from vidrec_tasks.columns import (
    AGE_RATING,
    AUDIENCE,
    DESCRIPTION,
    DURATION_S,
    FORMAT,
    MOOD,
    NAMED,
    SUMMARY,
    TAGS,
    TITLE,
    TOPICS,
)
from vidrec_tasks.language.cards import cues
from vidrec_tasks.language.cards.card import MAX_NAMED, MAX_TOPICS, SUMMARY_LIMIT, Card, Ground
from vidrec_tasks.language.cards.phrases import phrases_of, sentences_of
from vidrec_tasks.language.cards.sources import SAID, Sources
from vidrec_tasks.language.cards.stopping import STOP_WORDS
from vidrec_tasks.language.cards.topics import Offer, topics_by_rules
from vidrec_tasks.language.quoting import commands, quote

CUED_BY: Final = (TITLE, TAGS)
"""Sources whose words show a format, a mood or an audience; a description tells of challenges
and of peaceful towns, which make no video a challenge or relaxing."""

MIN_SUMMARY: Final = 25
"""Characters under which a sentence says less than a title."""

N_SENTENCES: Final = 40
"""Sentences of a source that may become a summary."""

MAX_WORDS_OF_GROUND: Final = 80

_NAME: Final = re.compile(
    r"(?<![.!?。:] )(?<!^)\b(?:[A-Z][\w’'-]+)"
    r"(?:[ -](?:(?:of|the|de|van|von|al) )?[A-Z][\w’'-]+){0,3}"
)
_HANGING: Final = re.compile(r"(?:but|and|so|then|he|she|it|they|this|that|these|also)\b", re.I)
"""How a sentence begins that needs the one before it."""

_WORK: Final = re.compile(r"《([^《》]{1,40})》")


def card_by_rules(sources: Sources, offers: list[Offer]) -> Card:
    """The card of a video by rules.

    Args:
        sources: of the video.
        offers: topics that it may have (`topics.offers_of`).
    """
    topics = topics_by_rules(sources, offers)[:MAX_TOPICS]
    summary = summaries_of(sources, offers)[:1]
    cued = [ground for field, of in _CUED.items() if (ground := _cue(sources, field, of))]
    found = {ground.field: ground for ground in (*_by_number(sources), *cued)}
    named = list(_names(sources))[:MAX_NAMED]
    grounds = [
        *(Ground(SUMMARY, text, source, _cut(text)) for source, text in summary),
        *(Ground(TOPICS, one.topic, one.source, _cut(one.words)) for one in topics),
        *(found[field] for field in (FORMAT, MOOD, AUDIENCE) if field in found),
        *(Ground(NAMED, name, source, name) for source, name in named),
    ]
    told = {field: found[field].value if field in found else "" for field in _CUED}
    return Card(
        summary=next((text for _, text in summary), ""),
        topics=tuple(one.topic for one in topics),
        format=told[FORMAT],
        mood=told[MOOD],
        audience=told[AUDIENCE],
        named=tuple(name for _, name in named),
        grounds=tuple(grounds),
    )  # fmt: skip


def summaries_of(sources: Sources, offers: Sequence[Offer], n: int = 4) -> list[tuple[str, str]]:
    """(source, text) of what may stand as a summary, best first: sentences, and the title.

    A sentence of the description or of speech is worth the topics and the words of the title that
    it holds; none that commands, none with an address. The title stands in where none is better.
    """
    about = {key for key, _ in phrases_of(sources.title)}
    about |= {key for offer in offers for key, _ in phrases_of(offer.topic)}
    found: list[tuple[float, str, str]] = []
    for source in (DESCRIPTION, SAID):
        for num, sentence in enumerate(sentences_of(sources.texts.get(source, ""))[:N_SENTENCES]):
            text = quote(sentence, SUMMARY_LIMIT)
            if len(text) >= MIN_SUMMARY and _may_stand(sentence):
                shared = {key for key, _ in phrases_of(text)} & about
                found.append((len(shared) - 0.5 * num, source, text))
    found.sort(key=lambda row: -row[0])
    title = quote(sources.title, SUMMARY_LIMIT)
    best = [(source, text) for worth, source, text in found if worth > 0]
    own = [(TITLE, title)] if title and not commands(sources.title) else []
    return [*best, *own][:n]


def _may_stand(sentence: str) -> bool:
    has_address = re.search(r"https?:|www\.|@\w|[.](?:com|net|org)\b", sentence) is not None
    hangs = _HANGING.match(sentence) is not None
    is_long = len(sentence) > 2 * SUMMARY_LIMIT
    return not (has_address or hangs or is_long or commands(sentence))


def _cue(sources: Sources, field: str, of: cues.Cues) -> Ground | None:
    """The first name that the words of a video show, in the order of sources, then of the list."""
    for source, text in sources.fields().items():
        if source not in CUED_BY:
            continue
        for name, words in of.items():
            if found := _pattern(words).search(text):
                return Ground(field, name, source, found[0])
    return None


@lru_cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    spaced = [re.escape(word) for word in words if word.isascii()]
    other = [re.escape(word) for word in words if not word.isascii()]
    return re.compile(
        "|".join([rf"(?<![\w-])(?:{'|'.join(spaced)})(?![\w-])", *other]), re.IGNORECASE
    )


def _by_number(sources: Sources) -> Iterator[Ground]:
    """What length and age rating say; words that say otherwise come after them."""
    seconds = sources.duration_s
    if 0 < seconds <= cues.SHORT_S:
        yield Ground(FORMAT, cues.SHORT, DURATION_S, f"{seconds:.0f} s")
    if seconds >= cues.FEATURE_S:
        yield Ground(FORMAT, cues.FEATURE, DURATION_S, f"{seconds:.0f} s")
    if sources.age_rating >= cues.GROWN_UP_AGE:
        yield Ground(AUDIENCE, cues.GROWN_UP, AGE_RATING, str(sources.age_rating))


def _names(sources: Sources) -> Iterator[tuple[str, str]]:
    """(source, name) of what is written like a name within a sentence, each once."""
    told: set[str] = set()
    for source in (TITLE, DESCRIPTION, SAID):
        text = sources.texts.get(source, "")
        works = [match[1] for match in _WORK.finditer(text)]
        names = (
            [match[0].strip("’'-") for match in _NAME.finditer(text)] if _tells_names(text) else []
        )
        often = Counter(names)
        telling = [name for name in names if " " in name or "-" in name or often[name] > 1]
        for name in (*works, *telling):
            plain = quote(name, 41)
            is_plain = plain == name and len(name) <= 40 and not commands(name)
            if is_plain and name.casefold() not in told | STOP_WORDS:
                told.add(name.casefold())
                yield source, name


def _tells_names(text: str) -> bool:
    """Whether capitals mean something: not where every word, or none, begins with one."""
    words = [
        word for word in re.findall(r"[^\W\d_]{4,}", text) if word.casefold() not in STOP_WORDS
    ]
    n_capital = sum(word[0].isupper() for word in words)
    return 0 < n_capital <= 0.6 * len(words)


def _cut(words: str) -> str:
    return quote(words, MAX_WORDS_OF_GROUND)


_CUED: Final = {FORMAT: cues.FORMATS, MOOD: cues.MOODS, AUDIENCE: cues.AUDIENCES}
