"""Promise: how creators' videos do against their topics, and whom they would reach."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.columns import (
    CREATOR_ID,
    PERFORMANCE,
    REACHABLE_TOPICS,
    TOPICS,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.insights.cells import Doubles, ratio, whole, whole_cells
from vidrec_tasks.insights.crowd import Crowd, ones

N_REACHABLE: Final = 5
"""Topics named a video, the most promising first."""

_MIN_LIFT: Final = 1.1
"""How much likelier than everybody an audience must be to watch such videos."""


def measure_promise(
    crowd: Crowd, videos: pd.DataFrame, profiles_topics: pd.DataFrame, *, k: int
) -> pd.DataFrame:
    """Measure each video that has a creator and is on offer, from whole multiples of k alone.

    Args:
        crowd: the window.
        videos: video_id, creator_id, in the order of the video_nums.
        profiles_topics: user_id, topics (``[topic, weight, n_videos]``) of the profiles.
        k: users a cell needs.

    Returns:
        creator_id, video_id, performance (logarithm to base 2 of its viewers against the usual
        viewers of a video of its topics, both for the time it was there: 1 is twice as many, -1
        half; NaN where either has fewer than k), reachable_topics (``[topic, share]``: the share
        of those who like the topic that watches such videos, most above everybody's first).
    """
    performance = _performance(crowd, k)
    reachable = _reachable(crowd, profiles_topics, k)
    nums = np.flatnonzero((crowd.made_by.sum(axis=1) > 0) & crowd.is_offered)
    named = [_named(reachable, crowd, int(num)) for num in nums]
    table = pd.DataFrame(
        {
            CREATOR_ID: pd.Series(videos[CREATOR_ID].to_numpy(dtype=object)[nums], dtype="str"),
            VIDEO_ID: pd.Series(videos[VIDEO_ID].to_numpy(dtype=object)[nums], dtype="str"),
            PERFORMANCE: performance[nums],
            REACHABLE_TOPICS: pd.Series(named, dtype=object),
        }
    )
    return table.sort_values([CREATOR_ID, VIDEO_ID], ignore_index=True)


def _performance(crowd: Crowd, k: int) -> Doubles:
    """``(n_videos,)``; what is usual is the mean over the video's topics, itself left out."""
    viewers = np.asarray(crowd.watched.sum(axis=0), dtype=np.float64).ravel()
    own = whole(viewers, k) / crowd.exposure
    carries = sp.csr_array(crowd.carries)
    nums = np.repeat(np.arange(carries.shape[0]), np.diff(carries.indptr))
    # of each pair of video and topic: the viewers and the time of the topic's other videos
    others = whole((viewers @ carries)[carries.indices] - viewers[nums], k)
    there = (crowd.exposure @ carries)[carries.indices] - crowd.exposure[nums]
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


def _reachable(crowd: Crowd, profiles_topics: pd.DataFrame, k: int) -> _Reachable:
    liked, names = _liked_topics(crowd, profiles_topics)
    watch = ones(crowd.watched @ crowd.carries)  # (n_users, n_topics)
    both = whole_cells(watch.T @ liked, k)  # (n_topics, n_audiences)
    rows = np.repeat(np.arange(both.shape[0]), np.diff(both.indptr))
    audience = whole(liked.sum(axis=0), k)[both.indices]
    everybody = ratio(whole(watch.sum(axis=0), k), whole(crowd.n_users, k))[rows]
    share, lift = both.copy(), both.copy()
    share.data = np.round(ratio(both.data, audience), 2)
    lift.data = ratio(ratio(both.data, audience), everybody)
    lift.data = np.where(lift.data >= _MIN_LIFT, lift.data, 0)
    return _Reachable(lift, share, names)


def _liked_topics(crowd: Crowd, profiles_topics: pd.DataFrame) -> tuple[sp.csr_array, list[str]]:
    """``(n_users, n_audiences)`` ones: the topics of each user's profile."""
    rows: dict[str, Sequence[Sequence[Any]]] = dict(
        zip(profiles_topics[USER_ID], profiles_topics[TOPICS], strict=True)
    )
    liked = [
        [str(topic) for topic, weight, _ in rows.get(user_id, ()) if weight > 0]
        for user_id in crowd.user_ids
    ]
    matrix, names = topic_matrix(liked)
    return sp.csr_array(matrix, dtype=np.float64), names


def _named(reachable: _Reachable, crowd: Crowd, num: int) -> list[list[Any]]:
    """The audiences of one video: of its topics, the one that speaks most for each of them."""
    best: dict[str, tuple[float, float]] = {}
    for topic in crowd.carries.indices[crowd.carries.indptr[num] : crowd.carries.indptr[num + 1]]:
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
