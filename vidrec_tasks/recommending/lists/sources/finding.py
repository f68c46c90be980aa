"""Finding: the best of many videos for each user of a block, in the ways that sources share."""

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import Neighbours
from vidrec_tasks.recommending.lists.sources.source import Found

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def near(
    index: Neighbours | None, vectors: Floats, queries: Floats, allowed: Mask, n: int
) -> Found:
    """The nearest allowed vectors of each query; none for a query of zeros."""
    known = np.abs(queries).sum(axis=1) > 0
    if index is None:
        return top(queries @ vectors.T, allowed & known[:, None], n)
    # What may not be shown is searched past: up to four times as much is asked for.
    n_hidden = int((~allowed).sum(axis=1).max(initial=0))
    k = min(len(vectors), n + min(n_hidden, 3 * n))
    scores, nums = index.search(queries, k)
    good = (nums >= 0) & np.take_along_axis(allowed, np.maximum(nums, 0), axis=1) & known[:, None]
    return _first(scores, nums, good, n)


def _first(scores: Floats, nums: Ints, good: Mask, n: int) -> Found:
    """The first ``n`` good entries of each row, in order."""
    order = np.argsort(~good, axis=1, kind="stable")[:, :n]
    kept = np.take_along_axis(good, order, axis=1)
    return (
        np.where(kept, np.take_along_axis(scores, order, axis=1), -np.inf).astype(np.float32),
        np.where(kept, np.take_along_axis(nums, order, axis=1), -1),
    )


def top(scores: Floats, good: Mask, n: int) -> Found:
    """The ``n`` best good entries of each dense row; equal ones by video_num."""
    n = min(n, scores.shape[1])
    hidden = np.where(good, scores, -np.inf)
    if n < scores.shape[1]:
        some = np.sort(np.argpartition(-hidden, n - 1, axis=1)[:, :n], axis=1)
    else:
        some = np.broadcast_to(np.arange(n), hidden.shape)
    values = np.take_along_axis(hidden, some, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    nums = np.take_along_axis(some, order, axis=1)
    return values.astype(np.float32), np.where(np.isfinite(values), nums, -1).astype(np.int64)


def strongest(scores: Floats, allowed: Mask, n: int) -> Found:
    """The ``n`` largest positive entries of each row."""
    return top(scores, allowed & (scores > 0), n)


def best_of_all(scores: Floats, some: Mask, allowed: Mask, n: int) -> Found:
    """The ``n`` best allowed of some videos, by scores that are the same for everybody."""
    nums = np.flatnonzero(some)
    n_hidden = int((~allowed[:, nums]).sum(axis=1).max(initial=0))
    best = nums[np.argsort(-scores[nums], kind="stable")[: n + n_hidden]]  # equal ones by video_num
    shape = (len(allowed), len(best))
    mine = np.broadcast_to(best, shape)
    return _first(np.broadcast_to(scores[best], shape), mine, allowed[:, best], n)


def above(found: Found, min_score: float) -> Found:
    """What was found, without what scores less."""
    scores, nums = found
    return scores, np.where(scores >= min_score, nums, -1)
