"""Units: vectors scaled to length 1, so that a product of two is their cosine; weighted sums."""

import os
from collections.abc import Container, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vidrec_tasks.hardware import release_pages

_BLOCK: Final = 65_536
"""Vectors that are held in float64 at once: 200 MB of 384 dimensions."""
_SPREAD: Final = 2_048
"""Rows of a file that are looked at before its pages are given back."""
_LARGE: Final = 1 << 29
"""Bytes from which rows are read from the file: a smaller one may lie in memory as a whole."""


def to_unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Rows ``(n, dim)`` scaled to length 1; a zero row, which says nothing, stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return scaled.astype(np.float32)


def by_row(
    rows: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """``rows @ matrix`` a row at a time: each has one product, whatever rows it comes with.

    Args:
        rows: ``(n, dim)``, few.
        matrix: ``(dim, m)``.

    Returns:
        ``(n, m)`` float32.
    """
    made = np.empty((len(rows), matrix.shape[1]), dtype=np.float32)
    for num in range(len(rows)):
        made[num] = rows[num] @ matrix
    return made


def summed(
    weights: sparse.csr_array | sparse.csc_array | sparse.csr_matrix,
    vectors: npt.NDArray[np.float32],
) -> npt.NDArray[np.float64]:
    """``weights @ vectors`` in float64, which reads those vectors alone that have a weight.

    The product of SciPy would make a float64 copy of all of them: 3 GB of a million.

    Args:
        weights: ``(m, n)`` sparse.
        vectors: ``(n, dim)``.

    Returns:
        ``(m, dim)`` float64.
    """
    if weights.format == "csc":
        taken, used = weights, np.flatnonzero(np.diff(weights.indptr))
        columns = used
    else:
        # of those alone that are used: to put a million columns in order took 1 ms a user
        used, places = np.unique(weights.indices, return_inverse=True)
        shape = (weights.shape[0], len(used))
        taken = sparse.csr_array((weights.data.copy(), places, weights.indptr), shape=shape)
        taken.sort_indices()  # a sum is added in the order of the columns
        columns = np.arange(len(used))
    total = np.zeros((weights.shape[0], vectors.shape[1]))
    for first in range(0, len(used), _BLOCK):
        some = slice(first, first + _BLOCK)
        part = taken[:, columns[some]].tocsr().astype(np.float64)
        total += part @ spread_rows(vectors, used[some]).astype(np.float64)
    release_pages(vectors)
    return total


def rows_with_content(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """``(n,)`` the numbers of the rows that are not zero, a block looked at after the other."""
    found = [np.empty(0, dtype=np.int64)]
    for first in range(0, len(vectors), _BLOCK):
        found.append(first + np.flatnonzero(vectors[first : first + _BLOCK].any(axis=1)))
        release_pages(vectors)
    return np.concatenate(found)


def asked_rows(
    video_ids: Sequence[str],
    vectors: npt.NDArray[np.float32],
    known: npt.NDArray[np.int64],
    only: Container[str] | None,
) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """The vectors of the videos that will be asked for one by one, and where each stands.

    Args:
        video_ids: ``(n,)``.
        vectors: ``(n, dim)``.
        known: ``(n_known,)`` the rows that are not zero: no others are given.
        only: the videos that will be asked for; None: any.

    Returns:
        ``video_id -> row``, and ``(n_rows, dim)``: those alone, or all of them where any may be
        asked for.
    """
    ids = ((str(video_ids[row]), row) for row in known.tolist())
    if only is None:
        return dict(ids), vectors
    asked = [(name, row) for name, row in ids if name in only]
    rows = np.array([row for _, row in asked], dtype=np.int64)
    return {name: place for place, (name, _) in enumerate(asked)}, spread_rows(vectors, rows)


def spread_rows(
    vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """``vectors[nums]`` of rows all over a file, of which a part is held at a time.

    Of a mapped file a page that is looked at brings its neighbours: 20,000 rows brought all of a
    million. So the rows of a large one are read from the file itself, in the same time, or a part
    after the other where it has gone meanwhile.

    Args:
        vectors: ``(n, dim)``, only read: what was written to a mapped file's pages is not seen.
        nums: ``(m,)``.

    Returns:
        ``(m, dim)`` float32.

    Raises:
        IndexError: there is no such row.
    """
    mapped = _mapped(vectors)
    if mapped is None or vectors.nbytes < _LARGE:
        return vectors[nums]
    nums = nums.astype(np.int64)  # a sparse matrix counts in four bytes, which no place fits in
    if (read := _read_rows(vectors, mapped, nums)) is not None:
        return read
    made = np.empty((len(nums), vectors.shape[1]), dtype=np.float32)
    order = np.argsort(nums, kind="stable")
    for first in range(0, len(order), _SPREAD):
        some = order[first : first + _SPREAD]
        made[some] = vectors[nums[some]]
        release_pages(vectors)
    return made


def _read_rows(
    vectors: npt.NDArray[np.float32], mapped: np.memmap, nums: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32] | None:
    """Rows of a mapped file, read from it; None where that cannot be."""
    if not vectors.flags.c_contiguous or not vectors.dtype == mapped.dtype == np.float32:
        return None
    if ((nums < 0) | (nums >= len(vectors))).any():
        return None
    begin = mapped.offset + vectors.ctypes.data - mapped.ctypes.data
    made = np.empty((len(nums), vectors.shape[1]), dtype=np.float32)
    size = vectors.strides[0]
    into: Any = memoryview(made.view(np.uint8).reshape(-1))  # type: ignore[arg-type]
    try:
        with open(str(mapped.filename), "rb", buffering=0) as file:
            number = file.fileno()
            if os.fstat(number).st_size != mapped.offset + mapped.nbytes:
                return None  # another file has taken its name
            for row, at in enumerate((begin + nums * size).tolist()):
                if os.preadv(number, (into[row * size : (row + 1) * size],), at) != size:
                    return None
    except (OSError, AttributeError):  # gone, or a system without such reads
        return None
    return made


def _mapped(vectors: npt.NDArray[np.float32]) -> np.memmap | None:
    """The whole mapped file that the vectors lie in."""
    found: np.memmap | None = None
    base: Any = vectors
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.filename:
            found = base  # of a part, the last one is the whole: the place of a part is not kept
        base = base.base
    return found
