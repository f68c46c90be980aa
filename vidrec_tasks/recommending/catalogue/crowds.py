"""Crowds: how many users of a segment watched each video lately, leaning on everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    def of(cls, visits: pd.DataFrame, *, n_videos: int, moment: pd.Timestamp) -> "Crowd":
        """The crowd before a moment.

        A window without any visit (old logs) ends at the newest one instead.

        Args:
            visits: weighed visits: user_id, video_num, event_at, is_watched, weight.
            n_videos: size of the catalogue.
            moment: 00:00 UTC of the night.
        """
        seen = visits[visits[IS_WATCHED].astype(bool) & (visits[EVENT_AT] < moment)]
        newest = seen[EVENT_AT].max() if len(seen) else moment
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
    def n_viewers(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` users who watched a video in the last days before the night."""
        counts = np.bincount(self.video_nums, minlength=self.n_videos)
        return counts if self.is_recent else np.zeros_like(counts)

    @property
    def n_likers(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` those of `n_viewers` who liked it."""
        counts = np.bincount(self.video_nums[self.is_liked], minlength=self.n_videos)
        return counts if self.is_recent else np.zeros_like(counts)

    def rates(self, members: Sequence[str] | None = None) -> Floats:
        """``(n_videos,)`` share of a segment's users who liked a video.

        Args:
            members: users of the segment; None: everybody. Few members change little, and under
                `MIN_USERS` active ones nothing.
        """
        n_users = len(self.user_ids)
        overall = self._liked(np.ones(n_users, dtype=bool)) / max(1, n_users)
        if members is None:
            return overall
        is_member = np.isin(self.user_ids.astype(str), np.array(list(members), dtype=str))
        n_members = int(is_member.sum())
        if n_members < MIN_USERS:
            return overall
        return (self._liked(is_member) + _PRIOR_USERS * overall) / (n_members + _PRIOR_USERS)

    def _liked(self, is_member: npt.NDArray[np.bool_]) -> Floats:
        nums = self.video_nums[is_member[self.user_nums] & self.is_liked]
        return np.bincount(nums, minlength=self.n_videos).astype(np.float64)


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
