"""Linear item-item model: EASE in closed form, kept sparse; per-video ridge for large catalogues.

EASE: Steck, "Embarrassingly shallow autoencoders for sparse data" (2019). Beyond the dense limit
each column is solved on the video's strongest co-watched neighbours alone.
"""

from typing import Final

import numpy as np
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.ridge import LinearShape, inverse, solve_by_column
from vidrec_tasks.recommending.models.sparse import (
    SparseModel,
    keep_strongest,
    keep_strongest_of_rows,
)

N_PAIRED: Final = 200
"""Newest events of a user that pairs are counted from beyond the dense limit: pairs grow with the
square of a history."""


def fit_linear(histories: Histories, n_videos: int, shape: LinearShape) -> SparseModel:
    """Fit ``B`` so that ``x B`` predicts ``x``; row: what was watched, column: what it speaks for.

    Returns:
        ``(n_videos, n_videos)`` float32 with an empty diagonal.
    """
    watched = user_matrix(histories, n_videos)
    used = np.flatnonzero(np.asarray((watched != 0).sum(axis=0)).ravel())
    if not len(used):
        return SparseModel(sp.csr_matrix((n_videos, n_videos), dtype=np.float32))
    if len(used) > shape.dense_limit:
        watched = user_matrix(histories.newest(N_PAIRED), n_videos)
    gram = (watched[:, used].T @ watched[:, used]).tocsr()  # (n_used, n_used)
    if len(used) <= shape.dense_limit:
        small = _solve_dense(gram, shape)
    else:
        small = solve_by_column(gram, gram, shape, on_itself=False)
    triples = small.tocoo()
    places = (used[triples.row], used[triples.col])
    matrix = sp.csr_matrix((triples.data, places), shape=(n_videos, n_videos))
    return SparseModel(keep_strongest_of_rows(matrix, shape.n_columns))


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
    weights = inverse(gram, shape.l2)
    weights /= -np.diag(weights)[None, :]
    np.fill_diagonal(weights, 0)
    return keep_strongest(weights, shape.n_neighbours)


LINEAR: Final = ItemModel("linear", fit_linear, user_matrix)
