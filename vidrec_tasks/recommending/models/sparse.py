"""Sparse item-item models: scores ``x B``, whatever fitted ``B``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp


@dataclass(frozen=True)
class SparseModel:
    """An item-item matrix; row: what was watched, column: what it speaks for.

    Attributes:
        matrix: ``(n_videos, n_videos)`` float32 CSR.
        kept: reads the same by column, where it was kept: turning it takes 2 s of a million videos.
    """

    matrix: sp.csr_matrix
    kept: Callable[[], sp.csc_matrix] | None = None

    def scores(
        self, query: sp.csr_matrix, nums: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.float32]:
        """Scores of weighted histories.

        Args:
            query: ``(n_users, n_videos)`` the histories.
            nums: ``(n_nums,)`` the videos that are scored, rising; None: all.

        Returns:
            ``(n_users, n_nums)``; the parts of a sum are added in the order of the history,
            whatever videos are asked for.
        """
        matrix = self.matrix if nums is None else self.columns(nums).tocsr()
        dense: npt.NDArray[np.float32] = (query @ matrix).toarray()
        return dense.astype(np.float32, copy=False)

    def columns(self, nums: npt.NDArray[np.int64]) -> sp.csc_matrix:
        """``(n_videos, n_nums)`` some columns: what speaks for these videos."""
        return sp.csc_matrix(self.by_column[:, nums])

    @cached_property
    def by_column(self) -> sp.csc_matrix:
        """``(n_videos, n_videos)`` the matrix, by what it speaks for."""
        return sp.csc_matrix(self.matrix) if self.kept is None else self.kept()

    @cached_property
    def row_lengths(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` how many videos each speaks for."""
        return np.diff(self.matrix.indptr).astype(np.int64)


def keep_strongest(dense: npt.NDArray[np.float32], n: int) -> sp.csr_matrix:
    """A dense matrix with only the ``n`` entries of largest size in each column."""
    n_rows, n_columns = dense.shape
    if n >= n_rows:
        return sp.csr_matrix(dense)
    rows = np.empty((n, n_columns), dtype=np.int64)
    for first in range(0, n_columns, 1_024):
        part = np.abs(dense[:, first : first + 1_024])
        rows[:, first : first + 1_024] = np.argpartition(-part, n - 1, axis=0)[:n]
    columns = np.broadcast_to(np.arange(n_columns), rows.shape)
    data = dense[rows, columns].ravel()
    shape = (n_rows, n_columns)
    return sp.csr_matrix((data, (rows.ravel(), columns.ravel())), shape=shape, dtype=np.float32)


def keep_strongest_of_rows(matrix: sp.csr_matrix, n: int) -> sp.csr_matrix:
    """A sparse matrix with only the ``n`` entries of largest size in each row.

    Of equal ones those of the first columns are kept. A row is what a watched video costs whoever
    watched it, so no row may be as long as the catalogue.
    """
    lengths = np.diff(matrix.indptr)
    if lengths.max(initial=0) <= n:
        return matrix
    matrix = sp.csr_matrix(matrix)
    matrix.sort_indices()
    rows = np.repeat(np.arange(matrix.shape[0]), lengths)
    order = np.lexsort((matrix.indices, -np.abs(matrix.data), rows))
    places = np.arange(len(rows)) - np.repeat(matrix.indptr[:-1], lengths)
    kept = np.sort(order[places < n])
    cells = (matrix.data[kept], (rows[kept], matrix.indices[kept]))
    return sp.csr_matrix(cells, shape=matrix.shape)


def pick(scores: sp.csr_matrix, nums: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The scores of some videos of each user, 0 where there is none.

    Args:
        scores: ``(n_users, n_videos)``.
        nums: ``(n_users, k)`` video_nums, -1 where a row is shorter.

    Returns:
        ``(n_users, k)`` float32.
    """
    picked = np.zeros(nums.shape, dtype=np.float32)
    row = np.zeros(scores.shape[1] + 1, dtype=np.float32)  # the last place answers for -1
    for user in np.flatnonzero(np.diff(scores.indptr)):
        part = slice(scores.indptr[user], scores.indptr[user + 1])
        row[scores.indices[part]] = scores.data[part]
        picked[user] = row[nums[user]]
        row[scores.indices[part]] = 0
    return picked
