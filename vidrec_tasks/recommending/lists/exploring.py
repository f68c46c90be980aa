"""Exploring: which of the videos that hardly anybody knows are worth a place kept for them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.lists.features import (
    DOT,
    content_profiles,
    freshness,
    item_scores,
    recent_profiles,
)
from vidrec_tasks.recommending.models.lending import N_KNOWN_USERS
from vidrec_tasks.recommending.models.models import Models

Floats = npt.NDArray[np.float32]

_TASTE, _FRESH = 1e-3, 1e-6
"""What decides where nothing learned does: likeness to what was liked, then youth."""


def is_unknown(models: Models, *, fresh_days: float) -> npt.NDArray[np.bool_]:
    """``(n_videos,)`` whether hardly anybody liked a video yet, and it is not known to be old."""
    popularity = models.popularity
    few: npt.NDArray[np.bool_] = popularity.n_users < N_KNOWN_USERS
    return few & ((popularity.age_days <= fresh_days) | np.isinf(popularity.age_days))


def promise(
    models: Models,
    histories: Histories,
    users: Floats,
    nums: npt.NDArray[np.int64],
    scores: Mapping[str, Floats] | None = None,
) -> Floats:
    """What new videos promise: the blend's own weights over what can be known of them.

    Args:
        models: what was learned.
        histories: a block of users.
        users: ``(n_users, dim)`` their ``g(u)``.
        nums: ``(n_nums,)`` video_nums.
        scores: what `item_scores` gave for all videos, where it is at hand.

    Returns:
        ``(n_users, n_nums)`` float32, comparable within a row.
    """
    blend = models.configuration.blend
    fused = models.content.fused[nums]
    taste = content_profiles(models, histories) @ fused.T
    recent = recent_profiles(models.content, histories) @ fused.T
    total = (blend.get("content", 0) + _TASTE) * taste + blend.get("content_recent", 0) * recent
    total = total + blend.get(DOT, 0) * (users @ models.video_vectors[nums].T)
    for name, all_of_it in (scores or item_scores(models, histories)).items():
        total = total + blend.get(name, 0) * all_of_it[:, nums]
    return np.asarray(total + _FRESH * freshness(models)[nums], dtype=np.float32)
