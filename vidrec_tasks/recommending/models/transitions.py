"""Transitions: a linear model of what is watched next, from the last videos and their order.

The transition part of SLIST (Choe et al., "Session-aware linear item-item models", 2021): ridge
regression of each liked event on the decayed videos before it, in closed form. Where EASE says
what belongs together, this says what comes after.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.ridge import LinearShape, inverse, solve_by_column
from vidrec_tasks.recommending.models.sequences import liked, recent_before, recent_matrix
from vidrec_tasks.recommending.models.sparse import (
    SparseModel,
    keep_strongest,
    keep_strongest_of_rows,
)

TRANSITION_L2: Final = 300.0
"""On the event before the last of MovieLens's users NDCG@10 was 0.094, 0.097, 0.092 at 100, 300,
1,000; over the last 10 videos 0.097, over 30 or 100 0.090 and 0.082."""


def fit_transitions(histories: Histories, n_videos: int, shape: LinearShape) -> SparseModel:
    """Fit ``B`` so that ``recent B`` predicts the next liked video.

    Args:
        histories: what is learned from.
        n_videos: videos of the catalogue.
        shape: penalty, limits; beyond ``dense_limit`` each column is solved on its neighbours.

    Returns:
        ``(n_videos, n_videos)`` float32; row: watched before, column: watched next. Scores are
        those of `sequences.recent_matrix` times it.
    """
    events = liked(histories)
    before = recent_before(events, n_videos)
    used = np.unique(events.video_nums)
    if not len(used):
        return SparseModel(sp.csr_matrix((n_videos, n_videos), dtype=np.float32))
    ones = np.ones(events.n_events, dtype=np.float32)
    places = (np.arange(events.n_events), np.searchsorted(used, events.video_nums))
    then = sp.csr_matrix((ones, places), shape=(events.n_events, len(used)))
    before = before[:, used]
    gram = sp.csr_matrix(before.T @ before)  # (n_used, n_used)
    onward = sp.csr_matrix(before.T @ then)
    if len(used) <= shape.dense_limit:
        whole = np.asarray((onward.T @ inverse(gram, shape.l2)).T)  # the inverse is symmetric
        small = keep_strongest(whole, shape.n_neighbours)
    else:
        small = solve_by_column(gram, onward, shape, on_itself=True)
    triples = small.tocoo()
    places = (used[triples.row], used[triples.col])
    matrix = sp.csr_matrix((triples.data, places), shape=(n_videos, n_videos))
    return SparseModel(keep_strongest_of_rows(matrix, shape.n_columns))


def _fit(histories: Histories, n_videos: int, shape: LinearShape) -> SparseModel:
    return fit_transitions(histories, n_videos, replace(shape, l2=TRANSITION_L2))


TRANSITIONS: Final = ItemModel("transitions", _fit, recent_matrix)
