"""Portrait passages: the concrete things that a portrait names, as the text encoder reads them.

The vector of a portrait is pooled of these, not read from its sentences: "mostly watch in the
evening" draws every user to the same place. Held-out events of MovieLens latest-small: NDCG@10 by
the portrait's vector 0.012 of the whole text, 0.010 of its sentences, 0.020 of what it names. Names
repeat from user to user, so far fewer texts are encoded than there are users.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_gathering import topic_name
from vidrec_tasks.language.quoting import plain_title

N_CENTRE: Final = 128
"""Topics, and titles, of the catalogue whose mean is taken as what all names have in common."""
_LEAST: Final = 16
"""Names under which a mean is no common direction."""

_FLOOR: Final = 0.05
"""What a topic that all videos carry still weighs."""

Floats = npt.NDArray[np.float32]
Weight = TypeVar("Weight", float, npt.NDArray[np.float64])


class Passage(NamedTuple):
    """A topic or a title that a portrait names, and how much of the vector it is."""

    kind: str
    text: str
    weight: float


class Centre(NamedTuple):
    """Names of the catalogue, evenly drawn: what is common to all names says nothing of a user."""

    topics: tuple[str, ...]
    titles: tuple[str, ...]

    @classmethod
    def of(cls, topics: Iterable[str], titles: Iterable[str]) -> "Centre":
        """Drawn from the topics and titles of a catalogue; the same for every shard."""
        # drawn before they are quoted: a million titles would take half a minute a shard
        drawn = (plain_title(title) for title in _even(sorted(set(titles))))
        return cls(
            _even(sorted(set(topics))), tuple(dict.fromkeys(title for title in drawn if title))
        )


def passages_of(facts: Sequence[Fact], stated: Iterable[int], telling: Mapping[str, float]) -> list[
    Passage
]:  # fmt: skip
    """What a portrait names: topics by how often and how telling, titles alike, half each.

    Args:
        facts: of the user.
        stated: numbers of the facts that the portrait's sentences state.
        telling: topic -> how telling it is, at least 0.
    """
    numbers = set(stated)
    said = [fact for fact in facts if fact.number in numbers]
    topics = {
        fact.name: fact.n * telling_weight(telling.get(fact.name, 0.0))
        for fact in said if fact.kind == kinds.TOPIC
    }  # fmt: skip
    titles = dict.fromkeys((fact.name for fact in said if fact.kind == kinds.TITLE), 1.0)
    return [*_shared(kinds.TOPIC, topics), *_shared(kinds.TITLE, titles)]


def telling_weight(telling: Weight) -> Weight:
    """What each video about a topic counts for it, by how telling the topic is."""
    return _FLOOR + telling


def telling_names(topics: Sequence[Sequence[str]]) -> dict[str, float]:
    """Topic as a sentence would write it -> how telling it is: 0 for one that all videos carry.

    Args:
        topics: of each video of the catalogue.
    """
    named: Counter[str] = Counter()
    for topic, n in Counter(chain.from_iterable(topics)).items():
        if name := topic_name(str(topic)):
            named[name] += n
    return {name: max(0.0, math.log((len(topics) + 0.5) / n)) for name, n in named.items()}


def pool_passages(
    portraits: Sequence[Sequence[Passage]], centre: Centre, encode: Callable[[list[str]], Floats]
) -> Floats:
    """``(n_portraits, dim)`` unit rows; a zero row for a portrait that names nothing.

    Args:
        portraits: the passages of each.
        centre: names whose mean is taken off.
        encode: ``(n, dim)`` the vectors of texts.
    """
    texts = sorted({passage.text for passages in portraits for passage in passages})
    named = encode([*texts, *centre.topics, *centre.titles])
    place = {text: num for num, text in enumerate(texts)}
    n_topics = len(texts) + len(centre.topics)
    common = {
        kinds.TOPIC: common_direction(named[len(texts) : n_topics]),
        kinds.TITLE: common_direction(named[n_topics:]),
    }
    vectors = np.zeros((len(portraits), named.shape[1]), dtype=np.float32)
    for num, passages in enumerate(portraits):
        for passage in passages:
            vector = named[place[passage.text]] - common[passage.kind]
            vectors[num] += np.float32(passage.weight) * vector
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-6)


def common_direction(vectors: Floats) -> Floats:
    """``(dim,)`` the mean of the vectors of names; zero of few, whose mean is no common one."""
    if len(vectors) < _LEAST:
        return np.zeros(vectors.shape[1], dtype=np.float32)
    return np.asarray(vectors.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _shared(kind: str, weights: Mapping[str, float]) -> list[Passage]:
    total = sum(weights.values())
    return [Passage(kind, text, weight / total) for text, weight in weights.items()]


def _even(names: Sequence[str]) -> tuple[str, ...]:
    n = min(N_CENTRE, len(names))
    return tuple(names[num * len(names) // n] for num in range(n))
