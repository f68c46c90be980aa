"""Likeness: how alike two videos are in what they show and say, whoever watched them.

Embeddings and words, because meaning finds what is said in other words and words find names that an
encoder does not know. Each side is measured in its own spread and corrected by its neighbourhood:
a video that is near to everything counts for less (CSLS; Conneau et al., "Word translation without
parallel data", 2018), one that has the same neighbours for more (Jarvis and Patrick, "Clustering
using a similarity measure based on shared near neighbors", 1973).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.language.terms import count_terms
from vidrec_tasks.recommending.content import Content

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CELLS: Final = 8_000_000
"""Scores held at once: 32 MB a matrix, whatever the size of the catalogue."""

_HUBS: Final = 0.5
"""As in CSLS. recall@10 of linked videos over the better of TF-IDF and MiniLM, for three kinds of
links: 1.05 to 1.10 by adding cosines, 1.10 to 1.20 with both corrections on both sides."""
_SHARED: Final = 0.3
_N_NEIGHBOURS: Final = 10
_N_COMPARED: Final = 500
_MIN_SPREAD: Final = 0.005


@dataclass(frozen=True)
class Side:
    """One way of comparing videos.

    Attributes:
        rows: ``(n_videos, dim)`` unit rows; an empty one where nothing is known.
        mean, spread: of the cosines between videos of the catalogue.
        crowding: ``(n_videos,)`` mean score with the nearest neighbours.
        neighbours: ``(n_videos, n_videos)`` ones at each video's nearest neighbours.
    """

    rows: sp.csr_matrix | Floats
    mean: float
    spread: float
    crowding: Floats
    neighbours: sp.csr_matrix

    @classmethod
    def of(cls, rows: sp.csr_matrix | Floats) -> "Side":
        """Measure the spread of the rows, then their neighbourhoods."""
        n_videos = rows.shape[0]
        some = rows[np.arange(0, n_videos, max(1, n_videos // _N_COMPARED))]
        mean, spread = _spread(_dense(some @ some.T))
        none = sp.csr_matrix((n_videos, n_videos), dtype=np.float32)
        alone = cls(rows, mean, spread, np.zeros(n_videos, dtype=np.float32), none)
        crowding, neighbours = _neighbourhoods(alone)
        return replace(alone, crowding=crowding, neighbours=neighbours)

    @property
    def is_known(self) -> Mask:
        """``(n_videos,)`` whether anything is known of a video."""
        return np.asarray(abs(self.rows).sum(axis=1) > 0).ravel()

    def block(self, nums: Ints) -> Floats:
        """``(n_nums, n_videos)`` scores; 0 is as alike as any two, or not known."""
        scores = (_dense(self.rows[nums] @ self.rows.T) - self.mean) / self.spread
        scores += _SHARED * _dense(self.neighbours[nums] @ self.neighbours.T)
        scores -= _HUBS * self.crowding
        known = self.is_known
        if known.any():
            scores -= scores[:, known].mean(axis=1, keepdims=True)
        scores[:, ~known] = 0
        scores[~known[nums]] = 0
        return scores.astype(np.float32)


@dataclass(frozen=True)
class Likeness:
    """What the videos show and mean, and their words."""

    fused: Side
    words: Side

    @classmethod
    def of(cls, content: Content, texts: Sequence[str] | None = None) -> "Likeness":
        """The likeness of a catalogue.

        Args:
            content: fused embeddings and topics.
            texts: what each video says in words (title, description); topics alone when None.
        """
        words = _unit(_weighed(sp.csr_matrix(topic_matrix(content.topics)[0])))
        if texts is not None:
            words = _unit(sp.hstack([words, _unit(_weighed(count_terms(texts)[0]))], format="csr"))
        return cls(Side.of(content.fused), Side.of(sp.csr_matrix(words, dtype=np.float32)))

    def block(self, nums: Ints) -> Floats:
        """``(n_nums, n_videos)`` scores; where one side knows nothing, the other speaks alone."""
        return self.fused.block(nums) + self.words.block(nums)

    def cosines(self, num: int, others: Ints) -> Floats:
        """``(n_others,)`` the larger of the cosines of embeddings and of words."""
        words = _dense(self.words.rows[others] @ self.words.rows[[num]].T).ravel()
        return np.maximum(words, self.fused.rows[others] @ self.fused.rows[num])


def blocks(nums: Ints, n_videos: int) -> Iterator[Ints]:
    """Yield rows of a square matrix over the catalogue, few enough to hold."""
    size = max(1, CELLS // max(1, n_videos))
    for first in range(0, len(nums), size):
        yield nums[first : first + size]


def _spread(cosines: Floats) -> tuple[float, float]:
    apart = cosines[np.triu_indices(len(cosines), k=1)]
    if not len(apart):
        return 0.0, 1.0
    return float(apart.mean()), max(_MIN_SPREAD, float(apart.std()))


def _neighbourhoods(side: Side) -> tuple[Floats, sp.csr_matrix]:
    """Of each video its nearest ones, and how near they are in the mean."""
    n_videos = side.rows.shape[0]
    # a tenth of the catalogue at most: in one of 20, ten neighbours tell nothing
    k = min(_N_NEIGHBOURS, n_videos // 10)
    crowding = np.zeros(n_videos, dtype=np.float32)
    nearest = np.zeros((n_videos, k), dtype=np.int64)
    for nums in blocks(np.arange(n_videos), n_videos) if k else ():
        scores = side.block(nums)
        scores[np.arange(len(nums)), nums] = -np.inf
        nearest[nums] = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        crowding[nums] = np.take_along_axis(scores, nearest[nums], axis=1).mean(axis=1)
    ones = np.ones(nearest.size, dtype=np.float32)
    places = (np.repeat(np.arange(n_videos), k), nearest.ravel())
    neighbours = sp.csr_matrix((ones, places), shape=(n_videos, n_videos))
    known = sp.diags(side.is_known.astype(np.float32))
    return crowding, sp.csr_matrix(known @ neighbours, dtype=np.float32)


def _weighed(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Logarithms of counts, times how rare the term is; no term counts for nothing."""
    n_videos = counts.shape[0]
    in_videos = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((n_videos + 1) / (in_videos + 1)) + 1
    weighed = counts.astype(np.float64)
    weighed.data = (1 + np.log(weighed.data)) * idf[weighed.indices]
    return weighed


def _unit(rows: sp.csr_matrix) -> sp.csr_matrix:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(norms > 0, norms, 1)) @ rows)


def _dense(matrix: sp.csr_matrix | Floats) -> Floats:
    if isinstance(matrix, np.ndarray):
        return matrix
    dense: Floats = matrix.toarray()
    return dense
