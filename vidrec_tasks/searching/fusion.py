"""Fusion: one order out of what a query says of the videos' texts and of each other modality.

``evidence``: all are log odds that a video is the one that is meant, and before looking each of n
videos is with a chance of 1/n. So each adds ``log(1 + exp(x) / n)``: nothing while it is weaker
than that doubt, all of it when it is stronger. What is not known of a video (no text, no frames)
speaks neither for nor against it.

``reciprocal``: reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). On 91 clips, MRR by
frames alone is 0.63. With titles in other words it is 0.99 by text alone, 0.99 fused by evidence
and 0.77 by ranks; with half the words of the titles 0.81 by text alone, 0.84 by evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float32]
Votes = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LogOdds:
    """What one way of looking says.

    Attributes:
        values: ``(n_queries, n_videos)`` above 0 speaks for a video; 0 where nothing is known.
        known: ``(n_queries, n_videos)`` where something is known.
        n_meant: how many videos it could be; 0: those of which something is known.
    """

    values: Votes
    known: Mask
    n_meant: int = 0

    @classmethod
    def of(cls, scores: Floats, *, n_meant: int = 0) -> "LogOdds":
        """From scores that are log odds but for a constant of each query; NaN is unknown."""
        known = np.isfinite(scores)
        n_known = np.maximum(known.sum(axis=1, keepdims=True), 1)
        filled = np.where(known, scores, 0).astype(np.float64)
        usual = filled.sum(axis=1, keepdims=True) / n_known
        return cls(np.where(known, filled - usual, 0), known, n_meant)

    def times(self, factor: Floats) -> "LogOdds":
        """The same, counted more or less: ``factor`` is ``(n_videos,)``."""
        return LogOdds(self.values * factor, self.known, self.n_meant)

    @property
    def doubt(self) -> Votes:
        """``(n_queries, 1)`` log of how many videos it could be."""
        n_known = self.known.sum(axis=1, keepdims=True)
        return np.log(np.maximum(n_known, max(self.n_meant, 1)))

    @property
    def is_convincing(self) -> Mask:
        """``(n_queries, n_videos)`` whether the evidence outweighs the doubt."""
        return np.asarray(self.known & (self.values > self.doubt))


def vote(
    parts: Sequence[LogOdds], *, fusion: Literal["evidence", "reciprocal"], rrf_k: int
) -> list[Votes]:
    """What each way of looking adds to the score of each video.

    Args:
        parts: of the same queries and videos.
        fusion: how; see above.
        rrf_k: k of reciprocal rank fusion.
    """
    if fusion == "reciprocal":
        return [1.0 / (rrf_k + _ranks(part)) for part in parts]
    return [np.logaddexp(0, part.values - part.doubt) for part in parts]


def deviation(scores: Floats, *, least: float, usual: float) -> Floats:
    """``(n_queries, 1)`` deviation of the noise: taken below the mean, where no match is.

    Args:
        scores: ``(n_queries, n_videos)``, NaN where unknown.
        least: deviation below which no noise is believed to be.
        usual: deviation where there are too few scores to tell (fewer than 10).
    """
    known = np.isfinite(scores)
    n_known = known.sum(axis=1, keepdims=True)
    filled = np.where(known, scores, 0).astype(np.float64)
    mean = filled.sum(axis=1, keepdims=True) / np.maximum(n_known, 1)
    below = known & (filled < mean)
    squares = np.where(below, (filled - mean) ** 2, 0).sum(axis=1, keepdims=True)
    found = np.sqrt(squares / np.maximum(below.sum(axis=1, keepdims=True), 1))
    return np.where(n_known >= 10, np.maximum(found, least), usual).astype(np.float32)


def _ranks(part: LogOdds) -> Votes:
    """``(n_queries, n_videos)`` ranks from 1; equal scores share one, unknown ones the middle."""
    # the unknown rank behind all others, so they shift nobody
    ranks = rankdata(np.where(part.known, -part.values, np.inf), axis=1)
    middle = (np.maximum(part.known.sum(axis=1, keepdims=True), 1) + 1) / 2
    return np.where(part.known, ranks, middle)
