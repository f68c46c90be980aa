"""Crowds: how many users of a segment watched each video lately, leaning on everybody.

Users are counted a shard at a time and the counts are added, so that nobody holds what all watched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import EVENT_AT, IS_WATCHED, USER_ID, VIDEO_NUM, WEIGHT

WINDOW_DAYS: Final = 28
"""Days looked back; the same as popularity for users."""

MIN_USERS: Final = 20
"""Users a segment needs to have an order of its own: fewer could be told apart by it."""

_PRIOR_USERS: Final = 50.0
"""Users at which a segment's own watching counts as much as everybody's."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Crowd:
    """Visits of the last days before a night, one row a user and video.

    Attributes:
        user_ids: ``(n_users,)`` who watched anything.
        user_nums, video_nums: ``(n_pairs,)``.
        is_liked: ``(n_pairs,)`` whether the weight of the visits was above 0.
        n_videos: size of the catalogue.
        is_recent: whether the window ends at the night (old logs end earlier).
    """

    user_ids: npt.NDArray[np.object_]
    user_nums: npt.NDArray[np.int64]
    video_nums: npt.NDArray[np.int64]
    is_liked: npt.NDArray[np.bool_]
    n_videos: int
    is_recent: bool

    @classmethod
    def of(
        cls,
        visits: pd.DataFrame,
        *,
        n_videos: int,
        moment: pd.Timestamp,
        newest: pd.Timestamp | None = None,
    ) -> "Crowd":
        """The crowd before a moment.

        A window without any visit (old logs) ends at the newest one instead.

        Args:
            visits: weighed visits: user_id, video_num, event_at, is_watched, weight.
            n_videos: size of the catalogue.
            moment: 00:00 UTC of the night.
            newest: the newest of everybody's visits, where these are a shard's; None: of these.
        """
        seen = visits[visits[IS_WATCHED].astype(bool) & (visits[EVENT_AT] < moment)]
        if newest is None:
            newest = newest_of([seen], moment=moment)
        window = pd.Timedelta(days=WINDOW_DAYS)
        is_recent = bool(newest >= moment - window)
        begin = (moment if is_recent else newest) - window
        lately = seen[seen[EVENT_AT] >= begin]
        pairs = lately.groupby([USER_ID, VIDEO_NUM], sort=True)[WEIGHT].max().reset_index()
        user_nums, user_ids = pd.factorize(pairs[USER_ID])
        return cls(
            np.asarray(user_ids, dtype=object),
            user_nums.astype(np.int64),
            pairs[VIDEO_NUM].to_numpy(np.int64),
            pairs[WEIGHT].to_numpy() > 0,
            n_videos,
            is_recent,
        )

    @property
    def likes(self) -> sp.csr_array:
        """``(n_users, n_videos)`` ones: who liked what in the window."""
        places = (self.user_nums[self.is_liked], self.video_nums[self.is_liked])
        shape = (len(self.user_ids), self.n_videos)
        return sp.csr_array((np.ones(len(places[0])), places), shape=shape)

    @property
    def n_viewers(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` users who watched a video in the last days before the night."""
        counts = np.bincount(self.video_nums, minlength=self.n_videos)
        return counts if self.is_recent else np.zeros_like(counts)

    @property
    def n_likers(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` those of `n_viewers` who liked it."""
        counts = np.bincount(self.video_nums[self.is_liked], minlength=self.n_videos)
        return counts if self.is_recent else np.zeros_like(counts)


def newest_of(shards: Iterable[pd.DataFrame], *, moment: pd.Timestamp) -> pd.Timestamp:
    """When anything was watched last before a moment; the moment where nothing was.

    Args:
        shards: visits of some users each: event_at, is_watched.
        moment: 00:00 UTC of the night.
    """
    found = [
        visits.loc[visits[IS_WATCHED].astype(bool) & (visits[EVENT_AT] < moment), EVENT_AT].max()
        for visits in shards
    ]
    known = [newest for newest in found if not pd.isna(newest)]
    return max(known) if known else moment


class Counts:
    """How many users of each segment liked each video, added up over crowds of different users.

    Args:
        n_segments: segments that are counted, by number.
        n_videos: size of the catalogue.

    Attributes:
        n_users: users who watched anything in the window.
        n_viewers, n_likers: ``(n_videos,)`` as of `Crowd`.
    """

    def __init__(self, n_segments: int, n_videos: int) -> None:
        self.n_users = 0
        self.n_viewers = np.zeros(n_videos, dtype=np.int64)
        self.n_likers = np.zeros(n_videos, dtype=np.int64)
        self._liked = np.zeros(n_videos)
        self._n_members = np.zeros(n_segments)
        self._by_segment = sp.csr_array((n_segments, n_videos))

    def add(self, crowd: Crowd, members: sp.csr_array) -> None:
        """Add a crowd.

        Args:
            crowd: users who were not added before.
            members: ``(n_segments, n_users)`` ones: who of them is of which segment.
        """
        self.n_users += len(crowd.user_ids)
        self.n_viewers += crowd.n_viewers
        self.n_likers += crowd.n_likers
        likes = crowd.likes
        self._liked += np.asarray(likes.sum(axis=0)).ravel()
        self._n_members += np.asarray(members.sum(axis=1)).ravel()
        self._by_segment = sp.csr_array(self._by_segment + members @ likes)

    def rates(self, segment: int | None = None) -> Floats:
        """``(n_videos,)`` share of a segment's users who liked a video.

        Args:
            segment: its number; None: everybody. Few members change little, and under `MIN_USERS`
                active ones nothing.
        """
        overall = self._liked / max(1, self.n_users)
        if segment is None or self._n_members[segment] < MIN_USERS:
            return overall
        own = np.zeros(len(overall))
        part = slice(self._by_segment.indptr[segment], self._by_segment.indptr[segment + 1])
        own[self._by_segment.indices[part]] = self._by_segment.data[part]
        return (own + _PRIOR_USERS * overall) / (self._n_members[segment] + _PRIOR_USERS)


def first_topics(visits: pd.DataFrame, topics: Sequence[Sequence[str]]) -> Mapping[str, list[str]]:
    """Topic -> users whose first watched video carries it.

    Args:
        visits: weighed visits: user_id, video_num, event_at, is_watched.
        topics: topics of each video.
    """
    seen = visits[visits[IS_WATCHED].astype(bool)].sort_values([USER_ID, EVENT_AT], kind="stable")
    first = seen.drop_duplicates(USER_ID)
    members: dict[str, list[str]] = {}
    for user_id, num in zip(first[USER_ID], first[VIDEO_NUM], strict=True):
        for topic in topics[int(num)]:
            members.setdefault(topic, []).append(str(user_id))
    return members
