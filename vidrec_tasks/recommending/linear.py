"""Linear item-item model: EASE in closed form, kept sparse; per-video ridge for large catalogues.

EASE: Steck, "Embarrassingly shallow autoencoders for sparse data" (2019). Beyond the dense limit
each column is solved on the video's strongest co-watched neighbours alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.sparse import SparseModel, keep_strongest

_BLOCK = 1_024


@dataclass(frozen=True)
class LinearShape:
    """How the linear model is fitted.

    Attributes:
        dense_limit: videos up to which the Gram matrix is inverted as a whole.
        l2: ridge penalty; Steck's lambda.
        n_neighbours: entries kept a video.
    """

    dense_limit: int = 20_000
    l2: float = 100.0
    n_neighbours: int = 400


def fit_linear(histories: Histories, n_videos: int, shape: LinearShape) -> SparseModel:
    """Fit ``B`` so that ``x B`` predicts ``x``; row: what was watched, column: what it speaks for.

    Returns:
        ``(n_videos, n_videos)`` float32 with an empty diagonal.
    """
    watched = user_matrix(histories, n_videos)
    used = np.flatnonzero(np.asarray((watched != 0).sum(axis=0)).ravel())
    if not len(used):
        return SparseModel(sp.csr_matrix((n_videos, n_videos), dtype=np.float32))
    gram = (watched[:, used].T @ watched[:, used]).tocsr()  # (n_used, n_used)
    small = _solve_dense(gram, shape) if len(used) <= shape.dense_limit else _solve(gram, shape)
    triples = small.tocoo()
    places = (used[triples.row], used[triples.col])
    return SparseModel(sp.csr_matrix((triples.data, places), shape=(n_videos, n_videos)))


def user_matrix(histories: Histories, n_videos: int) -> sp.csr_matrix:
    """``(n_users, n_videos)`` float32: how much each user liked each video, at most 1."""
    liked = np.clip(histories.weights, 0, 1)
    shape = (histories.n_users, n_videos)
    matrix = sp.csr_matrix((liked, (histories.user_nums(), histories.video_nums)), shape=shape)
    matrix.sum_duplicates()
    matrix.data = np.minimum(matrix.data, 1).astype(np.float32)
    matrix.eliminate_zeros()
    return matrix


def _solve_dense(gram: sp.csr_matrix, shape: LinearShape) -> sp.csr_matrix:
    dense = gram.toarray().astype(np.float32)
    dense[np.diag_indices_from(dense)] += shape.l2
    inverse = _inverse(dense)
    inverse /= -np.diag(inverse)[None, :]
    np.fill_diagonal(inverse, 0)
    return keep_strongest(inverse, shape.n_neighbours)


def _inverse(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The inverse of a positive definite matrix, which is overwritten."""
    factor, _ = scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    inverse, info = scipy.linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        message = f"linear model: the Gram matrix cannot be inverted (LAPACK spotri info {info})"
        raise np.linalg.LinAlgError(message)
    lower = np.tril(inverse, -1)
    return np.asarray(lower + lower.T + np.diag(np.diag(inverse)), dtype=np.float32)


def _solve(gram: sp.csr_matrix, shape: LinearShape) -> sp.csr_matrix:
    """One small ridge a video, over the neighbours it was most often watched with."""
    n_videos = gram.shape[0]
    width = min(100, shape.n_neighbours, n_videos)  # 100: a solve of 0.1 ms and 40 kB a video
    norms = np.sqrt(gram.diagonal()) + 1e-6
    rows, columns, values = [], [], []
    for video in range(n_videos):
        part = slice(gram.indptr[video], gram.indptr[video + 1])
        near, counts = gram.indices[part], gram.data[part] / norms[gram.indices[part]]
        order = np.lexsort((near, -counts))
        near = near[order][near[order] != video][:width]
        if not len(near):
            continue
        block = gram[near][:, near].toarray().astype(np.float64)
        block[np.diag_indices_from(block)] += shape.l2
        target = gram[near][:, [video]].toarray().ravel()
        rows.append(near)
        columns.append(np.full(len(near), video))
        values.append(np.linalg.solve(block, target))
    if not rows:
        return sp.csr_matrix((n_videos, n_videos), dtype=np.float32)
    data = np.concatenate(values).astype(np.float32)
    places = (np.concatenate(rows), np.concatenate(columns))
    return sp.csr_matrix((data, places), shape=(n_videos, n_videos))
