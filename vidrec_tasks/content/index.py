"""The content index: the nearest vectors of a query, exact while that is cheap, checked when not.

An approximate index (HNSW, or inverted lists with scalar quantisation) is measured against exact
search as it is built, looks as far as the recall that is asked for needs, and is given up when it
finds too little.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.units import rows_with_content
from vidrec_tasks.content.inverted import (
    build_lists,
    can_reduce,
    how,
    n_coordinates,
    padded,
    padded_dim,
    parts_of,
    probe,
)
from vidrec_tasks.content.library import faiss_library, one_thread
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.contracts.poured import Poured, Write
from vidrec_tasks.errors import StoreError
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

HNSW_LIMIT: Final = 500_000
"""Vectors up to which HNSW is built; it takes 4 bytes a dimension and 256 for links a vector, so
0.9 GB at 384 dimensions there, beside the vectors themselves. Beyond, inverted lists hold a byte a
dimension and a quarter more in coordinates, so that a process at a million videos stays under 3
GiB."""

HNSW_LINKS: Final = 32
EF_CONSTRUCTION: Final = 200
EF_SEARCH: Final = 400
PROBED_SHARES: Final = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1)
"""Of the inverted lists, those that a search may probe: the first that finds enough."""
K_MEASURED: Final = 200
N_MEASURED: Final = 256
N_MIXED: Final = 5
"""Rows between which a measured query lies, as a user's profile does; others are rows."""
SCORE_DIGITS: Final = 6
TIED_AT_ONCE: Final = 16
"""Queries whose last place is shared that are compared with all rows at once."""
SEED: Final = 1_234
"""Of the sample that an index is trained and measured on; the setting `seed` is for models, and a
change of it builds no other index."""


@dataclass(frozen=True)
class Index:
    """Vectors that can be searched; a row number of the vectors is the number found.

    Attributes:
        info: kind (exact, hnsw or ivf_sq), n, n_indexed (rows that are not zero), dim, recall (@200
            against exact search; 1.0 for exact), checksum (of the vectors), bytes. Of inverted
            lists also probed_share and coordinates (numbers of a vector in the lists; of whole
            vectors dim). Where indexes found too little: refused, what they were.
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
        if among is not None or self.info["kind"] != "exact":
            return _in_order(*_search(self.info["kind"], self._faiss, queries, k, among))
        scores, nums = _in_order(*self._faiss.search(queries, k + 1))
        tied = np.flatnonzero((nums[:, k] >= 0) & (scores[:, k - 1] == scores[:, k]))
        for first in range(0, len(tied), TIED_AT_ONCE):
            some = tied[first : first + TIED_AT_ONCE]
            scores[some, :k], nums[some, :k] = self._lowest_of_equals(queries[some], k)
        return scores[:, :k], nums[:, :k]

    def _lowest_of_equals(
        self, queries: npt.NDArray[np.float32], k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """The answers to queries whose last place is shared: FAISS keeps any of the equals."""
        faiss = faiss_library()
        flat: Any = faiss.downcast_index(self._faiss.index)
        rows = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
        ids = faiss.vector_to_array(self._faiss.id_map)
        products = np.round(queries @ rows.T, SCORE_DIGITS)
        least = np.partition(products, products.shape[1] - k, axis=1)[:, -k]
        scores = np.empty((len(queries), k), dtype=np.float32)
        nums = np.empty((len(queries), k), dtype=np.int64)
        for place, row in enumerate(products):  # few reach the last place, of all rows
            near = np.flatnonzero(row >= least[place])
            order = near[np.lexsort((ids[near], -row[near]))[:k]]
            scores[place], nums[place] = row[order], ids[order]
        return scores, nums

    def poured(self) -> Poured:
        """The index as bytes; the same vectors give the same ones."""
        return Poured(self.info["bytes"], partial(_pour, self._faiss))

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
        """The index whose bytes, those of `poured`, are read from a stream, a piece at a time.

        Raises:
            StoreError: the bytes are not an index, or not the one that ``info`` tells of.
        """
        faiss = faiss_library()
        try:
            found = faiss.read_index(faiss.PyCallbackIOReader(stream.read))
        except (RuntimeError, OSError) as error:
            message = "content index: its bytes are not an index; run build_content_index"
            raise StoreError(message) from error
        dims = info["dim"], padded_dim(info["dim"])
        if found.ntotal != info["n_indexed"] or found.d not in dims:
            message = (
                f"content index: holds {found.ntotal:,} vectors of {found.d} dimensions, its info "
                f"says {info['n_indexed']:,} of {info['dim']}; run build_content_index again"
            )
            raise StoreError(message)
        try:
            if info["kind"] == "ivf_sq":
                probe(found, info.get("probed_share", PROBED_SHARES[-1]))
            elif info["kind"] == "hnsw":  # not kept by FAISS in all its formats, so set again
                faiss.downcast_index(found.index).hnsw.efSearch = EF_SEARCH
        except AttributeError as error:
            message = (
                f"content index: is an {type(found).__name__}, its info says {info['kind']}; run "
                "build_content_index again"
            )
            raise StoreError(message) from error
        return Index(dict(info), found)


def build_index(
    vectors: npt.NDArray[np.float32], settings: ContentSettings, *, is_for_all: bool = False
) -> Index:
    """Index vectors for search by cosine.

    Args:
        vectors: ``(n, d)`` float32 unit rows, or zero rows, which are not indexed.
        settings: the number up to which search is exact, and the recall asked of the rest.
        is_for_all: whether every vector will be asked for, once or twice: inverted lists are built
            in place of a graph, which takes longer to build than they take to be asked.

    Returns:
        HNSW (Malkov and Yashunin, 2018) where there are many vectors; where there are very many
        inverted lists with 8-bit codes (Jégou et al., 2011), of coordinates where vectors are long
        (`inverted`) and of whole vectors where these find too little. Exact where there are few, or
        where recall@200 is too low: that of rows, or that of queries which lie between rows.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    nums = rows_with_content(vectors)
    if len(nums) <= settings.index_exact_limit:
        return _finish(vectors, nums, "exact", _exact(vectors, nums), 1.0)
    measured = _Measured.of(vectors, nums)
    refused: list[dict[str, Any]] = []
    for kind, build in _ways(vectors, nums, is_for_all=is_for_all):
        built = build()
        recall, said = _wide_enough(kind, built, measured, settings.min_index_recall)
        if recall >= settings.min_index_recall:
            return _finish(vectors, nums, kind, built, recall, {**said, **_told(refused)})
        refused.append({"kind": kind, "recall": round(recall, 4), **said})
        log.info("content index: refused %s", refused[-1])
        del built  # before the next one is built
    log.warning(
        "content index: %s finds %.3f of the true 200 neighbours (%.3f asked); exact search "
        "of %d vectors instead",
        kind, recall, settings.min_index_recall, len(nums),
    )  # fmt: skip
    return _finish(vectors, nums, "exact", _exact(vectors, nums), 1.0, _told(refused))


def _told(refused: list[dict[str, Any]]) -> dict[str, Any]:
    return {"refused": refused} if refused else {}


def _ways(
    vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64], *, is_for_all: bool
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The approximate indexes that may do, the fastest first."""
    if len(nums) <= HNSW_LIMIT and not is_for_all:
        yield "hnsw", partial(_hnsw, vectors, nums)
        return
    if can_reduce(vectors.shape[1]):
        yield "ivf_sq", partial(build_lists, vectors, nums, SEED, reduced=True)
    yield "ivf_sq", partial(build_lists, vectors, nums, SEED, reduced=False)


def checksum_of(vectors: npt.NDArray[np.float32]) -> str:
    """20 hex digits of the hash of vectors, their shape included."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    digest = hashlib.sha256(str(vectors.shape).encode())
    digest.update(vectors.reshape(-1).view(np.uint8).data)
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
    info["bytes"] = _size_of(built)
    return Index(info, built)


def _pour(built: Any, write: Write) -> None:
    """Write an index of FAISS, a piece after the other."""
    faiss = faiss_library()
    faiss.write_index(built, faiss.PyCallbackIOWriter(write))


def _size_of(built: Any) -> int:
    """Bytes of an index of FAISS, which alone can say it, by writing them."""
    lengths: list[int] = []
    _pour(built, lambda piece: lengths.append(len(piece)))
    return sum(lengths)


def _exact(vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> Any:
    faiss = faiss_library()
    index = faiss.IndexIDMap(faiss.IndexFlatIP(vectors.shape[1]))
    for some in parts_of(nums):
        index.add_with_ids(vectors[some], some)
    return index


def _hnsw(vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> Any:
    faiss = faiss_library()
    graph = faiss.IndexHNSWFlat(vectors.shape[1], HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = EF_CONSTRUCTION
    graph.hnsw.efSearch = EF_SEARCH
    index = faiss.IndexIDMap(graph)
    with one_thread():  # links depend on the order of insertion, and that on the threads
        index.add_with_ids(vectors[nums], nums)
    return index


def _search(
    kind: str,
    index: Any,
    queries: npt.NDArray[np.float32],
    k: int,
    among: npt.NDArray[np.uint8] | None = None,
) -> Any:
    """Scores and numbers as FAISS gives them, of some rows alone where these are given."""
    params = None
    if kind == "ivf_sq":
        params = how(index, k, among)
    elif among is not None:
        faiss = faiss_library()
        chosen = faiss.IDSelectorBitmap(np.ascontiguousarray(among))
        if kind == "hnsw":
            params = faiss.SearchParametersHNSW(sel=chosen, efSearch=EF_SEARCH)
        else:
            params = faiss.SearchParameters(sel=chosen)
    return index.search(padded(queries, index.d), k, params=params)


@dataclass(frozen=True)
class _Measured:
    """Queries of two kinds and their true nearest rows: rows themselves, and what lies between.

    Attributes:
        vectors: ``(n_vectors, d)``, of which the rows are.
        queries: of each kind, ``(n, d)``.
        true: of each kind, ``(n, k)`` the nearest rows.
    """

    vectors: npt.NDArray[np.float32]
    queries: tuple[npt.NDArray[np.float32], ...]
    true: tuple[npt.NDArray[np.int64], ...]

    @classmethod
    def of(cls, vectors: npt.NDArray[np.float32], nums: npt.NDArray[np.int64]) -> "_Measured":
        rng = np.random.default_rng(SEED)
        rows = vectors[rng.choice(nums, min(N_MEASURED, len(nums)), replace=False)]
        mixed = vectors[rng.choice(nums, (N_MEASURED, N_MIXED))].mean(axis=1)
        length = np.linalg.norm(mixed, axis=1, keepdims=True)
        queries = rows, (mixed / np.where(length > 0, length, 1.0)).astype(np.float32)
        k = min(K_MEASURED, len(nums))
        return cls(
            vectors, queries, tuple(nearest_rows(vectors, nums, some, k) for some in queries)
        )

    def recall(self, kind: str, built: Any) -> float:
        """Share of the true rows that are found, of the kind of query of which it is lower.

        A row that is as near as the last of the true ones is as right: where many vectors are
        alike, which of them is found is nobody's fault.
        """
        k = self.true[0].shape[1]
        return min(
            self._share_found(some, true, _search(kind, built, some, k)[1])
            for some, true in zip(self.queries, self.true, strict=True)
        )

    def _share_found(
        self,
        queries: npt.NDArray[np.float32],
        true: npt.NDArray[np.int64],
        found: npt.NDArray[np.int64],
    ) -> float:
        shares = []
        for query, rows, nums in zip(queries, true, found, strict=True):
            least = float((self.vectors[rows] @ query).min()) - 10.0**-SCORE_DIGITS
            nums = np.unique(nums[nums >= 0])
            right = np.isin(nums, rows) | (self.vectors[nums] @ query >= least)
            shares.append(right.sum() / len(rows))
        return float(np.mean(shares))


def nearest_rows(
    vectors: npt.NDArray[np.float32],
    nums: npt.NDArray[np.int64],
    queries: npt.NDArray[np.float32],
    k: int,
) -> npt.NDArray[np.int64]:
    """``(m, k)`` the nearest of the rows, searched a block after the other with no index."""
    faiss = faiss_library()
    best = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for some in parts_of(nums):
        found, places = faiss.knn(
            queries, vectors[some], min(k, len(some)), metric=faiss.METRIC_INNER_PRODUCT
        )
        scores = np.concatenate([best[0], found], axis=1)
        rows = np.concatenate([best[1], np.where(places < 0, -1, some[places])], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
    return best[1]


def _wide_enough(
    kind: str, built: Any, measured: _Measured, wanted: float
) -> tuple[float, dict[str, Any]]:
    """The recall of an index, and what is said of it.

    Inverted lists probe the first share that reaches the recall that is wanted, or the last one.
    """
    if kind == "hnsw":
        return measured.recall(kind, built), {}
    recall = 0.0
    for share in PROBED_SHARES:
        probe(built, share)
        recall = measured.recall(kind, built)
        if recall >= wanted:
            break
    return recall, {"probed_share": share, "coordinates": n_coordinates(built)}


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
