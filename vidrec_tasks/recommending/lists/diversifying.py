"""Diversifying: what one more video would add to a list that is being made.

`Spread` (max-sum diversification, Borodin et al., 2012), `Dissimilar` (maximal marginal relevance,
Carbonell and Goldstein, 1998), `Determinant` (greedy MAP of a determinantal point process, Chen et
al., 2018) and `Calibrated` (Steck, 2018). Leaves rules and relevance to `reranker`.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST = 1e-6
"""Variance left of a video that lies in the span of those already listed."""
SMOOTHING = 0.01
"""alpha of Steck (2018): how much of the user's mix is in the list's, so that no log is of 0."""


class Part(Protocol):
    """One of the things that are weighed for each place."""

    def gain(self) -> Floats:
        """``(k,)`` what each candidate of the pool would add now."""

    def take(self, place: int) -> None:
        """A candidate was taken."""


class Spread:
    """The candidate's cosines with all videos of the list, as a loss.

    It is what intra-list diversity adds up, so it buys most of it: on MovieLens 17% for 3% of
    NDCG@10, where `Dissimilar` paid 7% (`benchmarks.quality` prints the curve).

    Args:
        vectors: ``(k, dim)`` unit rows; a zero row is like nothing.
        n: videos of a whole list.
    """

    def __init__(self, vectors: npt.NDArray[np.float32], n: int) -> None:
        self.vectors, self.n = vectors, n
        self.total = np.zeros(len(vectors))

    def gain(self) -> Floats:
        """``(k,)`` in [-1, 1]."""
        return -self.total / max(1, self.n - 1)

    def take(self, place: int) -> None:
        """Look where the pool lies from the one taken."""
        self.total = self.total + self.vectors @ self.vectors[place]


class Dissimilar:
    """The candidate's cosine with the nearest video of the list, as a loss.

    Args:
        vectors: ``(k, dim)`` unit rows; a zero row is like nothing.
    """

    def __init__(self, vectors: npt.NDArray[np.float32]) -> None:
        self.vectors = vectors
        self.nearest = np.zeros(len(vectors))

    def gain(self) -> Floats:
        """``(k,)`` in [-1, 0]."""
        return -self.nearest

    def take(self, place: int) -> None:
        """Look where the pool lies from the one taken."""
        self.nearest = np.maximum(self.nearest, self.vectors @ self.vectors[place])


class Determinant:
    """What the candidate adds to the log determinant of the list's Gram matrix.

    It sees every pair at once where `Dissimilar` sees the nearest one only. The Cholesky factor
    grows by a column a video, so a list of n from k costs k * n * (n + dim).

    Args:
        vectors: ``(k, dim)`` unit rows; a zero row is like nothing.
    """

    def __init__(self, vectors: npt.NDArray[np.float32]) -> None:
        self.vectors = vectors.astype(np.float64)
        self.is_known = np.abs(vectors).sum(axis=1) > 0
        self.left = np.ones(len(vectors))  # (k,) variance that the list does not explain
        self.columns: list[Floats] = []  # of the Cholesky factor, each (k,)

    def gain(self) -> Floats:
        """``(k,)`` at most 0: half the log of the variance left, in units of one list's worth."""
        return np.asarray(0.5 * np.log(np.maximum(self.left, _LEAST)))

    def take(self, place: int) -> None:
        """Explain the pool by one more video."""
        similar = self.vectors @ self.vectors[place]
        similar = np.where(self.is_known & self.is_known[place], similar, 0.0)
        similar[place] = 1.0
        for column in self.columns:
            similar = similar - column * column[place]
        column = similar / np.sqrt(max(float(self.left[place]), _LEAST))
        self.columns.append(column)
        self.left = self.left - column**2


class Calibrated:
    """How much nearer the candidate brings the list's topic mix to the user's own.

    Args:
        mix: ``(n_topics,)`` the user's topics, adding up to 1; all zero where nothing is known.
        topics: ``(k, n_topics)`` each candidate's topics, rows adding up to 1 or empty.
    """

    def __init__(self, mix: Floats, topics: Floats) -> None:
        self.mix, self.topics = mix, topics
        self.total = np.zeros(len(mix))
        self.n = 0

    def gain(self) -> Floats:
        """``(k,)`` by how much KL(user || list) would fall."""
        if not self.mix.any():
            return np.zeros(len(self.topics))
        after = _divergences(self.mix, (self.total + self.topics) / (self.n + 1))
        now = _divergences(self.mix, (self.total / max(1, self.n))[None])[0]
        return np.asarray(now - after)

    def take(self, place: int) -> None:
        """Add the topics of the one taken."""
        self.total = self.total + self.topics[place]
        self.n += 1


def _divergences(mix: Floats, lists: Floats) -> Floats:
    """``(k,)`` KL(mix || list~) with ``list~ = (1 - alpha) list + alpha mix``."""
    smoothed = (1 - SMOOTHING) * lists + SMOOTHING * mix
    ratio = np.where(mix > 0, mix / np.maximum(smoothed, 1e-12), 1.0)
    return np.asarray((mix * np.log(ratio)).sum(axis=1))
