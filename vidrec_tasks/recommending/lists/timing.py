"""Features of time: popularity in several windows, ages, and what a user likes usually.

More of them does not always speak for a video, so they are for trees alone.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.catalogue.popularity import DAYS
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.feature import Feature
from vidrec_tasks.recommending.reason_codes import NEW_VIDEO, POPULAR_NOW

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

Measure = Callable[[Block, Ints], Floats]
"""``(n_users, k)`` a number of each candidate; of the candidates alone, never of all videos."""

_DAY_S = 86_400.0
_UNKNOWN = -1.0
"""Stands for an age that nobody knows: ages in days and their logarithms are never below 0."""


def _rank(window: int) -> Feature:
    name = f"rank_{DAYS[window]}d"
    return Feature(
        name,
        lambda block, nums: block.models.popularity.ranks[:, window][nums],
        speaks_for=(POPULAR_NOW,),
        blended=False,
    )


def _trend(short: int, long: int) -> Feature:
    def measure(block: Block, nums: Ints) -> Floats:
        counts = block.models.popularity.counts
        rates = [counts[nums, window] / DAYS[window] for window in (short, long)]
        doubt = 0.5 / DAYS[long]
        return np.log((rates[0] + doubt) / (rates[1] + doubt)).astype(np.float32)

    name = f"trend_{DAYS[short]}d_{DAYS[long]}d"
    return Feature(name, measure, speaks_for=(POPULAR_NOW,), blended=False)


def _since(moments: npt.NDArray[np.int64], cut: int) -> Floats:
    """Log of the days from each moment to the cut; `_UNKNOWN` where there is none."""
    days = np.log1p(np.maximum(cut - moments, 0) / _DAY_S)
    return np.where(moments > 0, days, _UNKNOWN).astype(np.float32)


def _first_seen(block: Block, nums: Ints) -> Floats:
    return _since(block.models.popularity.first_at[nums], block.models.cut)


def _published(block: Block, nums: Ints) -> Floats:
    return _since(block.models.content.published_at_s[nums], block.models.cut)


def _idle(block: Block, nums: Ints) -> Floats:
    return _since(block.models.popularity.last_at[nums], block.models.cut)


def _of_video(name: str, measure: Measure) -> Feature:
    return Feature(name, measure, speaks_for=(NEW_VIDEO,), blended=False)


def _of_user(name: str, measure: Callable[[Block], Floats]) -> Feature:
    def repeated(block: Block, nums: Ints) -> Floats:
        return np.repeat(measure(block)[:, None], nums.shape[1], axis=1)

    return Feature(name, repeated, blended=False)


def _mean_of_liked(block: Block, values: Floats) -> Floats:
    """``(n_users,)`` the mean of ``(n_events,)`` values over liked events; `_UNKNOWN` without."""
    histories = block.histories
    counts = (histories.weights > 0) & (values >= 0)
    users = histories.user_nums()[counts]
    total = np.bincount(users, weights=values[counts], minlength=histories.n_users)
    n = np.bincount(users, minlength=histories.n_users)
    return np.where(n > 0, total / np.maximum(n, 1), _UNKNOWN).astype(np.float32)


def _age_when_liked(block: Block, since: npt.NDArray[np.int64]) -> Floats:
    """``(n_users,)`` how old, in log days from ``since``, what a user likes usually is then."""
    histories = block.histories
    began = since[histories.video_nums]
    days = np.log1p(np.maximum(histories.event_at - began, 0) / _DAY_S)
    return _mean_of_liked(block, np.where(began > 0, days, _UNKNOWN).astype(np.float32))


def _usual_seen(block: Block) -> Floats:
    return _age_when_liked(block, block.models.popularity.first_at)


def _usual_published(block: Block) -> Floats:
    return _age_when_liked(block, block.models.content.published_at_s)


def _usual_popularity(block: Block) -> Floats:
    n_users = block.models.popularity.n_users[block.histories.video_nums]
    return _mean_of_liked(block, np.log1p(n_users))


def _n_history(block: Block) -> Floats:
    return np.log1p(np.diff(block.histories.offsets)).astype(np.float32)


def _away(block: Block) -> Floats:
    """Log of the days since a user's last event."""
    histories = block.histories
    last = np.zeros(histories.n_users, dtype=np.int64)
    np.maximum.at(last, histories.user_nums(), histories.event_at)
    return _since(last, block.models.cut)


def _gap(name: str, of_video: Measure, of_user: Callable[[Block], Floats]) -> Feature:
    """How much older a video is than what the user likes usually was; 0 where either is unknown."""

    def measure(block: Block, nums: Ints) -> Floats:
        own, usual = of_video(block, nums), of_user(block)[:, None]
        return np.where((own >= 0) & (usual >= 0), own - usual, 0).astype(np.float32)

    return Feature(name, measure, blended=False)


TIMING: Final[tuple[Feature, ...]] = (
    *(_rank(window) for window in range(len(DAYS))),
    _trend(0, 2), _trend(1, 3), _trend(2, 4),
    _of_video("seen_days", _first_seen),
    _of_video("published_days", _published),
    _of_video("idle_days", _idle),
    _of_user("n_history", _n_history),
    _of_user("away_days", _away),
    _of_user("usual_seen_days", _usual_seen),
    _of_user("usual_published_days", _usual_published),
    _of_user("usual_popularity", _usual_popularity),
    _gap("seen_gap", _first_seen, _usual_seen),
    _gap("published_gap", _published, _usual_published),
)  # fmt: skip
