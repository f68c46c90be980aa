"""Ridge: regressions of every video on what was watched with or before it, whole or by column.

What is regressed on what is said by `linear` and `transitions`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp

_MAX_WIDTH = 100
"""Neighbours a column is solved on: a solve of 0.1 ms and 40 kB a video."""


@dataclass(frozen=True)
class LinearShape:
    """How an item-item model is fitted.

    Attributes:
        dense_limit: videos up to which the Gram matrix is inverted as a whole; its square is held
            three times in float32 (4.8 GB at 20,000).
        l2: ridge penalty.
        n_neighbours: entries kept a video: what speaks for it.
        n_columns: entries kept a row: what a watched video speaks for. NDCG@10 of the last event
            by the model alone, MovieLens-latest-small and MovieTweetings: the same to 4 digits with
            1,000, 2,000, 5,000 or all of 9,066 and 10,506; with 100 up to 0.002 less.
    """

    dense_limit: int = 20_000
    l2: float = 100.0
    n_neighbours: int = 400
    n_columns: int = 2_000


def inverse(gram: sp.csr_matrix, l2: float) -> npt.NDArray[np.float32]:
    """``(n, n)`` float32, the inverse of ``gram + l2 * I``.

    Args:
        gram: positive semi-definite.
        l2: above 0.

    Raises:
        numpy.linalg.LinAlgError: the sum is not positive definite.
    """
    matrix = gram.toarray().astype(np.float32)
    matrix[np.diag_indices_from(matrix)] += l2
    factor, _ = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    found, info = scipy.linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        message = f"linear model: the Gram matrix cannot be inverted (LAPACK spotri info {info})"
        raise np.linalg.LinAlgError(message)
    lower = np.tril(found, -1)
    return np.asarray(lower + lower.T + np.diag(np.diag(found)), dtype=np.float32)


def solve_by_column(
    gram: sp.csr_matrix, targets: sp.csr_matrix, shape: LinearShape, *, on_itself: bool
) -> sp.csr_matrix:
    """One small ridge a video, over the videos that most often stand for it.

    Args:
        gram: ``(n, n)`` of the regressors.
        targets: ``(n, n)``; column: the video regressed, row: its product with each regressor.
        shape: penalty and width.
        on_itself: whether a video may be regressed on itself.

    Returns:
        ``(n, n)`` float32, at most ``min(100, n_neighbours)`` entries a column.
    """
    n_videos = gram.shape[0]
    width = min(_MAX_WIDTH, shape.n_neighbours, n_videos)
    norms = np.sqrt(gram.diagonal()) + 1e-6
    columns_of = sp.csc_matrix(targets)
    rows, columns, values = [], [], []
    for video in range(n_videos):
        part = slice(columns_of.indptr[video], columns_of.indptr[video + 1])
        near, products = columns_of.indices[part], columns_of.data[part]
        order = np.lexsort((near, -products / norms[near]))
        order = order[on_itself | (near[order] != video)][:width]
        near, products = near[order], products[order]
        if not len(near):
            continue
        block = gram[near][:, near].toarray().astype(np.float64)
        block[np.diag_indices_from(block)] += shape.l2
        rows.append(near)
        columns.append(np.full(len(near), video))
        values.append(np.linalg.solve(block, products.astype(np.float64)))
    if not rows:
        return sp.csr_matrix((n_videos, n_videos), dtype=np.float32)
    data = np.concatenate(values).astype(np.float32)
    places = (np.concatenate(rows), np.concatenate(columns))
    return sp.csr_matrix((data, places), shape=(n_videos, n_videos))
