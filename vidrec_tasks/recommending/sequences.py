"""Sequences: histories as padded rows of what was liked, newest last; the input of the towers."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

PAD = -1
"""Stands where a row has no video."""


def liked(histories: Histories) -> Histories:
    """The same users with only the events of positive weight."""
    return histories.where(histories.weights > 0)


def last_videos(histories: Histories, n: int) -> npt.NDArray[np.int64]:
    """The last ``n`` liked videos of each user.

    Returns:
        ``(n_users, n)`` video_nums, oldest first, right-aligned, `PAD` in front.
    """
    positive = liked(histories)
    counts = np.minimum(np.diff(positive.offsets), n)
    rows = np.full((positive.n_users, n), PAD, dtype=np.int64)
    columns = np.arange(n)[None, :] - (n - counts)[:, None]  # (n_users, n) place among the last
    users, places = np.nonzero(columns >= 0)
    starts = positive.offsets[1:] - counts
    rows[users, places] = positive.video_nums[starts[users] + columns[users, places]]
    return rows


def windows(histories: Histories, length: int, *, shift: int = 0) -> npt.NDArray[np.int64]:
    """All liked videos, cut into windows of at most ``length``, counted from the newest.

    Args:
        histories: whose positive events are cut.
        length: events a window.
        shift: events that the last window is shorter, so that borders move between epochs.

    Returns:
        ``(n_windows, length)`` video_nums, oldest first, left-aligned, `PAD` behind.
    """
    positive = liked(histories)
    rows: list[npt.NDArray[np.int64]] = []
    for user in range(positive.n_users):
        videos = positive.video_nums[positive.of(user)]
        rows += _cut(videos, length, shift % length if len(videos) > length else 0)
    if not rows:
        return np.zeros((0, length), dtype=np.int64)
    padded = np.full((len(rows), length), PAD, dtype=np.int64)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def _cut(videos: npt.NDArray[np.int64], length: int, shift: int) -> list[npt.NDArray[np.int64]]:
    ends = [len(videos), *range(len(videos) - shift, 0, -length)]
    borders = sorted({end for end in ends if end > 0} | {0})
    pairs = pairwise(borders)
    return [videos[max(start, end - length) : end] for start, end in pairs if end > start]
