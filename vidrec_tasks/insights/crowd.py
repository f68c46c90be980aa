"""Crowd: who of some users watched which video in the window, and what the videos stand for.

Everything is a sparse matrix, so that audiences are products and no user is looped over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.columns import (
    CREATOR_ID,
    EVENT_AT,
    IS_WATCHED,
    PUBLISHED_AT,
    USER_ID,
    VIDEO_NUM,
    WATCHED_SHARE,
)

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Offer:
    """What the videos stand for.

    Attributes:
        carries: ``(n_videos, n_topics)`` ones: the topics of each video.
        topics: names of the topics.
        made_by: ``(n_videos, n_creators)`` ones; a video without a creator has none.
        creator_ids: ``(n_creators,)`` sorted.
        is_offered: ``(n_videos,)`` whether it may be shown.
        published_at: of each video.
    """

    carries: sp.csr_array
    topics: list[str]
    made_by: sp.csr_array
    creator_ids: list[str]
    is_offered: npt.NDArray[np.bool_]
    published_at: pd.Series

    @classmethod
    def of(
        cls,
        videos: pd.DataFrame,
        topics: Sequence[Sequence[str]],
        is_offered: npt.NDArray[np.bool_] | None = None,
    ) -> "Offer":
        """What a catalogue offers.

        Args:
            videos: creator_id, published_at of each video, in the order of the video_nums.
            topics: topics of each video.
            is_offered: which videos may be shown; all when None.
        """
        carries, names = distinct_topics(topics)
        creators = sorted({str(creator) for creator in videos[CREATOR_ID] if creator})
        return cls(
            carries,
            names,
            _made_by(videos[CREATOR_ID], creators),
            creators,
            np.ones(len(videos), dtype=bool) if is_offered is None else is_offered,
            videos[PUBLISHED_AT],
        )

    @property
    def n_videos(self) -> int:
        """Videos of the catalogue."""
        return len(self.is_offered)

    def exposure(self, begin: pd.Timestamp, end: pd.Timestamp) -> Doubles:
        """``(n_videos,)`` share of the time from ``begin`` to ``end`` that it was published in.

        A quarter at least, for first days are loud.
        """
        span_s = max((end - begin).total_seconds(), 1.0)
        age_s = (end - self.published_at).dt.total_seconds().to_numpy(np.float64)
        there = np.where(np.isnan(age_s), span_s, age_s)
        return np.clip(there / span_s, 0.25, 1.0)


@dataclass(frozen=True)
class Crowd:
    """Users and what they watched in the window.

    Attributes:
        user_ids: ``(n_users,)`` who watched anything in the window, sorted.
        earlier, later: ``(n_users, n_videos)`` ones: watched in the window's first, second half.
        shares: ``(n_users, n_videos)`` mean share watched, only where known (a 0 is kept).
        oldest: when the first of it was watched; None where nothing was.
    """

    user_ids: npt.NDArray[np.object_]
    earlier: sp.csr_array
    later: sp.csr_array
    shares: sp.csr_array
    oldest: pd.Timestamp | None

    @cached_property
    def watched(self) -> sp.csr_array:
        """``(n_users, n_videos)`` ones: watched in the window."""
        return ones(self.earlier + self.later)

    @property
    def n_users(self) -> int:
        """Users who watched anything in the window."""
        return len(self.user_ids)


def gather_crowd(visits: pd.DataFrame, *, n_videos: int, night: date, window_days: int) -> Crowd:
    """Gather the visits of some users in the window before a night.

    Args:
        visits: weighed visits: user_id, video_num, event_at, is_watched, watched_share; all of a
            user's.
        n_videos: size of the catalogue.
        night: the window ends at its 00:00 UTC.
        window_days: length of the window.
    """
    end = pd.Timestamp(night, tz="UTC")
    begin, half = window_start(night, window_days), window_start(night, window_days / 2)
    is_seen = visits[IS_WATCHED].astype(bool) & visits[EVENT_AT].between(begin, end, "left")
    seen = visits[is_seen]
    user_nums, user_ids = pd.factorize(seen[USER_ID], sort=True)
    shape = (len(user_ids), n_videos)
    is_late = (seen[EVENT_AT] >= half).to_numpy(dtype=bool)
    places = (user_nums.astype(np.int64), seen[VIDEO_NUM].to_numpy(np.int64))
    return Crowd(
        np.asarray(user_ids, dtype=object),
        _cells(_where(places, ~is_late), shape),
        _cells(_where(places, is_late), shape),
        _mean_shares(seen[WATCHED_SHARE].to_numpy(np.float64), places, shape),
        seen[EVENT_AT].min() if len(seen) else None,
    )


def window_start(night: date, days: float) -> pd.Timestamp:
    """When the last days before a night's 00:00 UTC begin."""
    return pd.Timestamp(night, tz="UTC") - pd.Timedelta(days=days)


def distinct_topics(topics: Sequence[Sequence[str]]) -> tuple[sp.csr_array, list[str]]:
    """Which video carries which topic; of topics that the same videos carry, one.

    It is the one that is named first where they are named (tags stand before categories): a tag
    and its category, met only together, are one audience and would fill a table twice.

    Returns:
        ``(n_videos, n_topics)`` float64 of ones, and the topics in order of their columns.
    """
    carries, names = topic_matrix(topics)
    places: dict[str, int] = {}
    for carried in topics:
        for place, topic in enumerate(carried):
            places[topic] = places.get(topic, 0) + place
    by_topic = sp.csr_array(carries.T)
    by_topic.sort_indices()
    best: dict[bytes, int] = {}
    for column in sorted(range(len(names)), key=lambda c: (places[names[c]], names[c])):
        own = by_topic.indices[by_topic.indptr[column] : by_topic.indptr[column + 1]]
        best.setdefault(own.tobytes(), column)
    kept = sorted(best.values())
    return sp.csr_array(carries[:, kept], dtype=np.float64), [names[column] for column in kept]


def ones(matrix: sp.csr_array) -> sp.csr_array:
    """A matrix with 1 where there is anything above 0."""
    result = sp.csr_array(matrix, dtype=np.float64, copy=True)
    result.data = (result.data > 0).astype(np.float64)
    result.eliminate_zeros()
    return result


def _where(
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], keep: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return places[0][keep], places[1][keep]


def _cells(
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], shape: tuple[int, int]
) -> sp.csr_array:
    return ones(sp.csr_array((np.ones(len(places[0])), places), shape=shape))


def _mean_shares(
    shares: Doubles,
    places: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    shape: tuple[int, int],
) -> sp.csr_array:
    """Mean share a user and video; a tiny share stands for 0, which a sparse matrix would lose."""
    known = np.isfinite(shares)
    kept = _where(places, known)
    clipped = np.clip(shares[known], 1e-9, 1)
    total = sp.csr_array((clipped, kept), shape=shape)
    count = sp.csr_array((np.ones(len(clipped)), kept), shape=shape)
    total.sum_duplicates()
    count.sum_duplicates()
    total.data = total.data / count.data
    return total


def _made_by(creator_ids: pd.Series, creators: list[str]) -> sp.csr_array:
    column_of = {creator: column for column, creator in enumerate(creators)}
    rows = [(num, column_of[c]) for num, c in enumerate(creator_ids) if c in column_of]
    nums = np.array([num for num, _ in rows], dtype=np.int64)
    columns = np.array([column for _, column in rows], dtype=np.int64)
    shape = (len(creator_ids), len(creators))
    return sp.csr_array((np.ones(len(rows)), (nums, columns)), shape=shape)
