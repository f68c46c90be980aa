"""Fusion: one order out of several scores that cannot be compared.

Reciprocal rank fusion: Cormack, Clarke and Büttcher (2009). A video that a scorer knows nothing of
gets that scorer's middle rank: neither a vote for nor against it. So the few videos with frames do
not lead every list merely for having frames.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float32]
Votes = npt.NDArray[np.float64]


def vote(scores: Sequence[Floats], *, rrf_k: int) -> list[Votes]:
    """The vote of each scorer for each video; their sum orders the videos.

    Args:
        scores: ``(n_queries, n_videos)`` each, higher is better, NaN where nothing is known.
        rrf_k: k of the fusion.
    """
    return [1.0 / (rrf_k + _ranks(part)) for part in scores]


def stands_out(scores: Floats) -> npt.NDArray[np.bool_]:
    """Whether a score is more than noise among the scores of its query.

    Above the median by more than ``sqrt(2 ln n)`` deviations, which the largest of ``n`` draws of
    noise does not reach (the universal threshold; Donoho and Johnstone, 1994). The deviation is
    taken from the lower half, which holds no matches.
    """
    known = np.isfinite(scores)
    n_known = np.maximum(known.sum(axis=1, keepdims=True), 1)
    filled = np.where(known, scores, np.nan)
    filled[~known.any(axis=1)] = 0
    middle = np.nanmedian(filled, axis=1, keepdims=True)
    below = np.where(filled <= middle, middle - filled, np.nan)
    # 1.4826: the median of absolute deviations times this is the deviation of a normal law
    deviation = 1.4826 * np.nanmedian(below, axis=1, keepdims=True)
    bound = middle + np.sqrt(2 * np.log(n_known)) * deviation
    return np.asarray(known & (filled > bound) & (filled > 0))


def _ranks(scores: Floats) -> Votes:
    """``(n_queries, n_videos)`` ranks from 1; equal scores share one, unknown ones the middle."""
    known = np.isfinite(scores)
    # the unknown rank behind all others, so they shift nobody
    ranks = rankdata(np.where(known, -scores.astype(np.float64), np.inf), axis=1)
    middle = (np.maximum(known.sum(axis=1, keepdims=True), 1) + 1) / 2
    return np.where(known, ranks, middle)
