"""The videos that are the same for everybody: popular, trending, fresh."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import AskingBlock
from vidrec_tasks.recommending.lists.sources.finding import best_of_all
from vidrec_tasks.recommending.lists.sources.source import Found

Measured = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]
"""``(n_videos,)`` a score, and whether a video counts at all."""


@dataclass(frozen=True)
class Crowd:
    """By a number of the video alone."""

    name: str
    speaks_for: tuple[str, ...]
    measure: Callable[[AskingBlock], Measured]

    def find(self, block: AskingBlock) -> Found:
        """The best that each user may be shown; all are put in order once a search."""
        orders = block.search.orders
        if self.name not in orders:
            scores, counts = self.measure(block)
            nums = np.flatnonzero(counts)
            best = nums[np.argsort(-scores[nums], kind="stable")]  # equal ones by video_num
            orders[self.name] = best, scores[best]
        return best_of_all(*orders[self.name], block.eligible, block.settings.n_per_source)
