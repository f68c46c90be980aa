"""Freshness: how young a video is, and which ones hardly anybody knows yet."""

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.models.lending import N_KNOWN_USERS
from vidrec_tasks.recommending.models.models import Models

_DECAY_DAYS = 7.0
"""Days in which the feature falls by e; `fresh_days` is how long a video counts as fresh at all."""


def freshness(
    models: Models, nums: npt.NDArray[np.int64] | slice = slice(None)
) -> npt.NDArray[np.float32]:
    """1 for a video published at the cut, falling by e in a week; 0 if unknown.

    Args:
        models: when the videos were published.
        nums: video_nums of any shape; by default all videos.

    Returns:
        float32 in the shape of ``nums``.
    """
    age = np.maximum(models.popularity.age_days[nums], 0)
    return np.exp(-age / _DECAY_DAYS).astype(np.float32)


def is_unknown(models: Models, *, fresh_days: float) -> npt.NDArray[np.bool_]:
    """``(n_videos,)`` whether hardly anybody liked a video yet, and it is not known to be old."""
    popularity = models.popularity
    few: npt.NDArray[np.bool_] = popularity.n_users < N_KNOWN_USERS
    return few & ((popularity.age_days <= fresh_days) | np.isinf(popularity.age_days))
