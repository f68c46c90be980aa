"""Vocabulary: the topics of a catalogue, learned from it so that cards repeat them.

Tags and categories are topics as they are. A phrase is one where several videos hold it and these
are more alike than random pairs: "street food" is, "country" is not, however often it is said. What
was a topic the night before stays one more easily, so that a few new videos change little.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.columns import DESCRIPTION, KEY, N_VIDEOS, SOURCE, STRENGTH, TOPIC
from vidrec_tasks.language.cards.phrases import key_of, phrases_of, sentences_of
from vidrec_tasks.language.cards.sources import Sources
from vidrec_tasks.language.quoting import plain_topic

Floats = npt.NDArray[np.float32]

TAGGED: Final = "tags"
PHRASED: Final = "phrases"

MIN_VIDEOS, KEPT_VIDEOS = 3, 2
"""Videos that a new topic needs, and one that was there before: never one alone."""

MIN_STRENGTH, KEPT_STRENGTH = 1.0, 0.7
"""Deviations by which the videos of a phrase must be more alike than random pairs. On 3,432 titles
and descriptions of YouTube those between 0.6 and 1 are half topics ("ancient") and half not
("amazing"); on 4,803 overviews of films likewise ("crime", "involving")."""

MAX_SHARE: Final = 0.2
"""Share of the videos that hold a phrase above which it tells nothing."""

SUBSUMED: Final = 0.7
"""Share of a phrase's videos that hold one longer phrase, from which the longer one stands."""

MAX_TOPICS: Final = 20_000
MAX_VIDEOS: Final = 50_000
"""Videos that a vocabulary is learned from; of a larger catalogue a draw."""

MAX_REPEATS: Final = 2
"""Videos whose descriptions may share a sentence word for word; more say it to fill the page."""

MIN_CATALOGUE: Final = 10
"""Videos under which no likeness can be told from chance, and only tags are topics."""

_N_PAIRS: Final = 20_000


@dataclass(frozen=True)
class Vocabulary:
    """The topics of a catalogue.

    Attributes:
        table: topic (as it is written), key, n_videos, source ('tags' or 'phrases'), strength
            (deviations above random pairs; 0 for tags); by key.
        n_catalogue: videos it was learned from.
    """

    table: pd.DataFrame
    n_catalogue: int

    def by_key(self) -> dict[str, tuple[str, float]]:
        """Key -> the topic as it is written, and how telling it is (`log n_catalogue / n`)."""
        telling = np.log((self.n_catalogue + 1) / self.table[N_VIDEOS].to_numpy(dtype=float))
        pairs = zip(self.table[TOPIC], np.maximum(telling, 0.1).tolist(), strict=True)
        return dict(zip(self.table[KEY], pairs, strict=True))


def learn_vocabulary(
    sources: Sequence[Sources], vectors: Floats, *, known: Collection[str] = (), seed: int = 7
) -> Vocabulary:
    """The topics of some videos.

    Args:
        sources: of each video.
        vectors: ``(n_videos, dim)`` unit rows of the text encoder; a zero row is not compared.
        known: keys of the night before.
        seed: of the random pairs.
    """
    tagged, written = _tagged(sources)
    counted = _Counted.of(sources)
    phrases = _phrases(counted, vectors, set(known), seed) if len(sources) >= MIN_CATALOGUE else []
    rows = [
        (written[key].most_common(1)[0][0], key, n, TAGGED, 0.0)
        for key, n in tagged.items()
        if n >= (KEPT_VIDEOS if key in known else MIN_VIDEOS - 1)
    ]
    rows += [row for row in phrases if row[1] not in tagged]
    rows.sort(key=lambda row: (row[3] != TAGGED, -row[2], row[1]))
    kept = sorted(rows[:MAX_TOPICS], key=lambda row: row[1])
    kinds = {TOPIC: "str", KEY: "str", N_VIDEOS: "int64", SOURCE: "str", STRENGTH: "float64"}
    table = pd.DataFrame(kept, columns=list(kinds)).astype(kinds)
    return Vocabulary(table, len(sources))


def _tagged(sources: Iterable[Sources]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Key of each tag -> videos that carry it, and how they write it."""
    n_videos: Counter[str] = Counter()
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for source in sources:
        own = {key_of(tag): topic for tag in source.tags if (topic := plain_topic(tag.casefold()))}
        n_videos.update(key for key in own if key)
        for key, topic in own.items():
            written[key][topic] += 1
    return n_videos, written


@dataclass(frozen=True)
class _Counted:
    """Which video holds which phrase.

    Attributes:
        holds: ``(n_videos, n_phrases)`` ones.
        forms: the phrases as they are mostly written, in the order of ``keys``.
    """

    holds: sparse.csc_array
    keys: list[str]
    forms: list[str]

    @classmethod
    def of(cls, sources: Sequence[Sources]) -> "_Counted":
        stock = _stock_sentences(sources)
        of_phrase: dict[str, list[int]] = defaultdict(list)
        forms: dict[str, Counter[str]] = defaultdict(Counter)
        for num, source in enumerate(sources):
            own = dict(_own_phrases(source, stock))
            for key, form in own.items():
                of_phrase[key].append(num)
                forms[key][form] += 1
        keys = sorted(key for key, nums in of_phrase.items() if len(nums) >= KEPT_VIDEOS)
        offsets = np.concatenate([[0], np.cumsum([len(of_phrase[key]) for key in keys])])
        rows = np.array([num for key in keys for num in of_phrase[key]], dtype=np.int64)
        ones = np.ones(len(rows), dtype=np.float32)
        shape = (len(sources), len(keys))
        holds = sparse.csc_array((ones, rows, offsets.astype(np.int64)), shape=shape)
        return cls(holds, keys, [forms[key].most_common(1)[0][0] for key in keys])


def _phrases(
    counted: _Counted, vectors: Floats, known: set[str], seed: int
) -> list[tuple[str, str, int, str, float]]:
    """Rows of the phrases that are topics."""
    n_videos = np.asarray(counted.holds.sum(axis=0)).ravel().astype(int)
    strength, margin = _strength(counted.holds, vectors, seed)
    is_known = np.array([key in known for key in counted.keys], dtype=bool)
    is_telling = n_videos <= max(MIN_VIDEOS, MAX_SHARE * counted.holds.shape[0])
    is_new = (n_videos >= MIN_VIDEOS) & (strength >= MIN_STRENGTH + margin)
    stays = is_known & (strength >= KEPT_STRENGTH + margin / 2)
    chosen = np.flatnonzero(is_telling & (is_new | stays))
    rows = [
        (topic, counted.keys[num], int(n_videos[num]), PHRASED, round(float(strength[num]), 3))
        for num in chosen.tolist()
        if (topic := plain_topic(counted.forms[num]))
    ]
    n_of = {row[1]: row[2] for row in rows}
    within = {key for longer in n_of for key in _subsumed_by(longer, n_of)}
    return [row for row in rows if row[1] not in within]


def _strength(
    holds: sparse.csc_array, vectors: Floats, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """``(n_phrases,)`` how much more alike the videos of a phrase are than random pairs.

    Returns:
        Deviations of the mean cosine, and by how much chance may move it: 2 / sqrt(pairs).
    """
    known = np.any(vectors != 0, axis=1)
    rows = vectors[known].astype(np.float64)
    if len(rows) < MIN_CATALOGUE:
        return np.full(holds.shape[1], -np.inf), np.zeros(holds.shape[1])
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(rows), (2, _N_PAIRS))
    cosines = np.einsum("nd,nd->n", *(rows[nums[first != second]] for nums in (first, second)))
    carried = sparse.csr_array(holds)[np.flatnonzero(known)].tocsc()
    n = np.asarray(carried.sum(axis=0), dtype=np.float64).ravel()
    sums = np.asarray(carried.T @ rows)  # (n_phrases, dim)
    pairs = np.maximum(n * (n - 1), 1)
    alike = (np.einsum("nd,nd->n", sums, sums) - n) / pairs
    strength = (alike - cosines.mean()) / max(float(cosines.std()), 1e-6)
    return np.where(n >= KEPT_VIDEOS, strength, -np.inf), 2 / np.sqrt(pairs / 2)


def _subsumed_by(longer: str, n_of: Mapping[str, int]) -> Iterator[str]:
    """The shorter phrases that hardly stand without this one."""
    words = longer.split(" ")
    units: Sequence[str] = words if len(words) > 1 else longer
    glue = " " if len(words) > 1 else ""
    for first in range(len(units)):
        for last in range(first + 1, len(units) + 1):
            key = glue.join(units[first:last])
            if key != longer and n_of[longer] >= SUBSUMED * n_of.get(key, 1 << 62):
                yield key


def _own_phrases(source: Sources, stock: Collection[int]) -> Iterator[tuple[str, str]]:
    for field, text in source.texts.items():
        if field != DESCRIPTION:
            yield from phrases_of(text)
            continue
        for sentence in sentences_of(text):
            if hash(sentence) not in stock:
                yield from phrases_of(sentence)


def _stock_sentences(sources: Iterable[Sources]) -> set[int]:
    """Sentences of descriptions that more than `MAX_REPEATS` videos share: a page's furniture."""
    counts: Counter[int] = Counter()
    for source in sources:
        own = {hash(sentence) for sentence in sentences_of(source.texts.get(DESCRIPTION, ""))}
        counts.update(own)
    return {sentence for sentence, n in counts.items() if n > MAX_REPEATS}
