"""Touching: what item-item models say of the videos that a history touches, and of no others.

A score is ``x B`` and what new videos take from their neighbours (`lending`). The rows of ``B`` are
inverted lists over what a user watched, so the work follows from the history, whatever the size of
the catalogue. Nothing here is as large as users times videos.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.spans import spans
from vidrec_tasks.recommending.models.sparse import SparseModel

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MOST_CELLS = 8_000_000
"""Scores of touched videos held at once: 64 MB."""


def touched(model: SparseModel, query: sp.csr_matrix) -> Iterator[tuple[slice, sp.csr_matrix]]:
    """Yield the scores of what histories touch, as many users at a time as can be held.

    Args:
        model: what scores.
        query: ``(n_users, n_videos)`` weighted histories.

    Yields:
        Users, and ``(n_some_users, n_videos)`` their scores. The parts of a sum are added in the
        order of the history, so that a score does not depend on who else is asked for.
    """
    users = np.repeat(np.arange(query.shape[0]), np.diff(query.indptr))
    reach = np.bincount(users, model.row_lengths[query.indices], minlength=query.shape[0])
    reach = np.minimum(reach, query.shape[1])
    parts = np.cumsum(reach) // MOST_CELLS
    borders = [0, *(1 + np.flatnonzero(np.diff(parts))).tolist(), query.shape[0]]
    for first, end in pairwise(borders):
        if end > first:
            yield slice(first, end), sp.csr_matrix(query[first:end] @ model.matrix)


def picked(own: sp.csr_matrix, lent: SparseModel, nums: Ints) -> Floats:
    """The scores of some videos of each user, with what new ones among them take.

    Args:
        own: ``(n_users, n_videos)`` as of `touched`.
        lent: which known videos a hardly known one takes from.
        nums: ``(n_users, k)`` video_nums, -1 where a row is shorter.

    Returns:
        ``(n_users, k)`` float32; 0 at -1.
    """
    n_users, k = nums.shape
    matrix = lent.by_column
    flat = np.maximum(nums.ravel(), 0)
    starts = matrix.indptr[flat].astype(np.int64)
    lengths = np.where(nums.ravel() >= 0, matrix.indptr[flat + 1] - starts, 0)
    cells = spans(starts, lengths)  # of all lenders of all pairs, by user
    lenders, shares = matrix.indices[cells], matrix.data[cells]
    borders = np.concatenate([[0], np.cumsum(lengths.reshape(n_users, k).sum(axis=1))])
    found = np.zeros((n_users, k), dtype=np.float32)
    held = np.zeros(len(lenders), dtype=np.float32)
    row = np.zeros(own.shape[1] + 1, dtype=np.float32)  # the last place answers for -1
    for user in range(n_users):
        part = slice(own.indptr[user], own.indptr[user + 1])
        row[own.indices[part]] = own.data[part]
        found[user] = row[nums[user]]
        mine = slice(borders[user], borders[user + 1])
        held[mine] = row[lenders[mine]]
        row[own.indices[part]] = 0
    pairs = np.repeat(np.arange(len(flat)), lengths)
    taken = np.bincount(pairs, held * shares, minlength=len(flat)).reshape(nums.shape)
    return np.asarray(found + taken.astype(np.float32), dtype=np.float32)
