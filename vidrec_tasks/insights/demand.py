"""Demand: what each audience watches, how that changes, and what is offered too little."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
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
from vidrec_tasks.insights.counts import UNITS, Counts
from vidrec_tasks.insights.crowd import Offer

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


def may_be_told_of(n_viewers: npt.ArrayLike, k: int) -> npt.NDArray[np.bool_]:
    """Which audiences may be: in a smaller one whoever is not in a cell of k is fewer than k."""
    return whole(n_viewers, k) >= 2 * k


def measure_demand(counts: Counts, offer: Offer, exposure: Doubles, *, k: int) -> pd.DataFrame:
    """Measure what each audience of 2k users or more watches, from whole multiples of k alone.

    Args:
        counts: of the audiences that `may_be_told_of`.
        offer: what the videos stand for.
        exposure: ``(n_videos,)`` as of `Offer.exposure`.
        k: users a cell needs.

    Returns:
        creator_id, topic, audience_share (of the creator's viewers, those who watched the topic
        anywhere), trend (that share in the second half of the window less that in the first),
        completion (mean share watched, in steps of 1/k), supply (share of the videos on offer),
        gap (from -1 to 1: how far supply falls short of demand across the catalogue, less
        where the audience cares less than everybody), n_viewers (a multiple of k).
    """
    cells = _strongest(whole_cells(counts.cells, k))
    share = ratio(cells.n_viewers, whole(counts.n_audience, k)[cells.creators])
    gap = _scarcity(counts, offer, exposure, k)[cells.topics] * _interest(counts, cells, share, k)
    table = pd.DataFrame(
        {
            CREATOR_ID: pd.Series([offer.creator_ids[c] for c in cells.creators], dtype="str"),
            TOPIC: pd.Series([offer.topics[t] for t in cells.topics], dtype="str"),
            AUDIENCE_SHARE: np.round(share, 4),
            TREND: np.round(_trend(counts, cells, k), 4),
            COMPLETION: _completion(counts, cells, k),
            SUPPLY: np.round(_supply(offer)[cells.topics], 4),
            GAP: np.round(gap, 4),
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


def _trend(counts: Counts, cells: _Cells, k: int) -> Doubles:
    shares = []
    for viewers, n_active in zip(counts.half_cells, counts.n_active, strict=True):
        sizes = whole(n_active, k)
        shares.append(ratio(cells.of(whole_cells(viewers, k)), sizes[cells.creators]))
    return shares[1] - shares[0]


def _completion(counts: Counts, cells: _Cells, k: int) -> Doubles:
    """The mean over users of each user's mean; NaN where fewer than k users are known."""
    n_users = cells.of(counts.known_cells)
    total = cells.of(counts.share_cells) / UNITS
    return stepped(np.where(n_users >= k, ratio(total, n_users), np.nan), k)


def _supply(offer: Offer) -> Doubles:
    offered = offer.is_offered.astype(np.float64)
    return (offered @ offer.carries) / max(1.0, offered.sum())


def _scarcity(counts: Counts, offer: Offer, exposure: Doubles, k: int) -> Doubles:
    """``(n_topics,)`` from -1 to 1: how far supply falls short of demand across the catalogue.

    Viewers a video of the topic against viewers a video of all: ``1 - all / topic`` where its
    videos draw more, ``topic / all - 1`` where they draw fewer.
    """
    viewers = counts.n_viewers * offer.is_offered.astype(np.float64)
    there = exposure * offer.is_offered
    usual = ratio(whole(viewers.sum(), k), there.sum())
    total = whole(viewers @ offer.carries, k) + _PRIOR_VIDEOS * usual
    own = total / (there @ offer.carries + _PRIOR_VIDEOS)
    with np.errstate(invalid="ignore", divide="ignore"):
        short = np.where(own > usual, 1 - usual / own, own / usual - 1)
    return np.where(np.isfinite(short), short, 0.0)


def _interest(counts: Counts, cells: _Cells, share: Doubles, k: int) -> Doubles:
    """From 0 to 1: less than 1 where an audience wants a topic less than everybody does.

    It is not above 1: that a creator's own topics are dear to their viewers is no gap.
    """
    everybody = whole(counts.n_watching, k)[cells.topics]
    return np.minimum(1.0, share / ratio(everybody, whole(counts.n_users, k)))
