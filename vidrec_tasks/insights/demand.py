"""Demand: what each audience watches, how that changes, and what is offered too little."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import (
    AUDIENCE_SHARE,
    COMPLETION,
    CREATOR_ID,
    GAP,
    N_VIEWERS,
    SUPPLY,
    TOPIC,
    TREND,
)
from vidrec_tasks.insights.cells import Doubles, ratio, stepped, whole, whole_cells
from vidrec_tasks.insights.crowd import Crowd, ones

INSIGHT_COLUMNS: Final = (
    CREATOR_ID, TOPIC, AUDIENCE_SHARE, TREND, COMPLETION, SUPPLY, GAP, N_VIEWERS,
)  # fmt: skip

MAX_TOPICS: Final = 50
"""Topics written a creator, those of most viewers first."""

_PRIOR_VIDEOS: Final = 1.0
"""Average videos added to each topic, so that one video that everybody saw is no demand."""


@dataclass(frozen=True)
class _Cells:
    """Cells ``(creator, topic)`` that may be written, each ``(n_cells,)``."""

    creators: np.ndarray
    topics: np.ndarray
    n_viewers: Doubles

    def of(self, counts: sp.csr_array) -> Doubles:
        """The same cells of another matrix ``(n_creators, n_topics)``."""
        if not len(self.creators):
            return np.zeros(0)
        return np.asarray(counts[self.creators, self.topics], dtype=np.float64).ravel()


def measure_demand(crowd: Crowd, *, k: int) -> pd.DataFrame:
    """Measure what each audience of 2k users or more watches, from whole multiples of k alone.

    Returns:
        creator_id, topic, audience_share (of the creator's viewers, those who watched the topic
        anywhere), trend (that share in the second half of the window less that in the first),
        completion (mean share watched, in steps of 1/k), supply (share of the videos on offer),
        gap (from -1 to 1: how far supply falls short of demand across the catalogue, less
        where the audience cares less than everybody), n_viewers (a multiple of k).
    """
    audiences = crowd.audiences
    sizes = whole(audiences.sum(axis=0), k)
    # in a smaller audience whoever is not in a cell of k would be fewer than k
    audiences = audiences @ sp.diags_array((sizes >= 2 * k).astype(np.float64))
    cells = _strongest(whole_cells(audiences.T @ ones(crowd.watched @ crowd.carries), k))
    share = ratio(cells.n_viewers, sizes[cells.creators])
    table = pd.DataFrame(
        {
            CREATOR_ID: pd.Series([crowd.creator_ids[c] for c in cells.creators], dtype="str"),
            TOPIC: pd.Series([crowd.topics[t] for t in cells.topics], dtype="str"),
            AUDIENCE_SHARE: np.round(share, 4),
            TREND: np.round(_trend(crowd, audiences, cells, k), 4),
            COMPLETION: _completion(crowd, audiences, cells, k),
            SUPPLY: np.round(_supply(crowd)[cells.topics], 4),
            GAP: np.round(_scarcity(crowd, k)[cells.topics] * _interest(crowd, cells, share, k), 4),
            N_VIEWERS: cells.n_viewers.astype(np.int64),
        }
    )
    order = [CREATOR_ID, N_VIEWERS, TOPIC]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)


def _strongest(cells: sp.csr_array) -> _Cells:
    rows = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
    order = np.lexsort((cells.indices, -cells.data, rows))
    place = np.arange(len(rows)) - cells.indptr[rows[order]]
    kept = order[place < MAX_TOPICS]
    return _Cells(rows[kept], cells.indices[kept], cells.data[kept])


def _trend(crowd: Crowd, audiences: sp.csr_array, cells: _Cells, k: int) -> Doubles:
    shares = []
    for half in (crowd.earlier, crowd.later):
        active = sp.diags_array((half.sum(axis=1) > 0).astype(np.float64))
        viewers = whole_cells(audiences.T @ ones(half @ crowd.carries), k)
        sizes = whole((active @ audiences).sum(axis=0), k)
        shares.append(ratio(cells.of(viewers), sizes[cells.creators]))
    return shares[1] - shares[0]


def _completion(crowd: Crowd, audiences: sp.csr_array, cells: _Cells, k: int) -> Doubles:
    """The mean over users of each user's mean; NaN where fewer than k users are known."""
    n_known = sp.csr_array(ones(crowd.shares) @ crowd.carries)
    means = sp.csr_array(crowd.shares @ crowd.carries)
    means.sort_indices()
    n_known.sort_indices()
    means.data = means.data / n_known.data
    n_users = cells.of(audiences.T @ ones(n_known))
    total = cells.of(audiences.T @ means)
    return stepped(np.where(n_users >= k, ratio(total, n_users), np.nan), k)


def _supply(crowd: Crowd) -> Doubles:
    offered = crowd.is_offered.astype(np.float64)
    return (offered @ crowd.carries) / max(1.0, offered.sum())


def _scarcity(crowd: Crowd, k: int) -> Doubles:
    """``(n_topics,)`` from -1 to 1: how far supply falls short of demand across the catalogue.

    Viewers a video of the topic against viewers a video of all: ``1 - all / topic`` where its
    videos draw more, ``topic / all - 1`` where they draw fewer.
    """
    offered = crowd.is_offered.astype(np.float64)
    viewers = np.asarray(crowd.watched.sum(axis=0), dtype=np.float64).ravel() * offered
    there = crowd.exposure * offered
    usual = ratio(whole(viewers.sum(), k), there.sum())
    total = whole(viewers @ crowd.carries, k) + _PRIOR_VIDEOS * usual
    own = total / (there @ crowd.carries + _PRIOR_VIDEOS)
    with np.errstate(invalid="ignore", divide="ignore"):
        short = np.where(own > usual, 1 - usual / own, own / usual - 1)
    return np.where(np.isfinite(short), short, 0.0)


def _interest(crowd: Crowd, cells: _Cells, share: Doubles, k: int) -> Doubles:
    """From 0 to 1: less than 1 where an audience wants a topic less than everybody does.

    It is not above 1: that a creator's own topics are dear to their viewers is no gap.
    """
    everybody = whole(ones(crowd.watched @ crowd.carries).sum(axis=0), k)[cells.topics]
    return np.minimum(1.0, share / ratio(everybody, whole(crowd.n_users, k)))
