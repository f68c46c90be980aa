"""Holding out: how many days before the night are held out, so that enough users can be asked.

A user counts who met a video for the first time in the window and did not only pass it by or turn
it away. Whether they liked it is known only once the window is, as visits are weighed by what lies
before.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.interactions import duration_statistics
from vidrec_tasks.audience.watch_statistics import merge_statistics
from vidrec_tasks.columns import EVENT_AT, EVENT_TYPE, USER_ID, VIDEO_ID
from vidrec_tasks.running.job import midnight
from vidrec_tasks.settings import EvaluationSettings

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

IMPRESSION: Final = "impression"
MAX_SHARE: Final = 1 / 3
"""Share of the log's days that the window has at most when it has grown."""
_TURNED_AWAY: Final = ("skip", "dislike")


@dataclass(frozen=True)
class Window:
    """The days before a night that are held out from the evaluation fit.

    Attributes:
        days: how many.
        n_users: who met something new in them.
    """

    days: int
    n_users: int


@dataclass(frozen=True)
class Newest:
    """How many days before a night users last met something new, by shards so far.

    Attributes:
        ages: of each shard, ``(n_users,)`` whole days, 0 the last day before the night.
        span: days from the first event to the night.
    """

    ages: tuple[Ints, ...] = ()
    span: int = 0

    def plus(self, events: pd.DataFrame, *, night: date) -> "Newest":
        """With one shard more: all events of its users before the night, sorted by time."""
        if events.empty:
            return self
        ages = _whole_days(pd.Timestamp(midnight(night)) - events[EVENT_AT])
        kinds = events[EVENT_TYPE]
        acted = events[[USER_ID, VIDEO_ID]].assign(
            age=ages, is_met=~kinds.isin((IMPRESSION, *_TURNED_AWAY))
        )[kinds != IMPRESSION]
        pairs = acted.groupby([USER_ID, VIDEO_ID], sort=False)
        first = pairs.agg(age=("age", "max"), is_met=("is_met", "any")).reset_index()
        newest = first[first["is_met"]].groupby(USER_ID)["age"].min().to_numpy(np.int64)
        return Newest((*self.ages, newest), max(self.span, 1 + int(ages.max())))

    def window(self, settings: EvaluationSettings) -> Window:
        """The shortest window with enough users, from ``holdout_days`` to a third of the log.

        Where none has enough, the shortest of those with the most.
        """
        ages = np.concatenate([*self.ages, np.zeros(0, dtype=np.int64)])
        longest = max(settings.holdout_days, int(MAX_SHARE * self.span))
        counts = np.cumsum(np.bincount(ages, minlength=longest)[:longest])
        wanted = min(settings.holdout_users, int(counts[-1]))
        days = max(settings.holdout_days, 1 + int(np.searchsorted(counts, wanted)))
        window = Window(days, int(counts[days - 1]))
        log.info("%d users met a new video in the last %d days", window.n_users, window.days)
        return window


def statistics_before(
    shards: Iterable[pd.DataFrame], videos: pd.DataFrame, *, night: date, days: int
) -> pd.DataFrame:
    """How far videos were watched before the held-out days, or at all where nothing was before.

    Args:
        shards: the events of all users, a shard at a time.
        videos: the catalogue, sorted by video_id.
        night: the night.
        days: that are held out before it.
    """
    moment = pd.Timestamp(midnight(night)) - pd.Timedelta(days=days)
    before, whole, n_before = [], [], 0
    for events in shards:
        early = events[events[EVENT_AT] < moment]
        n_before += len(early)
        before.append(duration_statistics(early, videos, night=night))
        if not n_before:
            whole.append(duration_statistics(events, videos, night=night))
    return merge_statistics(before if n_before else whole)


def _whole_days(lengths: pd.Series) -> Ints:
    """``(n,)`` 0 for the last day before the night, its first moment too."""
    days = np.ceil(lengths.dt.total_seconds().to_numpy(np.float64) / 86_400)
    return np.asarray(days, dtype=np.int64) - 1
