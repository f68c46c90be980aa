"""The content index: the nearest vectors of a query, exact while that is cheap, checked when not.

An approximate index (HNSW, or inverted lists with scalar quantisation) is measured against exact
search as it is built, looks as far as the recall that is asked for needs, and is given up when it
finds too little.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.units import rows_with_content
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import StoreError
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

HNSW_LIMIT: Final = 500_000
"""Vectors up to which HNSW is built; it takes 4 bytes a dimension and 256 for links a vector, so
0.9 GB at 384 dimensions there, beside the vectors themselves. Beyond, inverted lists hold a byte a
dimension, so that a process at a million videos stays under 3 GiB."""

HNSW_LINKS: Final = 32
EF_CONSTRUCTION: Final = 200
EF_SEARCH: Final = 400
TRAINING_PER_LIST: Final = 64
ADDED_ROWS: Final = 65_536
"""Vectors that are copied at once into inverted lists."""
PROBED_SHARES: Final = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1)
"""Of the inverted lists, those that a search may probe: the first that finds enough."""
K_MEASURED: Final = 200
N_MEASURED: Final = 256
N_MIXED: Final = 5
"""Rows between which a measured query lies, as a user's profile does; others are rows."""
BLAS_FROM: Final = 20
"""Queries at once from which FAISS multiplies matrices. FAISS 1.15 sets 128,000, below which it
takes one product of two vectors after the other: over 200,000 vectors of 384 dimensions and 128
queries that took six to nine times as long on one thread."""
BLAS_ROWS: Final = 4_096
"""Vectors of such a product; FAISS sets 1,024, which took half as long again."""
SIMD_DIMS: Final = 8
"""Dimensions that FAISS decodes at once; where their number is no multiple of it, each is decoded
alone: a search of 65 took four times as long as one of 72, seven of them zero."""
SCORE_DIGITS: Final = 6
TRAINING_ROUNDS: Final = 10
"""Of k-means; half of the time of building inverted lists over a million vectors."""
SEED: Final = 1_234
"""Of the sample that an index is trained and measured on; the setting `seed` is for models, and a
change of it builds no other index."""


@dataclass(frozen=True)
class Index:
    """Vectors that can be searched; a row number of the vectors is the number found.

    Attributes:
        info: kind (exact, hnsw or ivf_sq), n, n_indexed (rows that are not zero), dim, recall (@200
            against exact search; 1.0 for exact), checksum (of the vectors), bytes.
    """

    info: dict[str, Any]
    _faiss: Any

    def search(
        self,
        queries: npt.NDArray[np.float32],
        k: int,
        *,
        among: npt.NDArray[np.uint8] | None = None,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The nearest rows.

        Args:
            queries: ``(m, d)`` unit rows.
            k: how many.
            among: ``(ceil(n / 8),)`` bits, the first of eight the lowest: no others are found.

        Returns:
            Scores ``(m, k)`` float32 (cosines to 6 digits, falling; equal ones by number) and
            numbers ``(m, k)`` int64; where there are fewer than ``k`` rows, -inf and -1. Zero rows
            are never found.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if not len(queries) or not self.info["n_indexed"] or k < 1:
            shape = (len(queries), max(k, 0))
            return np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64)
        if among is not None:
            only = self._only(among)
            return _in_order(*_search(self._faiss, queries, k, params=only))
        if self.info["kind"] != "exact":
            return _in_order(*_search(self._faiss, queries, k))
        scores, nums = _in_order(*self._faiss.search(queries, k + 1))
        for row in np.flatnonzero((nums[:, k] >= 0) & (scores[:, k - 1] == scores[:, k])):
            scores[row, :k], nums[row, :k] = self._lowest_of_equals(queries[row], k)
        return scores[:, :k], nums[:, :k]

    def _only(self, among: npt.NDArray[np.uint8]) -> Any:
        """Search parameters that let nothing else be found; as wide as usual."""
        library: Any = _faiss()  # its stubs do not know what Python adds to these
        chosen = library.IDSelectorBitmap(np.ascontiguousarray(among))
        if self.info["kind"] == "hnsw":
            return library.SearchParametersHNSW(sel=chosen, efSearch=EF_SEARCH)
        if self.info["kind"] == "ivf_sq":
            return library.SearchParametersIVF(sel=chosen, nprobe=self._faiss.nprobe)
        return library.SearchParameters(sel=chosen)

    def _lowest_of_equals(
        self, query: npt.NDArray[np.float32], k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The answer to one query whose last place is shared: FAISS keeps any of the equals."""
        faiss = _faiss()
        flat: Any = faiss.downcast_index(self._faiss.index)
        rows = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
        nums = faiss.vector_to_array(self._faiss.id_map)
        scores, nums = _in_order((rows @ query)[None, :], nums[None, :])
        return scores[0, :k], nums[0, :k]

    def to_bytes(self) -> bytes:
        """The index as bytes; the same vectors give the same bytes."""
        faiss = _faiss()
        return bytes(faiss.serialize_index(self._faiss).tobytes())

    @classmethod
    def from_parts(cls, parts: Parts) -> "Index":
        """The index of an artefact, whose ``index`` and ``info`` a job wrote.

        Raises:
            StoreError: as of `from_stream`.
        """
        with parts.stream("index") as stream:
            return cls.from_stream(stream, parts.json("info"))

    @staticmethod
    def from_stream(stream: BinaryIO, info: dict[str, Any]) -> "Index":
        """The index whose `to_bytes` are read from a stream, a piece at a time.

        Raises:
            StoreError: the bytes are not an index, or not the one that ``info`` tells of.
        """
        faiss = _faiss()
        try:
            found = faiss.read_index(faiss.PyCallbackIOReader(stream.read))
        except (RuntimeError, OSError) as error:
            message = "content index: its bytes are not an index; run build_content_index"
            raise StoreError(message) from error
        padded = info["dim"] + _n_zeros(info["dim"])
        if found.ntotal != info["n_indexed"] or found.d not in (info["dim"], padded):
            message = (
                f"content index: holds {found.ntotal:,} vectors of {found.d} dimensions, its info "
                f"says {info['n_indexed']:,} of {info['dim']}; run build_content_index again"
            )
            raise StoreError(message)
        _search_wide(found, info.get("probed_share", PROBED_SHARES[-1]))
        return Index(dict(info), found)


def build_index(vectors: npt.NDArray[np.float32], settings: ContentSettings) -> Index:
    """Index vectors for search by cosine.

    Args:
        vectors: ``(n, d)`` float32 unit rows, or zero rows, which are not indexed.
        settings: the number up to which search is exact, and the recall asked of the rest.

    Returns:
        HNSW (Malkov and Yashunin, 2018) or IVF with 8-bit scalar quantisation (Jégou et al., 2011)
        where there are many vectors, exact where there are few or where recall@200 is too low: that
        of rows, or that of queries which lie between rows.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    nums = rows_with_content(vectors)
    if len(nums) <= settings.index_exact_limit:
        return _finish(vectors, nums, "exact", _exact(vectors, nums), 1.0)
    kind = "hnsw" if len(nums) <= HNSW_LIMIT else "ivf_sq"
    built = _hnsw(vectors, nums) if kind == "hnsw" else _ivf(vectors, nums)
    exact = _exact(vectors, nums)
    measured = _Measured.of(exact, vectors, nums)
    said: dict[str, float] = {}
    if kind == "hnsw":
        recall = measured.recall(built)
    else:
        recall, said = _probe_enough(built, measured, settings.min_index_recall)
    if recall < settings.min_index_recall:
        log.warning(
            "content index: %s finds %.3f of the true 200 neighbours (%.3f asked); exact search "
            "of %d vectors instead", kind, recall, settings.min_index_recall, len(nums),
        )  # fmt: skip
        refused = {"kind": kind, "recall": round(recall, 4)}
        return _finish(vectors, nums, "exact", exact, 1.0, {"refused": refused})
    return _finish(vectors, nums, kind, built, recall, said)


def checksum_of(vectors: npt.NDArray[np.float32]) -> str:
    """20 hex digits of the hash of vectors, their shape included."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    digest = hashlib.sha256(str(vectors.shape).encode())
    digest.update(vectors.tobytes())
    return digest.hexdigest()[:20]


def _finish(
    vectors: npt.NDArray[np.float32],
    nums: npt.NDArray[np.int64],
    kind: str,
    built: Any,
    recall: float,
    more: Mapping[str, Any] | None = None,
) -> Index:
    info: dict[str, Any] = {
        "kind": kind,
        "n": len(vectors),
        "n_indexed": len(nums),
        "dim": int(vectors.shape[1]),
        "recall": round(recall, 4),
        "checksum": checksum_of(vectors),
        **(more or {}),
    }
    index = Index(info, built)
    info["bytes"] = len(index.to_bytes())
    return index


def _exact(vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> Any:
    faiss = _faiss()
    index = faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
    if len(nums):
        index.add_with_ids(vectors[nums], nums)
    return index


def _hnsw(vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> Any:
    faiss = _faiss()
    graph = faiss.IndexHNSWFlat(vectors.shape[1], HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = EF_CONSTRUCTION
    graph.hnsw.efSearch = EF_SEARCH
    index = faiss.IndexIDMap(graph)
    with _one_thread():  # links depend on the order of insertion, and that on the threads
        index.add_with_ids(vectors[nums], nums)
    return index


def _ivf(vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> Any:
    faiss = _faiss()
    dim = vectors.shape[1] + _n_zeros(vectors.shape[1])
    n_lists = max(int(4 * np.sqrt(len(nums))), 1)
    n_lists = min(n_lists, max(len(nums) // TRAINING_PER_LIST, 1))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, n_lists, faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )  # fmt: skip
    index.cp.seed, index.cp.niter = SEED, TRAINING_ROUNDS
    n_training = min(len(nums), n_lists * TRAINING_PER_LIST)
    drawn = np.random.default_rng(SEED).choice(nums, n_training, replace=False)
    with _one_thread():
        index.train(_padded(vectors[np.sort(drawn)], dim))
        for first in range(0, len(nums), ADDED_ROWS):
            some = nums[first : first + ADDED_ROWS]
            index.add_with_ids(_padded(vectors[some], dim), some)
    return index


def _n_zeros(dim: int) -> int:
    """How many make it a multiple of what is decoded at once."""
    return -dim % SIMD_DIMS


def _padded(vectors: npt.NDArray[np.float32], dim: int) -> npt.NDArray[np.float32]:
    """The vectors with as many zeros behind as make ``dim``: no product changes."""
    lacking = dim - vectors.shape[1]
    return np.pad(vectors, ((0, 0), (0, lacking))) if lacking else vectors


def _search(index: Any, queries: npt.NDArray[np.float32], k: int, **how: Any) -> Any:
    """Scores and numbers as FAISS gives them."""
    return index.search(_padded(queries, index.d), k, **how)


def _search_wide(index: Any, probed_share: float) -> None:
    """How far an approximate index looks: not kept by FAISS in all its formats, so set again."""
    faiss = _faiss()
    inner = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index
    if isinstance(inner, faiss.IndexHNSW):
        inner.hnsw.efSearch = EF_SEARCH
    if isinstance(inner, faiss.IndexIVF):
        inner.nprobe = max(int(probed_share * inner.nlist), 1)


@dataclass(frozen=True)
class _Measured:
    """Queries of two kinds and their true nearest rows: rows themselves, and what lies between.

    Attributes:
        queries: of each kind, ``(n, d)``.
        true: of each kind, ``(n, k)`` the nearest rows.
    """

    queries: tuple[npt.NDArray[np.float32], ...]
    true: tuple[npt.NDArray[np.int64], ...]

    @classmethod
    def of(
        cls, exact: Any, vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]
    ) -> "_Measured":
        rng = np.random.default_rng(SEED)
        rows = vectors[rng.choice(nums, min(N_MEASURED, len(nums)), replace=False)]
        mixed = vectors[rng.choice(nums, (N_MEASURED, N_MIXED))].mean(axis=1)
        length = np.linalg.norm(mixed, axis=1, keepdims=True)
        queries = rows, (mixed / np.where(length > 0, length, 1.0)).astype(np.float32)
        k = min(K_MEASURED, len(nums))
        return cls(queries, tuple(exact.search(some, k)[1] for some in queries))

    def recall(self, built: Any) -> float:
        """Share of the true rows that are found, of the kind of query of which it is lower."""
        k = self.true[0].shape[1]
        return min(
            _share_found(_search(built, some, k)[1], true)
            for some, true in zip(self.queries, self.true, strict=True)
        )


def _share_found(found: npt.NDArray[np.int64], true: npt.NDArray[np.int64]) -> float:
    shares = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, true, strict=True)]
    return float(np.mean(shares))


def _probe_enough(built: Any, measured: _Measured, wanted: float) -> tuple[float, dict[str, float]]:
    """Let inverted lists probe the first share that reaches a recall, or the last; returns both."""
    recall = 0.0
    for share in PROBED_SHARES:
        _search_wide(built, share)
        recall = measured.recall(built)
        if recall >= wanted:
            break
    return recall, {"probed_share": share}


def _faiss() -> Any:
    """FAISS, told to multiply matrices where several queries come at once."""
    import faiss

    faiss.cvar.distance_compute_blas_threshold = BLAS_FROM
    faiss.cvar.distance_compute_blas_database_bs = BLAS_ROWS
    return faiss


def _in_order(
    scores: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """By score, then number. Beyond the sixth digit the order of a sum decides, not the vectors."""
    nums = nums.astype(np.int64)
    is_none = nums < 0
    scores = np.round(np.where(is_none, 0.0, scores), SCORE_DIGITS).astype(np.float32)
    scores[is_none] = -np.inf
    # FAISS sorts already; ordering every row again was a sixth of a search over 5,000 videos
    rows = np.flatnonzero((scores[:, 1:] >= scores[:, :-1]).any(axis=1))
    last = np.where(nums[rows] < 0, np.iinfo(np.int64).max, nums[rows])
    order = np.lexsort((last, -scores[rows]), axis=1)
    scores[rows] = np.take_along_axis(scores[rows], order, axis=1)
    nums[rows] = np.take_along_axis(nums[rows], order, axis=1)
    return scores, nums


class _one_thread:
    """FAISS on one thread for as long as this lasts."""

    def __enter__(self) -> None:
        faiss = _faiss()
        self._n = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        faiss = _faiss()
        faiss.omp_set_num_threads(self._n)
