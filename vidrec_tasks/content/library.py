"""FAISS as this project wants it: matrix products for several queries, one thread where asked."""

from typing import Any, Final

BLAS_FROM: Final = 20
"""Queries at once from which FAISS multiplies matrices. FAISS 1.15 sets 128,000, below which it
takes one product of two vectors after the other: over 200,000 vectors of 384 dimensions and 128
queries that took six to nine times as long on one thread."""
BLAS_ROWS: Final = 4_096
"""Vectors of such a product; FAISS sets 1,024, which took half as long again."""


def faiss_library() -> Any:
    """FAISS, told to multiply matrices; its stubs do not know what Python adds to it."""
    import faiss

    faiss.cvar.distance_compute_blas_threshold = BLAS_FROM
    faiss.cvar.distance_compute_blas_database_bs = BLAS_ROWS
    return faiss


class one_thread:
    """FAISS on one thread for as long as this lasts."""

    def __enter__(self) -> None:
        faiss = faiss_library()
        self._n = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        faiss_library().omp_set_num_threads(self._n)
