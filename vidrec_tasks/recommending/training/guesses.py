"""Guesses: what a tower takes to come next, which the attention puts in another order."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.models.attention import TargetAttention, attend
from vidrec_tasks.recommending.models.sequences import last_videos
from vidrec_tasks.recommending.models.tower import UserTower, embed_users, embed_videos
from vidrec_tasks.recommending.training.held_out import Asked, ndcg_of_row

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_N_GUESSES: Final = 200


@dataclass(frozen=True)
class Guesses:
    """The best guesses of a tower for held-out users, among what they have not met.

    Attributes:
        rows: ``(n_users, length)`` what the tower read.
        videos: ``(n_videos, dim)`` every ``f(v)``.
        nums: ``(n_users, k)`` guesses, in no order.
        scores: ``(n_users, k)`` what the tower gives to them.
        targets: of each user.
    """

    rows: Ints
    videos: Floats
    nums: Ints
    scores: Floats
    targets: tuple[Ints, ...]

    @classmethod
    def of(cls, tower: UserTower, asked: Asked, lately: Floats | float) -> Self:
        """The guesses of a trained tower.

        Args:
            tower: trained.
            asked: the held-out users.
            lately: ``(n_videos,)`` what is added to ``f(v).g(u)``.
        """
        videos = embed_videos(tower)
        users, k = embed_users(tower, asked.users, videos), min(_N_GUESSES, len(videos))
        nums = np.empty((len(users), k), dtype=np.int64)
        own = np.empty((len(users), k), dtype=np.float32)
        for part, some in asked.blocks(len(videos)):
            scores = users[part] @ videos.T + lately
            scores[:, some.unpublished] = -np.inf
            scores[some.users.user_nums(), some.users.video_nums] = -np.inf
            nums[part] = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            own[part] = np.take_along_axis(scores, nums[part], axis=1)
        rows = last_videos(asked.users, tower.shape.length)
        return cls(rows, videos, nums, own, tuple(asked.targets))

    def ndcg(self, attention: TargetAttention) -> float:
        """NDCG@10 in the order that the attention gives them; what was not guessed is missed."""
        scores = self.scores + attend(attention, self.rows, self.videos, self.nums)
        found = [
            ndcg_of_row(row, row[np.isin(nums, wanted)], len(wanted))
            for row, nums, wanted in zip(scores, self.nums, self.targets, strict=True)
        ]
        return float(np.mean(found))
