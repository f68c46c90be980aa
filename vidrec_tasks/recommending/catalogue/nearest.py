"""Nearest: which few of very many videos are worth comparing with one, by vectors or by words.

What is found is then compared exactly; so an approximate search costs a neighbour, never a score.
"""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.content.index import build_index
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

CELLS: Final = 8_000_000
"""Scores held at once: 32 MB a matrix, whatever the size of the catalogue."""

MAX_CARRIERS: Final = 1_000
"""Videos a word may stand in to find others by: a commoner one tells nothing and finds all."""


EXACT_LIMIT: Final = 50_000
"""Vectors up to which each is compared with all: of 200,000 one pass had not ended after 15 minutes
of a core; inverted lists are built in one and make a pass in under four."""


class Nearest(Protocol):
    """Finds the nearest videos of some."""

    def of(self, nums: Ints, k: int) -> Ints:
        """``(n_nums, k)`` nearest first, without the video itself; -1 where there are no more."""


class NearestVectors:
    """By cosine of vectors: FAISS, exact or by inverted lists by their number.

    Args:
        rows: ``(n_videos, dim)`` unit rows, or zero rows, which are never found.
    """

    def __init__(self, rows: Floats) -> None:
        self._rows = rows
        settings = ContentSettings(index_exact_limit=EXACT_LIMIT)
        self._index = build_index(rows, settings, is_for_all=True)

    def of(self, nums: Ints, k: int) -> Ints:
        """See `Nearest`."""
        found = self._index.search(self._rows[nums], k + 1)[1]
        found[~self._rows[nums].any(axis=1)] = -1
        return without_itself(nums, found)


class NearestWords:
    """By cosine of sparse rows, over the words that few videos carry.

    Args:
        rows: ``(n_videos, n_terms)`` unit rows.
    """

    def __init__(self, rows: sp.csr_matrix) -> None:
        in_videos = np.bincount(rows.indices, minlength=rows.shape[1])
        is_telling = sp.diags((in_videos <= MAX_CARRIERS).astype(np.float32))
        self._rows = sp.csr_matrix(rows @ is_telling)
        self._rows.eliminate_zeros()
        self._columns = sp.csr_matrix(self._rows.T)
        # what a row of the product has cells at most: every carrier of each of its words
        self._n_cells = abs(self._rows.sign()) @ np.diff(self._columns.indptr)

    def of(self, nums: Ints, k: int) -> Ints:
        """See `Nearest`."""
        found = [np.empty((0, k + 1), dtype=np.int64)]
        for part in parts_of(nums, np.minimum(self._n_cells[nums], self._rows.shape[0])):
            found.append(strongest_of_rows(self._rows[part] @ self._columns, k + 1))
        return without_itself(nums, np.concatenate(found))


def parts_of(nums: Ints, n_cells: npt.NDArray[np.number]) -> list[Ints]:
    """Rows of a sparse matrix, in parts of about `CELLS` cells and at least a row.

    Args:
        nums: ``(n_nums,)``.
        n_cells: ``(n_nums,)`` cells that each row has at most.
    """
    turn = np.cumsum(n_cells) // CELLS
    return np.split(nums, np.flatnonzero(np.diff(turn)) + 1) if len(nums) else []


def without_itself(nums: Ints, found: Ints) -> Ints:
    """``(n, k)`` of found ``(n, k + 1)``: each row without its own video, else without its last."""
    is_own = found == nums[:, None]
    is_own[~is_own.any(axis=1), -1] = True
    return found[~is_own].reshape(len(nums), found.shape[1] - 1)


def strongest_of_rows(rows: sp.csr_matrix, k: int) -> Ints:
    """``(n, k)`` columns of each row's largest values, largest first; -1 where it has no more."""
    rows = sp.csr_matrix(rows)
    found = np.full((rows.shape[0], k), -1, dtype=np.int64)
    for num in range(rows.shape[0]):
        cells = slice(rows.indptr[num], rows.indptr[num + 1])
        order = np.lexsort((rows.indices[cells], -rows.data[cells]))[:k]
        found[num, : len(order)] = rows.indices[cells][order]
    return found


def each_once(nums: Ints) -> Ints:
    """``(n, m)`` the rows of nums in rising order, repeated ones and -1 as -1."""
    ordered = np.sort(nums, axis=1)
    ordered[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = -1
    return ordered
