"""Sequential co-visitation: what is watched soon after what, counted with a decay."""

from typing import Final

import numpy as np
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.item_model import ItemModel
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.models.sequences import liked, recent_matrix
from vidrec_tasks.recommending.models.sparse import SparseModel, keep_strongest_of_rows

_REACH = 10
_HALF_REACH = 3.0
_HALF_LIFE_S = 86_400.0
_N_KEPT = 200


def count_covisits(histories: Histories, n_videos: int) -> SparseModel:
    """Count ordered pairs of liked videos of one user, nearer ones for more.

    A pair ``step`` places apart adds ``2 ** (-step / 3)``, halved for each day between; the way
    back adds half of that. Counts are divided by the root of both videos' totals, so that what
    everybody watches is not next to everything.

    Returns:
        ``(n_videos, n_videos)``; row: watched first, column: watched next.
    """
    events = liked(histories)
    users = events.user_nums()
    total = sp.csr_matrix((n_videos, n_videos), dtype=np.float64)
    for step in range(1, _REACH + 1):
        first, then = slice(None, -step or None), slice(step, None)
        is_pair = users[first] == users[then]
        is_pair &= events.video_nums[first] != events.video_nums[then]
        apart_s = (events.event_at[then] - events.event_at[first])[is_pair]
        worth = 2.0 ** (-step / _HALF_REACH) * 2.0 ** (-apart_s / _HALF_LIFE_S)
        before, after = events.video_nums[first][is_pair], events.video_nums[then][is_pair]
        shape = (n_videos, n_videos)
        total += sp.csr_matrix((worth, (before, after)), shape=shape)
        total += sp.csr_matrix((worth / 2, (after, before)), shape=shape)
    return SparseModel(keep_strongest_of_rows(_normalised(total), _N_KEPT))


def _normalised(counts: sp.csr_matrix) -> sp.csr_matrix:
    # +2: a pair met once is weak evidence, however rare its videos are.
    outgoing = np.asarray(counts.sum(axis=1)).ravel() + 2
    incoming = np.asarray(counts.sum(axis=0)).ravel() + 2
    scaled = sp.diags(outgoing**-0.5) @ counts @ sp.diags(incoming**-0.5)
    return sp.csr_matrix(scaled, dtype=np.float32)


def _fit(histories: Histories, n_videos: int, _: LinearShape) -> SparseModel:
    return count_covisits(histories, n_videos)


COVISITATION: Final = ItemModel("covisitation", _fit, recent_matrix)
