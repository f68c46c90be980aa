"""Negatives of a sampled softmax: drawn by popularity, with the chance that each was drawn."""

from dataclasses import dataclass

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
    def of(cls, histories: Histories, n_videos: int, n: int) -> "Negatives":
        """By the number of likes of each video to the power of 0.75."""
        liked = histories.video_nums[histories.weights > 0]
        counts = np.bincount(liked, minlength=n_videos) ** _FLATTENED
        total = counts.sum()
        return cls(np.asarray(counts / total if total else np.full(n_videos, 1 / n_videos)), n)

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
        drawn = rng.choice(len(self.chances), self.n, p=self.chances)
        nums, places = np.unique(np.concatenate([targets, drawn]), return_inverse=True)
        # A video counts once however often it was drawn, so its chance is 1 - (1 - p)^n. With p in
        # its place the most popular 60 of 60,000 videos got a seventh of their softmax share.
        missed = self.n * np.log1p(-np.minimum(self.chances[nums], 1 - 1e-9))
        log_chance = np.log(np.maximum(-np.expm1(missed), 1e-12)).astype(np.float32)
        return nums, log_chance, places[: len(targets)].astype(np.int64)
