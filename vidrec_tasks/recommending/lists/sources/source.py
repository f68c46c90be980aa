"""What a candidate source is."""

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import AskingBlock

Found: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Scores and video_nums, ``(n_users, n)`` each, best first; -1 where a user has no more."""


class Source(Protocol):
    """A way to find videos that are worth ranking.

    A source that finds nothing for a user (no history, no portrait) adds nothing. It never finds
    what ``block.allowed`` forbids.
    """

    @property
    def name(self) -> str:
        """Of the column ``source`` of a row that it placed highest."""

    @property
    def speaks_for(self) -> tuple[str, ...]:
        """Reason codes that a row may be explained by when this source alone stands for it."""

    def find(self, block: AskingBlock) -> Found:
        """At most ``settings.n_per_source`` videos for each user."""
