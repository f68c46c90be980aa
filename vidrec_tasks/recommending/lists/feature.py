"""What a feature of the ranker is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.reason_codes import FROM_HISTORY

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Feature:
    """One number of a user and a candidate.

    Attributes:
        name: also of the part of a score that it makes.
        measure: ``(n_users, k)`` float32 for candidates ``(n_users, k)``; what stands at -1 means
            nothing.
        of_videos: ``(n_users, n_nums)`` for the same rising ``(n_nums,)`` videos for every user;
            None where it says nothing of a video that hardly anybody knows.
        speaks_for: reason codes that this part of a score may be explained by, in this order.
        blended: whether more of it always speaks for a video, so that a weight may be learned for
            it; the others are for trees alone.
        reads_users: whether it is made of ``g(u)``, the one part of a block that may be guessed.
    """

    name: str
    measure: Callable[[Block, Ints], Floats]
    of_videos: Callable[[Block, Ints], Floats] | None = None
    speaks_for: tuple[str, ...] = FROM_HISTORY
    blended: bool = True
    reads_users: bool = False
