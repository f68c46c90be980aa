"""The exact way to attribute a score, which is slow: every history is scored by itself."""

from collections.abc import Sequence

import numpy as np

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.explaining.attribution import Floats, Ints, last_liked, score_rows
from vidrec_tasks.recommending.models.models import Models


def falls_one_by_one(
    models: Models, users: Sequence[Histories], nums: Sequence[Ints], *, scorer: str
) -> list[tuple[Ints, Floats]]:
    """What `attribution.leave_one_out` says, with nothing shared and nothing guessed."""
    asked = [last_liked(user) for user in users]
    rows = [
        (user if left_out is None else user.where(user.video_nums != left_out), scored)
        for user, scored, videos in zip(users, nums, asked, strict=True)
        for left_out in (None, *videos)
    ]
    scores = iter(score_rows(models, rows, scorer=scorer))
    found = []
    for scored, videos in zip(nums, asked, strict=True):
        whole = next(scores)  # (k,)
        parts = [whole - next(scores) for _ in videos]
        found.append((videos, np.stack(parts, axis=1) if parts else np.zeros((len(scored), 0))))
    return found
