"""Negatives of a sampled softmax: drawn by popularity, with the chance that each was drawn.

Some may be drawn with all videos alike: popularity hardly ever draws the tail of a large catalogue,
whose scores then grow unseen (mixed negative sampling: Yang et al., 2020).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_FLATTENED = 0.75


@dataclass(frozen=True)
class Negatives:
    """What videos compete with.

    Attributes:
        chances: ``(n_videos,)`` of one draw.
        n: draws for a batch, with replacement.
    """

    chances: npt.NDArray[np.float64]
    n: int

    @classmethod
    def of(cls, histories: Histories, n_videos: int, n: int, *, alike: float = 0.0) -> "Negatives":
        """By the number of likes of each video to the power of 0.75.

        Args:
            histories: who liked what.
            n_videos: videos of the catalogue.
            n: draws for a batch.
            alike: share of the draws in which all liked videos are alike.
        """
        liked = histories.video_nums[histories.weights > 0]
        counts = np.bincount(liked, minlength=n_videos)
        if not counts.any():
            return cls(np.full(n_videos, 1 / n_videos), n)
        popular, is_liked = counts**_FLATTENED, counts > 0
        return cls((1 - alike) * popular / popular.sum() + alike * is_liked / is_liked.sum(), n)

    @cached_property
    def _reached(self) -> npt.NDArray[np.float64]:
        """``(n_videos,)`` the chance of this video or one before it: a draw looks it up."""
        summed = np.cumsum(self.chances)
        return summed / summed[-1]

    def draw(self, targets: Ints, rng: np.random.Generator) -> tuple[Ints, Floats, Ints]:
        """Draw the videos that a batch is asked among.

        Args:
            targets: ``(n_targets,)`` video_nums, which are always among them.
            rng: where the draws come from.

        Returns:
            ``(n_nums,)`` video_nums, rising, each once; ``(n_nums,)`` the logarithm of the chance
            that it is there, to be taken from its logit (Bengio and Senecal, 2008); and
            ``(n_targets,)`` the place of each target.
        """
        drawn = np.searchsorted(self._reached, rng.random(self.n), side="right")
        nums, places = np.unique(np.concatenate([targets, drawn]), return_inverse=True)
        # A video counts once however often it was drawn, so its chance is 1 - (1 - p)^n. With p in
        # its place the most popular 60 of 60,000 videos got a seventh of their softmax share.
        missed = self.n * np.log1p(-np.minimum(self.chances[nums], 1 - 1e-9))
        log_chance = np.log(np.maximum(-np.expm1(missed), 1e-12)).astype(np.float32)
        return nums, log_chance, places[: len(targets)].astype(np.int64)
