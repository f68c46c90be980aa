"""Tiny histories, written down event by event."""

import numpy as np

from vidrec_tasks.audience.histories import Histories


def histories_of(world: dict[str, list[tuple[int, float, int]]]) -> Histories:
    """``user -> [(video_num, weight, seconds)]``, already in order."""
    users = sorted(world)
    events = [event for user in users for event in world[user]]
    offsets = np.concatenate([[0], np.cumsum([len(world[user]) for user in users])])
    return Histories(
        np.array(users, dtype=object),
        offsets.astype(np.int64),
        np.array([video for video, _, _ in events], dtype=np.int64),
        np.array([weight for _, weight, _ in events], dtype=np.float32),
        np.array([seconds for _, _, seconds in events], dtype=np.int64),
        np.zeros(len(users), dtype=np.int64),
    )
