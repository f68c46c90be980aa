"""Popularity before the cut: how many users like a video, corrected for its age."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.lately import log_shares

_DAY_S = 86_400
WINDOW_DAYS = 28
RECENT_DAYS = 3
DAYS: Final = (1, 3, 7, 14, 30)
"""Windows before the cut whose counts the ranker reads."""


@dataclass(frozen=True)
class Popularity:
    """What everybody does, seen from one moment.

    Attributes:
        n_users: ``(n_videos,)`` float32, users who ever liked it.
        popular: ``(n_videos,)`` float32, log of users a day it was there, in the last 28 days.
        trending: ``(n_videos,)`` float32, log ratio of the last 3 days' rate to the window's.
        age_days: ``(n_videos,)`` float32, days since publication; infinite where unknown.
        counts: ``(n_videos, n_windows)`` float32, users who liked it in the last `DAYS`.
        first_at, last_at: ``(n_videos,)`` int64, seconds since 1970 UTC of the first and the last
            event that liked it; 0 where there is none.
        lately: ``(n_videos,)`` float32, as of `lately.log_shares` at the cut.
        turned_away: ``(n_videos,)`` float32, users with an event against it.
    """

    n_users: npt.NDArray[np.float32]
    popular: npt.NDArray[np.float32]
    trending: npt.NDArray[np.float32]
    age_days: npt.NDArray[np.float32]
    counts: npt.NDArray[np.float32]
    first_at: npt.NDArray[np.int64]
    last_at: npt.NDArray[np.int64]
    lately: npt.NDArray[np.float32]
    turned_away: npt.NDArray[np.float32]

    @cached_property
    def turned_away_share(self) -> float:
        """Share of all meetings that ended in turning away."""
        turned, liked = (
            float(values.sum(dtype=np.float64)) for values in (self.turned_away, self.n_users)
        )
        return (turned + 1) / (turned + liked + 20)

    @cached_property
    def ranks(self) -> npt.NDArray[np.float32]:
        """``(n_videos, n_windows)`` log of the rank by each of the counts, 0 the first.

        Ranks are the same scale at any moment, shares are not: trees that read shares know the
        videos of the window that they learned from by heart. Equal counts have one rank: by number
        trees would know them by their ids.
        """
        if not len(self.counts):
            return np.zeros_like(self.counts)
        ranks = rankdata(-self.counts, method="min", axis=0) - 1
        return np.log1p(ranks).astype(np.float32)


def measure_popularity(histories: Histories, content: Content, *, cut: int) -> Popularity:
    """Measure popularity on events before ``cut`` alone.

    A window with no event (old logs) reaches back to the newest one before the cut instead.

    Args:
        histories: all users.
        content: publication times.
        cut: seconds since 1970 UTC.
    """
    before = histories.before(cut)
    seen = before.where(before.weights > 0)
    against = before.where(before.weights < 0)
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
        users_by_window(seen, content.n_videos, end=end).astype(np.float32),
        *_first_and_last(seen, content.n_videos),
        log_shares(seen, content.n_videos, cut=end),
        _users_of(against, content.n_videos).astype(np.float32),
    )


def users_by_window(histories: Histories, n_videos: int, *, end: int) -> npt.NDArray[np.float64]:
    """How many different users have an event with each video in the last `DAYS` before a moment.

    Args:
        histories: events before the moment.
        n_videos: videos of the catalogue.
        end: seconds since 1970 UTC.

    Returns:
        ``(n_videos, n_windows)``.
    """
    windows = (histories.where(histories.event_at >= end - days * _DAY_S) for days in DAYS)
    return np.stack([_users_of(window, n_videos) for window in windows], axis=1)


def _first_and_last(
    seen: Histories, n_videos: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    never = np.iinfo(np.int64).max
    first = np.full(n_videos, never, dtype=np.int64)
    np.minimum.at(first, seen.video_nums, seen.event_at)
    last = np.zeros(n_videos, dtype=np.int64)
    np.maximum.at(last, seen.video_nums, seen.event_at)
    return np.where(first == never, 0, first), last


def age_days(content: Content, *, at: int) -> npt.NDArray[np.float64]:
    """``(n_videos,)`` days since publication, infinite where unknown."""
    age = (at - content.published_at_s) / _DAY_S
    return np.where(content.published_at_s > 0, age, np.inf)


def _users_of(histories: Histories, n_videos: int) -> npt.NDArray[np.float64]:
    """How many different users have an event with each video."""
    pairs = np.unique(histories.user_nums() * n_videos + histories.video_nums)
    return np.bincount(pairs % max(1, n_videos), minlength=n_videos).astype(np.float64)
