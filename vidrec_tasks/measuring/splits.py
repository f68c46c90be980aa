"""Splits: what a model may learn from and what it is then asked for, without a look ahead.

Only liked videos (weight above 0) that the user had not met before are asked for: a list never
holds what was watched, so asking for it would measure the filter.
"""

import logging
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]


class Split(NamedTuple):
    """Histories to learn from, and what is held out.

    Attributes:
        train: the same users in the same order; some may be left without events.
        held_out: for each user the video_nums asked for, in order of first liking, no repeats.
    """

    train: Histories
    held_out: list[Ints]


def time_split(histories: Histories, *, cut: int) -> Split:
    """One moment for everybody: learn before it, ask for what came after.

    Args:
        histories: weighed visits, oldest first within a user.
        cut: seconds since 1970 UTC; events at it are held out.
    """
    train = histories.before(cut)
    later = histories.event_at >= cut
    is_first = _first_meetings(histories)
    # Met at or after the cut for the first time: not known before it.
    new_pairs = _pairs(histories)[is_first & later]
    asked = later & (histories.weights > 0) & np.isin(_pairs(histories), new_pairs)
    held_out = _by_user(histories, asked)
    n_asked = sum(len(videos) > 0 for videos in held_out)
    log.info("%d of %d users liked a new video after the cut", n_asked, histories.n_users)
    return Split(train, held_out)


def turned_away_later(histories: Histories, *, cut: int) -> list[Ints]:
    """For each user the video_nums met first at or after a cut and only turned away since.

    Args:
        histories: weighed visits, oldest first within a user.
        cut: seconds since 1970 UTC.
    """
    pairs = _pairs(histories)
    new_pairs = pairs[_first_meetings(histories) & (histories.event_at >= cut)]
    liked = np.unique(pairs[histories.weights > 0])
    away = (histories.weights < 0) & np.isin(pairs, new_pairs) & ~np.isin(pairs, liked)
    return _by_user(histories, away)


def leave_last_out(histories: Histories) -> Split:
    """The last new video each user liked is asked for; all before it is learned from.

    Events of equal time keep their order (that of the input rows), so the split is the same on
    every machine. Events after the one held out are left out of training: they are its future.
    A user with nothing before it is not asked and keeps all events.
    """
    positions = np.arange(histories.n_events) - histories.offsets[histories.user_nums()]
    askable = _first_meetings(histories) & (histories.weights > 0) & (positions > 0)
    last = np.full(histories.n_users, -1, dtype=np.int64)
    np.maximum.at(last, histories.user_nums()[askable], np.flatnonzero(askable))
    limits = np.where(last >= 0, last, histories.offsets[1:])
    train = histories.where(np.arange(histories.n_events) < limits[histories.user_nums()])
    nobody = np.empty(0, dtype=np.int64)
    held_out = [histories.video_nums[i : i + 1] if i >= 0 else nobody for i in last]
    log.info("%d of %d users have a last video to ask for", (last >= 0).sum(), histories.n_users)
    return Split(train, held_out)


def k_core(user_nums: Ints, video_nums: Ints, *, k: int) -> npt.NDArray[np.bool_]:
    """Which events are left when users and videos under k events are removed until none is.

    Args:
        user_nums: ``(n_events,)`` who.
        video_nums: ``(n_events,)`` what.
        k: events that every user and every video has in the end.

    Returns:
        ``(n_events,)`` bool; the largest such set is unique (Seidman, 1983).
    """
    keep = np.ones(len(user_nums), dtype=bool)
    while True:
        n_of_user = np.bincount(user_nums[keep], minlength=user_nums.max(initial=-1) + 1)
        n_of_video = np.bincount(video_nums[keep], minlength=video_nums.max(initial=-1) + 1)
        still = keep & (n_of_user[user_nums] >= k) & (n_of_video[video_nums] >= k)
        if still.sum() == keep.sum():
            return keep
        keep = still


def _pairs(histories: Histories) -> Ints:
    """``(n_events,)`` one number for each (user, video)."""
    n_videos = int(histories.video_nums.max(initial=0)) + 1
    return histories.user_nums() * n_videos + histories.video_nums


def _first_meetings(histories: Histories) -> npt.NDArray[np.bool_]:
    """``(n_events,)`` whether the user had no earlier event with that video."""
    first = np.zeros(histories.n_events, dtype=bool)
    first[np.unique(_pairs(histories), return_index=True)[1]] = True
    return first


def _by_user(histories: Histories, asked: npt.NDArray[np.bool_]) -> list[Ints]:
    """The videos of the events asked for, a user each, in order of the first of them."""
    chosen = histories.where(asked)
    firsts = chosen.where(_first_meetings(chosen))
    return [firsts.video_nums[firsts.of(user)] for user in range(firsts.n_users)]
