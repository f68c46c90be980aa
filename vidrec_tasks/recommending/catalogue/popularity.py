"""Popularity before the cut: how many users like a video, corrected for its age."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue.content import Content

_DAY_S = 86_400
WINDOW_DAYS = 28
RECENT_DAYS = 3


@dataclass(frozen=True)
class Popularity:
    """What everybody does, seen from one moment.

    Attributes:
        n_users: ``(n_videos,)`` float32, users who ever liked it.
        popular: ``(n_videos,)`` float32, log of users a day it was there, in the last 28 days.
        trending: ``(n_videos,)`` float32, log ratio of the last 3 days' rate to the window's.
        age_days: ``(n_videos,)`` float32, days since publication; infinite where unknown.
    """

    n_users: npt.NDArray[np.float32]
    popular: npt.NDArray[np.float32]
    trending: npt.NDArray[np.float32]
    age_days: npt.NDArray[np.float32]


def measure_popularity(histories: Histories, content: Content, *, cut: int) -> Popularity:
    """Measure popularity on events before ``cut`` alone.

    A window with no event (old logs) reaches back to the newest one before the cut instead.

    Args:
        histories: all users.
        content: publication times.
        cut: seconds since 1970 UTC.
    """
    seen = histories.where((histories.event_at < cut) & (histories.weights > 0))
    ever = _users_of(seen, content.n_videos)
    newest = int(seen.event_at.max()) + 1 if seen.n_events else cut
    end = cut if newest > cut - WINDOW_DAYS * _DAY_S else newest
    recent = seen.where(seen.event_at >= end - RECENT_DAYS * _DAY_S)
    window = seen.where(seen.event_at >= end - WINDOW_DAYS * _DAY_S)
    age = age_days(content, at=end)
    # At least a day there: one view in the first hour is not a rate of 24 a day.
    there = np.clip(age, 1, WINDOW_DAYS)
    rate = _users_of(window, content.n_videos) / there
    rate_recent = _users_of(recent, content.n_videos) / np.clip(age, 1, RECENT_DAYS)
    # 2 users of doubt: a trend needs more than a single viewer.
    doubt = 2 / WINDOW_DAYS
    trending = np.log((rate_recent + doubt) / (rate + doubt)) * (rate_recent > 0)
    popular = np.log1p(rate * WINDOW_DAYS) + 0.01 * np.log1p(ever)
    return Popularity(
        ever.astype(np.float32),
        popular.astype(np.float32),
        trending.astype(np.float32),
        age_days(content, at=cut).astype(np.float32),
    )


def age_days(content: Content, *, at: int) -> npt.NDArray[np.float64]:
    """``(n_videos,)`` days since publication, infinite where unknown."""
    age = (at - content.published_at_s) / _DAY_S
    return np.where(content.published_at_s > 0, age, np.inf)


def _users_of(histories: Histories, n_videos: int) -> npt.NDArray[np.float64]:
    """How many different users have an event with each video."""
    pairs = np.unique(histories.user_nums() * n_videos + histories.video_nums)
    return np.bincount(pairs % max(1, n_videos), minlength=n_videos).astype(np.float64)
