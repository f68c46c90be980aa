"""Inverted lists: an approximate index of very many vectors, whose codes are a byte a dimension.

Where vectors are long, the lists hold their coordinates along the directions in which most of their
length lies (principal components), a quarter of the bytes that a search reads; what is found there
is put in order by codes of whole vectors. Jégou, Tavenard, Douze and Amsaleg, "Searching in one
billion vectors: re-rank with source coding" (2011).
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from vidrec_tasks.content.library import faiss_library, one_thread

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

REDUCED_DIMS: Final = 96
"""Coordinates in the lists. Of a million vectors with the spectrum of the embedded encoder's these
hold 85% of the squared length: at a recall of 0.954 of 200 a search took 2.3 ms, with whole vectors
in the lists 5.1 ms; 64 coordinates never reached that recall, 128 took 2.7 ms (one thread)."""
REDUCED_FROM: Final = 2 * REDUCED_DIMS
"""Dimensions from which vectors are reduced."""
LOOKED_AT: Final = 800
"""Vectors that are found by their coordinates and put in order by whole codes; twice as many as are
asked for, where that is more. It is half of the time of a search."""
TRAINING_PER_LIST: Final = 64
TRAINING_ROUNDS: Final = 10
"""Of k-means; half of the time of building inverted lists over a million vectors."""
ADDED_ROWS: Final = 65_536
"""Vectors that are copied at once, 100 MB of 384 dimensions."""
SIMD_DIMS: Final = 8
"""Dimensions that FAISS decodes at once; where their number is no multiple of it, each is decoded
alone: a search of 65 took four times as long as one of 72, seven of them zero."""


def build_lists(vectors: Floats, nums: Ints, seed: int, *, reduced: bool) -> Any:
    """Inverted lists over some rows; the same ones give the same bytes.

    Args:
        vectors: ``(n, dim)`` unit rows.
        nums: ``(n_indexed,)`` the rows that are indexed; their numbers are what a search finds.
        seed: of what is trained on and of k-means.
        reduced: whether the lists hold principal coordinates (`can_reduce`).
    """
    dim = padded_dim(vectors.shape[1])
    n_lists = max(int(4 * np.sqrt(len(nums))), 1)
    n_lists = min(n_lists, max(len(nums) // TRAINING_PER_LIST, 1))
    n_training = min(len(nums), n_lists * TRAINING_PER_LIST)
    drawn = np.random.default_rng(seed).choice(nums, n_training, replace=False)
    training = padded(vectors[np.sort(drawn)], dim)
    with one_thread(), threadpool_limits(1, "blas"):
        index = _reduced(training, n_lists, seed) if reduced else _lists(dim, n_lists, seed)
        index.train(training)
        for some in parts_of(nums):
            index.add_with_ids(padded(vectors[some], dim), some)
    return index


def parts_of(nums: Ints) -> Iterator[Ints]:
    """Numbers of rows, some at a time: a copy of all of these is as large as an index."""
    return (nums[first : first + ADDED_ROWS] for first in range(0, len(nums), ADDED_ROWS))


def can_reduce(dim: int) -> bool:
    """Whether vectors are so long that coordinates are worth it."""
    return dim >= REDUCED_FROM


def probe(index: Any, share: float) -> None:
    """Let a search look at a share of the lists: FAISS keeps it not in all its formats."""
    lists = _lists_of(index)
    lists.nprobe = max(int(share * lists.nlist), 1)


def n_coordinates(index: Any) -> int:
    """How many numbers of a vector the lists hold."""
    return int(_lists_of(index).d)


def how(index: Any, k: int, among: npt.NDArray[np.uint8] | None = None) -> Any:
    """The parameters of a search.

    Args:
        index: of `build_lists`.
        k: how many are asked for.
        among: ``(ceil(n / 8),)`` bits by row number, the first of eight the lowest: nothing else is
            found; None: everything.
    """
    faiss = faiss_library()
    is_reduced = isinstance(index, faiss.IndexIDMap)
    chosen = None
    if among is not None:
        bits = _of_places(index, among) if is_reduced else among
        chosen = faiss.IDSelectorBitmap(np.ascontiguousarray(bits))
    lists = faiss.SearchParametersIVF(sel=chosen, nprobe=_lists_of(index).nprobe)
    if not is_reduced:
        return lists
    return faiss.IndexRefineSearchParameters(
        k_factor=max(2.0, LOOKED_AT / k),
        base_index_params=faiss.SearchParametersPreTransform(index_params=lists),
    )


def _of_places(index: Any, among: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Bits by row number as bits by place: the lists know a row by its place."""
    if index.id_map.at(index.ntotal - 1) == index.ntotal - 1:  # numbers rise: no row is left out
        return among
    places = faiss_library().vector_to_array(index.id_map)
    return np.packbits(np.unpackbits(among, bitorder="little")[places], bitorder="little")


def padded_dim(dim: int) -> int:
    """The next number of dimensions that are decoded at once."""
    return dim + -dim % SIMD_DIMS


def padded(vectors: Floats, dim: int) -> Floats:
    """The vectors with as many zeros behind as make ``dim``: no product changes."""
    lacking = dim - vectors.shape[1]
    return np.pad(vectors, ((0, 0), (0, lacking))) if lacking else vectors


def _lists(dim: int, n_lists: int, seed: int) -> Any:
    faiss = faiss_library()
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, n_lists, faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )  # fmt: skip
    index.cp.seed, index.cp.niter = seed, TRAINING_ROUNDS
    return index


def _reduced(training: Floats, n_lists: int, seed: int) -> Any:
    """Lists of coordinates, before codes of whole vectors, before the numbers of rows."""
    faiss = faiss_library()
    dim = training.shape[1]
    # directions from zero, not from the mean: it is products that shall be kept
    squares = np.zeros((dim, dim))
    for first in range(0, len(training), ADDED_ROWS):
        some = training[first : first + ADDED_ROWS].astype(np.float64)
        squares += some.T @ some
    directions = np.linalg.eigh(squares)[1][:, ::-1]  # the longest first
    kept = np.ascontiguousarray(directions[:, :REDUCED_DIMS].T, dtype=np.float32)
    onto = faiss.LinearTransform(dim, REDUCED_DIMS, False)
    faiss.copy_array_to_vector(kept.ravel(), onto.A)
    onto.is_trained = True
    coordinates = faiss.IndexPreTransform(onto, _lists(REDUCED_DIMS, n_lists, seed))
    codes = faiss.IndexScalarQuantizer(
        dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    return faiss.IndexIDMap(faiss.IndexRefine(coordinates, codes))


def _lists_of(index: Any) -> Any:
    """The inverted lists in an index of `build_lists`."""
    faiss = faiss_library()
    if isinstance(index, faiss.IndexIDMap):
        refined = faiss.downcast_index(index.index)
        index = faiss.downcast_index(faiss.downcast_index(refined.base_index).index)
    return index
