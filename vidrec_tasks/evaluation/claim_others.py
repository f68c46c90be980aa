"""Claim others: who began and who liked a video, recounted from the visits of a draw of users."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_ID, WEIGHT


class Counts(NamedTuple):
    """Users who began a video, and those of them who liked it."""

    began: int
    liked: int


class Others:
    """The visits before the night, asked one pair of videos at a time.

    Args:
        visits: user_id, video_id, event_at, weight.
        readers: the same of the users whom explanations speak to.
        moment: visits at or after it do not count.
        is_sample: whether users were left out.
        min_users: fewer must not be spoken of.
    """

    def __init__(
        self,
        visits: pd.DataFrame,
        readers: pd.DataFrame,
        *,
        moment: pd.Timestamp,
        is_sample: bool,
        min_users: int,
    ) -> None:
        self._visits = visits.loc[visits[EVENT_AT].lt(moment), [USER_ID, VIDEO_ID, WEIGHT]]
        self._readers = readers.loc[readers[EVENT_AT].lt(moment), [USER_ID, VIDEO_ID, WEIGHT]]
        self._shared: tuple[str, npt.NDArray[np.int64]] = ("", np.zeros(0, dtype=np.int64))
        self.is_sample, self.min_users = is_sample, min_users
        self._counted: dict[tuple[str, str], Counts] = {}

    def of(self, video_id: str) -> Counts:
        """Of all who began a video."""
        users, liked = self._column(video_id)
        return Counts(len(users), int(liked.sum()))

    def between(self, liked_id: str, begun_id: str) -> Counts:
        """Of those who liked the one video and began the other, how many liked the other."""
        pair = liked_id, begun_id
        if pair not in self._counted:  # the lists of a shard ask for the same pairs again
            self._counted[pair] = self._count(*pair)
        return self._counted[pair]

    def sharing(self, n_shared: int, reader: str, begun_id: str) -> Counts:
        """Of others who share so many liked videos with a reader and began one: who liked it."""
        if self._shared[0] != reader:  # the rows of a list follow each other
            self._shared = (reader, self._count_shared(reader))
        users, liked = self._column(begun_id)
        is_alike = self._shared[1][users] >= n_shared
        return Counts(int(is_alike.sum()), int(liked[is_alike].sum()))

    def _count_shared(self, reader: str) -> npt.NDArray[np.int64]:
        """``(n_users,)`` how many videos each user and the reader both liked; 0 for the reader."""
        weights, columns, rows = self._table
        mine = self._likes_of_readers.get(reader, [])
        nums = [columns[video_id] for video_id in mine if video_id in columns]
        shared = np.asarray((weights[:, nums] > 0).sum(axis=1)).ravel().astype(np.int64)
        if reader in rows:
            shared[rows[reader]] = 0
        return shared

    @cached_property
    def _likes_of_readers(self) -> dict[str, list[str]]:
        table = self._readers.pivot_table(WEIGHT, [USER_ID, VIDEO_ID], aggfunc="sum").reset_index()
        liked = table[table[WEIGHT] > 0] if len(table) else self._readers
        return {str(user): list(rows) for user, rows in liked.groupby(USER_ID)[VIDEO_ID]}

    def _count(self, liked_id: str, begun_id: str) -> Counts:
        users, liked = self._column(liked_id)
        others, other_liked = self._column(begun_id)
        is_both = np.isin(others, users[liked], assume_unique=True)
        return Counts(int(is_both.sum()), int(other_liked[is_both].sum()))

    def _column(self, video_id: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """The users who began a video, and whether each liked it."""
        weights, columns, _ = self._table
        if video_id not in columns:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        num = columns[video_id]
        span = slice(weights.indptr[num], weights.indptr[num + 1])
        return weights.indices[span], weights.data[span] > 0

    @cached_property
    def _table(self) -> tuple[sparse.csc_array, dict[str, int], dict[str, int]]:
        """``(n_users, n_videos)`` what visits weigh, and the number of each video and user."""
        users = self._visits[USER_ID].astype("category").cat
        videos = self._visits[VIDEO_ID].astype("category").cat
        shape = (len(users.categories), len(videos.categories))
        weights = self._visits[WEIGHT].astype("float64").to_numpy()
        # a sum of exactly nothing stays stored: its user began the video
        table = sparse.coo_array((weights, (users.codes, videos.codes)), shape=shape).tocsc()
        nums = [
            {str(name): num for num, name in enumerate(names)}
            for names in (videos.categories, users.categories)
        ]
        return table, nums[0], nums[1]
