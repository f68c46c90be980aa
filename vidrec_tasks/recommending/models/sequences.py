"""Sequences: histories as padded rows of what was liked, newest last; the input of the towers."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories

PAD = -1
"""Stands where a row has no video."""
N_RECENT = 10
"""Most recent liked videos that make up what a user is in the middle of."""
_HALF_PLACES = 3.0
"""Places back in which a recent video loses half its worth."""


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


def recent_matrix(histories: Histories, n_videos: int) -> sp.csr_matrix:
    """``(n_users, n_videos)`` the last liked videos, the one before counting 2 ** -1/3 as much."""
    rows = last_videos(histories, N_RECENT)
    users, places = np.nonzero(rows != PAD)
    return _matrix(users, N_RECENT - 1 - places, rows[users, places], (len(rows), n_videos))


def recent_before(histories: Histories, n_videos: int) -> sp.csr_matrix:
    """``(n_events, n_videos)`` what `recent_matrix` would have said just before each event.

    Args:
        histories: liked events alone.
        n_videos: width.
    """
    events = np.arange(histories.n_events)
    starts = histories.offsets[:-1][histories.user_nums()]
    reached = events[:, None] - np.arange(1, N_RECENT + 1)[None, :]  # (n_events, N_RECENT)
    rows, back = np.nonzero(reached >= starts[:, None])
    nums = histories.video_nums[reached[rows, back]]
    return _matrix(rows, back, nums, (len(events), n_videos))


def _matrix(
    rows: npt.NDArray[np.int64],
    back: npt.NDArray[np.int64],
    nums: npt.NDArray[np.int64],
    shape: tuple[int, int],
) -> sp.csr_matrix:
    worth = 2.0 ** (-back / _HALF_PLACES)
    matrix = sp.csr_matrix((worth, (rows, nums)), shape=shape, dtype=np.float32)
    matrix.sum_duplicates()
    return matrix


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
