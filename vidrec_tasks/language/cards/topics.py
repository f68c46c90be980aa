"""Topics of a video: its tags, else the catalogue's topics that its own words hold."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from vidrec_tasks.columns import DESCRIPTION, TAGS, TITLE
from vidrec_tasks.language.cards.phrases import key_of, phrases_of
from vidrec_tasks.language.cards.sources import SAID, SEEN, WRITTEN, Sources
from vidrec_tasks.language.quoting import plain_topic

WEIGHTS: Final = {TITLE: 3.0, DESCRIPTION: 1.0, SAID: 1.0, WRITTEN: 1.0}
"""What a topic weighs by where it stands, once; more often by the logarithm."""

N_OFFERED: Final = 12
"""Topics that are offered to a language model, beside the tags."""

N_TOPICS: Final = 5
"""Topics by words alone of a video without tags."""

MIN_SHARE: Final = 0.4
"""Share of the strongest topic's score from which another is told."""

ByKey = Mapping[str, tuple[str, float]]


@dataclass(frozen=True)
class Offer:
    """A topic that a video may have.

    Attributes:
        topic: as cards write it.
        source: where its words stand.
        words: as they stand there.
        score: higher is stronger; of tags infinite.
    """

    topic: str
    source: str
    words: str
    score: float


def offers_of(sources: Sources, vocabulary: ByKey) -> list[Offer]:
    """The topics that a video may have, strongest first: tags, then topics in its own words.

    Args:
        sources: of the video.
        vocabulary: key -> topic and how telling it is (`Vocabulary.by_key`).
    """
    tagged = list(_tagged(sources, vocabulary))
    keys = {key_of(offer.topic) for offer in tagged}
    held = [offer for offer in _held(sources, vocabulary) if key_of(offer.topic) not in keys]
    return [*tagged, *held[:N_OFFERED]]


def topics_by_rules(sources: Sources, offers: list[Offer]) -> list[Offer]:
    """The topics that are told without a model: tags, else words, else what is seen."""
    tagged = [offer for offer in offers if offer.source == TAGS]
    if tagged:
        return tagged
    strong = [offer for offer in offers if offer.score >= MIN_SHARE * offers[0].score]
    return strong[:N_TOPICS] or [
        Offer(topic, SEEN, name, 0.0) for name in sources.seen if (topic := plain_topic(name))
    ]


def _tagged(sources: Sources, vocabulary: ByKey) -> Iterator[Offer]:
    told: set[str] = set()
    for tag in sources.tags:
        topic, key = plain_topic(tag.casefold()), key_of(tag)
        if topic and key not in told:
            told.add(key)
            yield Offer(vocabulary.get(key, (topic, 0.0))[0], TAGS, tag, math.inf)


def _held(sources: Sources, vocabulary: ByKey) -> list[Offer]:
    """Topics in the words of a video, without those that stand within a longer one alone."""
    counts: Counter[tuple[str, str]] = Counter()
    forms: dict[str, tuple[str, str]] = {}
    for field, weight in WEIGHTS.items():
        for key, form in phrases_of(sources.texts.get(field, "")):
            if key in vocabulary and weight:
                counts[key, field] += 1
                forms.setdefault(key, (field, form))
    scores: dict[str, float] = {}
    for (key, field), n in counts.items():
        told = WEIGHTS[field] * (1 + math.log(n)) * vocabulary[key][1]
        scores[key] = scores.get(key, 0.0) + told
    totals: Counter[str] = Counter()
    for (key, _), n in counts.items():
        totals[key] += n
    order = sorted(scores, key=lambda key: (-scores[key], key))
    return [
        Offer(vocabulary[key][0], *forms[key], scores[key])
        for key in order
        if not any(_within(key, other) and totals[other] >= totals[key] for other in order)
    ]


def _within(key: str, other: str) -> bool:
    """Whether a phrase is a part of a longer one; of characters, whatever its place."""
    if key == other:
        return False
    return f" {key} " in f" {other} " or (not key.isascii() and " " not in other and key in other)
