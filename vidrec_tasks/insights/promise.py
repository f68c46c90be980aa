"""Promise: how creators' videos do against their topics, and whom they would reach."""

from typing import Any, Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import (
    CREATOR_ID,
    PERFORMANCE,
    REACHABLE_TOPICS,
    VIDEO_ID,
)
from vidrec_tasks.insights.cells import Doubles, ratio, whole, whole_cells
from vidrec_tasks.insights.counts import Counts
from vidrec_tasks.insights.crowd import Offer

N_REACHABLE: Final = 5
"""Topics named a video, the most promising first."""

_MIN_LIFT: Final = 1.1
"""How much likelier than everybody an audience must be to watch such videos."""


def measure_promise(
    counts: Counts, offer: Offer, exposure: Doubles, videos: pd.DataFrame, *, k: int
) -> pd.DataFrame:
    """Measure each video that has a creator and is on offer, from whole multiples of k alone.

    Args:
        counts: of the window.
        offer: what the videos stand for.
        exposure: ``(n_videos,)`` as of `Offer.exposure`.
        videos: video_id, creator_id, in the order of the video_nums.
        k: users a cell needs.

    Returns:
        creator_id, video_id, performance (logarithm to base 2 of its viewers against the usual
        viewers of a video of its topics, both for the time it was there: 1 is twice as many, -1
        half; NaN where either has fewer than k), reachable_topics (``[topic, share]``: the share
        of those who like the topic that watches such videos, most above everybody's first).
    """
    performance = _performance(counts, offer, exposure, k)
    reachable = _reachable(counts, k)
    nums = np.flatnonzero((offer.made_by.sum(axis=1) > 0) & offer.is_offered)
    named = [_named(reachable, offer, int(num)) for num in nums]
    table = pd.DataFrame(
        {
            CREATOR_ID: pd.Series(videos[CREATOR_ID].to_numpy(dtype=object)[nums], dtype="str"),
            VIDEO_ID: pd.Series(videos[VIDEO_ID].to_numpy(dtype=object)[nums], dtype="str"),
            PERFORMANCE: performance[nums],
            REACHABLE_TOPICS: pd.Series(named, dtype=object),
        }
    )
    return table.sort_values([CREATOR_ID, VIDEO_ID], ignore_index=True)


def _performance(counts: Counts, offer: Offer, exposure: Doubles, k: int) -> Doubles:
    """``(n_videos,)``; what is usual is the mean over the video's topics, itself left out."""
    viewers = counts.n_viewers.astype(np.float64)
    own = whole(viewers, k) / exposure
    carries = offer.carries
    nums = np.repeat(np.arange(carries.shape[0]), np.diff(carries.indptr))
    # of each pair of video and topic: the viewers and the time of the topic's other videos
    others = whole((viewers @ carries)[carries.indices] - viewers[nums], k)
    there = (exposure @ carries)[carries.indices] - exposure[nums]
    usual = np.where(others > 0, ratio(others, np.maximum(there, 0)), np.nan)
    known = np.isfinite(usual)
    n_known = np.bincount(nums[known], minlength=len(viewers))
    total = np.bincount(nums[known], weights=usual[known], minlength=len(viewers))
    against = ratio(own, ratio(total, n_known))
    doubled: Doubles = np.log2(np.where(against > 0, against, np.nan))
    return np.round(doubled, 2)


class _Reachable:
    """Which audiences watch videos of which topics.

    Attributes:
        lift: ``(n_topics, n_audiences)`` how much likelier than everybody; stored where it counts.
        share: the same cells: which part of the audience does.
        names: of the audiences: topics of profiles.
    """

    def __init__(self, lift: sp.csr_array, share: sp.csr_array, names: list[str]) -> None:
        self.lift = lift
        self.share = share
        self.names = names


def _reachable(counts: Counts, k: int) -> _Reachable:
    n_both, n_liking, names = counts.liked
    both = whole_cells(n_both, k)  # (n_topics, n_audiences)
    rows = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    audience = whole(n_liking, k)[both.indices]
    everybody = ratio(whole(counts.n_watching, k), whole(counts.n_users, k))[rows]
    share, lift = both.copy(), both.copy()
    share.data = np.round(ratio(both.data, audience), 2)
    lift.data = ratio(ratio(both.data, audience), everybody)
    lift.data = np.where(lift.data >= _MIN_LIFT, lift.data, 0)
    return _Reachable(lift, share, names)


def _named(reachable: _Reachable, offer: Offer, num: int) -> list[list[Any]]:
    """The audiences of one video: of its topics, the one that speaks most for each of them."""
    best: dict[str, tuple[float, float]] = {}
    for topic in offer.carries.indices[offer.carries.indptr[num] : offer.carries.indptr[num + 1]]:
        cells = slice(reachable.lift.indptr[topic], reachable.lift.indptr[topic + 1])
        columns = reachable.lift.indices[cells]
        for column, lift, share in zip(
            columns, reachable.lift.data[cells], reachable.share.data[cells], strict=True
        ):
            name = reachable.names[int(column)]
            if lift > 0:
                best[name] = max(best.get(name, (0.0, 0.0)), (float(lift), float(share)))
    ordered = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
    return [[name, share] for name, (_, share) in ordered[:N_REACHABLE]]
