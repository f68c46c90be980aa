"""Likeness: how alike two videos are in what they show and say, whoever watched them.

Embeddings and words, because meaning finds what is said in other words and words find names that an
encoder does not know. Each side is measured in its own spread and corrected by its neighbourhood:
a video that is near to everything counts for less (CSLS; Conneau et al., "Word translation without
parallel data", 2018), one that has the same neighbours for more (Jarvis and Patrick, "Clustering
using a similarity measure based on shared near neighbors", 1973).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.language.terms import count_terms
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.nearest import (
    CELLS,
    Nearest,
    NearestVectors,
    NearestWords,
    each_once,
)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CELLS_A_PAIR: Final = 200
"""Cells that a pair takes which is compared by itself: about the width of a row."""

DENSE_LIMIT: Final = 50_000
"""Videos up to which each is compared with all others; beyond, with those that an index finds.
All others are 4e10 pairs at 200,000: half an hour on two cores, and four times that at twice."""

N_FOUND: Final = 100
"""Videos that an index finds a side."""

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
        near: finds neighbours where there are too many videos to compare all.
    """

    rows: sp.csr_matrix | Floats
    mean: float
    spread: float
    crowding: Floats
    neighbours: sp.csr_matrix
    near: Nearest | None = None

    @classmethod
    def of(cls, rows: sp.csr_matrix | Floats, near: Nearest | None = None) -> "Side":
        """Measure the spread of the rows, then their neighbourhoods, by an index or among all."""
        n_videos = rows.shape[0]
        some = rows[np.arange(0, n_videos, max(1, n_videos // _N_COMPARED))]
        mean, spread = _spread(_dense(some @ some.T))
        none = sp.csr_matrix((n_videos, n_videos), dtype=np.float32)
        alone = cls(rows, mean, spread, np.zeros(n_videos, dtype=np.float32), none, near)
        crowding, neighbours = _neighbourhoods(alone)
        return replace(alone, crowding=crowding, neighbours=neighbours)

    @cached_property
    def is_known(self) -> Mask:
        """``(n_videos,)`` whether anything is known of a video."""
        if isinstance(self.rows, np.ndarray):  # whose absolute values are another catalogue
            return np.asarray(self.rows.any(axis=1))
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

    def pairs(self, nums: Ints, others: Ints) -> Floats:
        """``(n_nums, m)`` what `block` says of the columns ``others`` ``(n_nums, m)`` of each row.

        A row's mean over all known videos comes from sums, not from the row.
        """
        scores = (_inner(self.rows, nums, others) - self.mean) / self.spread
        scores += _SHARED * _inner(self.neighbours, nums, others)
        scores -= _HUBS * self.crowding[others]
        known = self.is_known
        scores -= self._usual[nums, None]
        scores[~known[others]] = 0
        scores[~known[nums]] = 0
        return scores.astype(np.float32)

    @cached_property
    def _usual(self) -> Floats:
        """``(n_videos,)`` mean score of each video with all that are known."""
        known = self.is_known
        n_known = max(int(known.sum()), 1)
        cosines = np.asarray(self.rows @ np.asarray(self.rows.sum(axis=0)).ravel()) / n_known
        theirs = np.asarray(self.neighbours[known].sum(axis=0)).ravel()
        shared = np.asarray(self.neighbours @ theirs) / n_known
        crowding = float(self.crowding[known].sum()) / n_known
        usual = (cosines - self.mean) / self.spread + _SHARED * shared - _HUBS * crowding
        return np.asarray(usual, dtype=np.float32)


@dataclass(frozen=True)
class Likeness:
    """What the videos show and mean, and their words.

    Attributes:
        fused, words: the two sides.
        is_dense: whether each video is compared with all others.
    """

    fused: Side
    words: Side
    is_dense: bool = True

    @classmethod
    def of(
        cls,
        content: Content,
        texts: Sequence[str] | None = None,
        *,
        dense_limit: int = DENSE_LIMIT,
    ) -> "Likeness":
        """The likeness of a catalogue.

        Args:
            content: fused embeddings and topics.
            texts: what each video says in words (title, description); topics alone when None.
            dense_limit: videos up to which each is compared with all others.
        """
        words = _unit(_weighed(sp.csr_matrix(topic_matrix(content.topics)[0])))
        if texts is not None:
            words = _unit(sp.hstack([words, _unit(_weighed(count_terms(texts)[0]))], format="csr"))
        words = sp.csr_matrix(words, dtype=np.float32)
        if content.n_videos <= dense_limit:
            return cls(Side.of(content.fused), Side.of(words))
        by_vectors, by_words = NearestVectors(content.fused), NearestWords(words)
        return cls(Side.of(content.fused, by_vectors), Side.of(words, by_words), is_dense=False)

    def block(self, nums: Ints) -> Floats:
        """``(n_nums, n_videos)`` scores; where one side knows nothing, the other speaks alone."""
        return self.fused.block(nums) + self.words.block(nums)

    def pairs(self, nums: Ints, others: Ints) -> Floats:
        """``(n_nums, m)`` the same of some columns ``(n_nums, m)`` of each row."""
        return self.fused.pairs(nums, others) + self.words.pairs(nums, others)

    def found(self, nums: Ints) -> Ints:
        """``(n_nums, m)`` the videos that the indexes find beside each, once each; -1 for none."""
        sides = [side.near for side in (self.fused, self.words) if side.near is not None]
        return each_once(np.concatenate([near.of(nums, N_FOUND) for near in sides], axis=1))

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
    width = n_videos if side.near is None else CELLS_A_PAIR * k
    for nums in blocks(np.arange(n_videos), width) if k else ():
        nearest[nums], scores = _nearest(side, nums, k)
        crowding[nums] = scores.mean(axis=1)
    is_one = nearest.ravel() >= 0
    places = (np.repeat(np.arange(n_videos), k)[is_one], nearest.ravel()[is_one])
    ones = np.ones(int(is_one.sum()), dtype=np.float32)
    neighbours = sp.csr_matrix((ones, places), shape=(n_videos, n_videos))
    known = sp.diags(side.is_known.astype(np.float32))
    return crowding, sp.csr_matrix(known @ neighbours, dtype=np.float32)


def _nearest(side: Side, nums: Ints, k: int) -> tuple[Ints, Floats]:
    """``(n_nums, k)`` the nearest videos, and how near they are."""
    if side.near is not None:
        found = side.near.of(nums, k)
        return found, np.where(found >= 0, side.pairs(nums, np.maximum(found, 0)), 0)
    scores = side.block(nums)
    scores[np.arange(len(nums)), nums] = -np.inf
    found = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return found, np.take_along_axis(scores, found, axis=1)


def _inner(rows: sp.csr_matrix | Floats, nums: Ints, others: Ints) -> Floats:
    """``(n_nums, m)`` products of rows ``nums`` with the rows ``others`` ``(n_nums, m)``."""
    if isinstance(rows, np.ndarray):
        return np.asarray(np.einsum("nd,nmd->nm", rows[nums], rows[others]), dtype=np.float32)
    own = rows[np.repeat(nums, others.shape[1])]
    products = np.asarray(own.multiply(rows[others.ravel()]).sum(axis=1))
    return products.reshape(others.shape).astype(np.float32)


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
