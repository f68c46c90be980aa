"""Candidate search side by side with FAISS's own flat search, and with the matrix product alone."""

import time
from collections.abc import Callable
from typing import Any, Final

import faiss
import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import BLOCK
from vidrec_tasks.content.index import Index
from vidrec_tasks.content.library import BLAS_FROM

Floats = npt.NDArray[np.float32]

K: Final = 200
"""Neighbours a user: what find_candidates asks for, with what may not be shown searched past."""
N_QUERIES: Final = 4_096
"""Users who are searched for in a catalogue of up to `SMALL` videos; fewer in a larger one."""
SMALL: Final = 20_000
LEAST: Final = 512
"""Users whom the recall is taken of."""
ROUNDS: Final = 5
AS_IT_COMES: Final = faiss.cvar.distance_compute_blas_threshold
"""Queries at once from which FAISS multiplies matrices, unless it is told otherwise."""


def n_queries(n_videos: int) -> int:
    """How many users are searched for: what a search costs grows with the catalogue."""
    return max(LEAST, min(N_QUERIES, N_QUERIES * SMALL // n_videos))


def measure_search(index: Index, vectors: Floats, queries: Floats) -> dict[str, Any]:
    """Search in blocks of users, as find_candidates does, on one thread.

    Args:
        index: as build_content_index made it.
        vectors: ``(n_videos, dim)`` what it was made of.
        queries: ``(n_users, dim)`` unit rows.

    Returns:
        users_per_s of each way (the best of some rounds, taken in turn), recall of the true K, and
        the share of the matrix product's speed that is reached.
    """
    k = min(K, len(vectors))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)

    def as_it_comes(block: Floats) -> Any:
        faiss.cvar.distance_compute_blas_threshold = AS_IT_COMES
        try:
            return flat.search(block, k)
        finally:
            faiss.cvar.distance_compute_blas_threshold = BLAS_FROM

    ways: dict[str, Callable[[Floats], Any]] = {
        "vidrec": lambda block: index.search(block, k),
        "faiss_flat": as_it_comes,
        "faiss_flat_by_matrices": lambda block: flat.search(block, k),
        "product_alone": lambda block: block @ vectors.T,
    }
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(ROUNDS):
            for name, way in ways.items():
                best[name] = min(best[name], _seconds(way, queries))
        sample = queries[:LEAST]
        recall = _recall(index.search(sample, k)[1], flat.search(sample, k)[1])
    finally:
        faiss.omp_set_num_threads(n_threads)
    rates = {name: round(len(queries) / seconds, 1) for name, seconds in best.items()}
    gigaflops = 2e-9 * vectors.size * rates["product_alone"]
    return {
        "users_per_s": rates,
        "vs_faiss_flat": round(best["faiss_flat"] / best["vidrec"], 4),
        "share_of_product": round(best["product_alone"] / best["vidrec"], 4),
        "product_gflop_per_s": round(gigaflops, 1),
        "recall": round(recall, 5),
        "kind": index.info["kind"],
        "probed_share": index.info.get("probed_share"),
        "coordinates": index.info.get("coordinates"),
        "k": k,
        "n_videos": len(vectors),
        "dim": int(vectors.shape[1]),
    }


def _seconds(way: Callable[[Floats], Any], queries: Floats) -> float:
    begin = time.perf_counter()
    for first in range(0, len(queries), BLOCK):
        way(queries[first : first + BLOCK])
    return time.perf_counter() - begin


def _recall(found: npt.NDArray[np.int64], true: npt.NDArray[np.int64]) -> float:
    shares = [len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, true, strict=True)]
    return float(np.mean(shares))
