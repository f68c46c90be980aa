"""Peers: of the users who liked what a reader liked and began a video, how many liked it.

Counts only what is asked for, from a draw of users; leaves it to `explanation_reasons`
whether enough were counted for a sentence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_ID, WEIGHT

Ints = npt.NDArray[np.int64]

BEGAN, LIKED = 1, 2

SHARED: Final = (5, 4, 3, 2)
"""Liked videos that somebody must share with a reader to be of a taste like theirs; the first with
enough such users is said."""


class PeerCount(NamedTuple):
    """Users who began a video, and those of them who liked it."""

    n_began: int
    n_liked: int


class TasteCount(NamedTuple):
    """Users who share ``n_shared`` liked videos with a reader, and what they made of one."""

    n_shared: int
    n_began: int
    n_liked: int


@dataclass(frozen=True)
class Peers:
    """Who began and who liked each video.

    Attributes:
        liked: ``user_id -> video_ids`` that each reader liked.
        names: ``(n_users,)`` user_id of each user number.
        users: ``video_id -> (n,)`` user numbers of who began it.
        verdicts: ``video_id -> (n,)`` `BEGAN` or `LIKED` of each of them.
        is_sample: whether the draw left somebody out.
    """

    liked: Mapping[str, Sequence[str]]
    names: pd.Index
    users: Mapping[str, Ints]
    verdicts: Mapping[str, npt.NDArray[np.int8]]
    is_sample: bool

    @classmethod
    def of(
        cls,
        visits: pd.DataFrame,
        readers: pd.DataFrame,
        *,
        moment: pd.Timestamp,
        is_sample: bool,
    ) -> "Peers":
        """Gather the visits of a draw of users.

        Who has a visit to a video began it; who has more weight for it than against liked it.

        Args:
            visits: user_id, video_id, event_at, weight.
            readers: the same of the users who are written to.
            moment: the beginning of the night; visits at or after it do not exist.
            is_sample: whether other users have visits too.
        """
        past = visits[visits[EVENT_AT] < moment]
        user_nums, names = pd.factorize(past[USER_ID])
        video_nums, video_ids = pd.factorize(past[VIDEO_ID])
        keys, places = np.unique(
            video_nums.astype(np.int64) * max(1, len(names)) + user_nums, return_inverse=True
        )
        sums = np.bincount(places, past[WEIGHT].to_numpy(np.float64), minlength=len(keys))
        of_video, of_user = np.divmod(keys, max(1, len(names)))
        offsets = np.searchsorted(of_video, np.arange(len(video_ids) + 1))
        spans = list(zip(video_ids, offsets[:-1], offsets[1:], strict=True))
        verdicts = np.where(sums > 0, LIKED, BEGAN).astype(np.int8)
        return cls(
            _liked_by(readers[readers[EVENT_AT] < moment]),
            pd.Index(names),
            {str(video_id): of_user[begin:end] for video_id, begin, end in spans},
            {str(video_id): verdicts[begin:end] for video_id, begin, end in spans},
            is_sample,
        )

    def count(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PeerCount]:
        """Count pairs ``(liked, begun)``: the time is that of the users of the liked videos."""
        asked: dict[str, list[str]] = {}
        for liked, begun in pairs:
            asked.setdefault(begun, []).append(liked)
        mark = np.zeros(len(self.names), dtype=np.int8)
        found = {}
        for begun, several in asked.items():
            users = self.users.get(begun)
            if users is None:
                continue
            mark[users] = self.verdicts[begun]
            for liked in several:
                verdicts = mark[self._likers(liked)]
                found[liked, begun] = _counted(verdicts)
            mark[users] = 0
        return found

    def count_alike(
        self, reader: str, begun: Iterable[str], *, min_users: int
    ) -> dict[str, TasteCount]:
        """Of the others with a taste like a reader's who began a video, how many liked it.

        Args:
            reader: whose taste; they are not counted themselves.
            begun: the videos.
            min_users: fewer are not counted.

        Returns:
            video_id -> the count for the most shared videos (`SHARED`) that `min_users` share.
        """
        likers = [self._likers(video_id) for video_id in self.liked.get(reader, ())]
        if not likers:
            return {}
        n_shared = np.bincount(np.concatenate(likers), minlength=len(self.names))
        if reader in self.names:
            n_shared[self.names.get_loc(reader)] = 0
        found = {}
        for video_id in begun:
            of_each = n_shared[self.users.get(video_id, _NOBODY)]
            for k in SHARED:
                is_alike = of_each >= k
                if is_alike.sum() >= min_users:
                    counted = _counted(self.verdicts[video_id][is_alike])
                    found[video_id] = TasteCount(k, *counted)
                    break
        return found

    def overall(self, video_id: str) -> PeerCount:
        """Of all who began a video, how many liked it."""
        return _counted(self.verdicts.get(video_id, np.zeros(0, dtype=np.int8)))

    def _likers(self, video_id: str) -> Ints:
        if video_id not in self.users:
            return _NOBODY
        return self.users[video_id][self.verdicts[video_id] == LIKED]


_NOBODY = np.zeros(0, dtype=np.int64)


def _liked_by(visits: pd.DataFrame) -> dict[str, list[str]]:
    """``user_id -> video_ids`` that a user has more weight for than against."""
    weights = visits.groupby([USER_ID, VIDEO_ID], sort=True)[WEIGHT].sum()
    liked: dict[str, list[str]] = {}
    for user_id, video_id in weights[weights > 0].index:
        liked.setdefault(str(user_id), []).append(str(video_id))
    return liked


def _counted(verdicts: npt.NDArray[np.int8]) -> PeerCount:
    return PeerCount(int((verdicts > 0).sum()), int((verdicts == LIKED).sum()))
