"""Likeness: what two videos must have in common before it says more than chance.

The catalogue itself is the measure: of pairs of its videos drawn at random, how alike are they, and
how many share a topic? Leaves the words to `explanation_templates`.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.units import asked_rows, rows_with_content, spread_rows

PERCENTILE: Final = 99
"""Random pairs, in a hundred, that are less alike than what is called much alike."""
MAX_CHANCE: Final = 0.05
"""Share of random pairs that share a topic, above which sharing it says nothing: in the demo a
category of a quarter of the videos joined galaxies with rockets."""
N_PAIRS: Final = 20_000
"""Pairs drawn; a catalogue of 200 videos has fewer, and all of them are looked at."""
MIN_PAIRS: Final = 100
"""Pairs from which a catalogue can be a measure: the hundredth part of fewer is none."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Likeness:
    """How alike the videos of a catalogue are.

    Attributes:
        rows: ``video_id -> row`` of the videos with content that may be asked for.
        vectors: ``(n_rows, dim)`` float32, unit rows: those of these videos at least.
        threshold: cosine of which `PERCENTILE` of 100 random pairs stay below; infinite where the
            catalogue is too small to tell.
        common: topics that random pairs share too often to say anything.
    """

    rows: Mapping[str, int]
    vectors: npt.NDArray[np.float32]
    threshold: float
    common: frozenset[str]

    @classmethod
    def of(
        cls,
        video_ids: Sequence[str],
        vectors: npt.NDArray[np.float32],
        topics: Sequence[Sequence[str]],
        *,
        seed: int,
        only: Container[str] | None = None,
        known: Ints | None = None,
    ) -> "Likeness":
        """Measure a catalogue; the same seed draws the same pairs.

        Args:
            video_ids: ``(n_videos,)``.
            vectors: ``(n_videos, dim)`` fused embeddings, unit rows; a zero row is left out.
            topics: of each video, in the order of ``video_ids``.
            seed: of the draw.
            only: the videos that will be asked for; None: any.
            known: ``(n_known,)`` the rows that are not zero; None: they are looked for.
        """
        known = rows_with_content(vectors) if known is None else known
        left, right = random_pairs(len(known), np.random.default_rng(seed))
        threshold = np.inf
        if len(left) >= MIN_PAIRS:
            cosines = np.einsum(
                "pd,pd->p", spread_rows(vectors, known[left]), spread_rows(vectors, known[right])
            )
            threshold = round(float(np.percentile(cosines, PERCENTILE)), 4)
        rows, vectors = asked_rows(video_ids, vectors, known, only)
        return cls(rows, vectors, threshold, _common_topics(topics))

    def between(self, one: str, other: str) -> float:
        """The cosine of two videos, to four places; -1 where one has no content."""
        places = self.rows.get(one), self.rows.get(other)
        if places[0] is None or places[1] is None:
            return -1.0
        return round(float(self.vectors[places[0]] @ self.vectors[places[1]]), 4)


def random_pairs(n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Two different rows a pair: all pairs of few rows, `N_PAIRS` drawn ones of many."""
    if n * (n - 1) // 2 <= N_PAIRS:
        left, right = np.triu_indices(n, k=1)
        return left.astype(np.int64), right.astype(np.int64)
    left = rng.integers(0, n, N_PAIRS)
    step = rng.integers(1, n, N_PAIRS)  # never 0, so that no video is paired with itself
    return left, (left + step) % n


def _common_topics(topics: Sequence[Sequence[str]]) -> frozenset[str]:
    n_pairs = len(topics) * (len(topics) - 1) // 2
    if n_pairs < MIN_PAIRS:
        return frozenset()
    carried = Counter(topic for names in topics for topic in set(names))
    return frozenset(
        topic for topic, k in carried.items() if k * (k - 1) / 2 > MAX_CHANCE * n_pairs
    )
