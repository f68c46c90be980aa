"""Interactions: how much each visit says of a user's taste, as one weight.

Sharing of statistics between user shards is by `watch_statistics`; profiles and models read the
weights. Time decay is not in a weight: whoever wants it multiplies by `decay`.
"""

import logging
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.visits import COMPLETED_SHARE, gather_visits
from vidrec_tasks.audience.watch_statistics import (
    count_visits,
    duration_bins,
    quantiles,
    rating_scale,
    seconds_quantiles,
    share_levels,
)
from vidrec_tasks.columns import (
    DURATION_S,
    EVENT_AT,
    IS_WATCHED,
    ROW_NUM,
    USER_ID,
    VALUE,
    VIDEO_ID,
    VIDEO_NUM,
    WATCH_QUANTILE,
    WATCHED_S,
    WATCHED_SHARE,
    WEIGHT,
)
from vidrec_tasks.settings import AudienceSettings

log = logging.getLogger(__name__)


MIN_WEIGHT: Final = -2.0
MAX_WEIGHT: Final = 3.0

LONG_VIEW_S: Final = 18.0
"""Seconds of a long view; of a shorter video, the whole (the ``long_view`` of KuaiRand)."""

_NEUTRAL_QUANTILE = 0.2
"""A viewing that beats one in five of its like says nothing; one that beats less, a little no."""
_PLAY_QUANTILE = 0.4
_COMPLETE_QUANTILE = 0.75
_HALF_WATCHED_WEIGHT = 0.05
_RATED_WEIGHT = 0.5
_PRIOR_RATINGS = 5.0

Doubles = npt.NDArray[np.float64]


def duration_statistics(
    interactions: pd.DataFrame, videos: pd.DataFrame, *, night: date
) -> pd.DataFrame:
    """How far videos of each length were watched before a night.

    Args:
        interactions: validated events of one user shard.
        videos: the catalogue, sorted by video_id.
        night: events at or after its 00:00 UTC do not exist.

    Returns:
        Counts (kind, bin, level, n) that `watch_statistics.merge_statistics` adds up over shards.
    """
    return count_visits(gather_visits(interactions, videos, night=night))


def weigh(
    interactions: pd.DataFrame,
    videos: pd.DataFrame,
    settings: AudienceSettings,
    *,
    night: date,
    statistics: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Weigh the visits of one user shard.

    The share watched counts by its place among viewings of like duration, so short and long videos
    compete fairly, or by another label (``watch_label``); explicit events move it by the configured
    weights. A second visit to a video counts 1/sqrt(2), a third 1/sqrt(3), so that a song on repeat
    does not drown the rest.

    Args:
        interactions: validated events; those at or after the night never pass.
        videos: the catalogue, sorted by video_id.
        settings: the label of what was watched, the weights of explicit events.
        night: the night that is weighed for.
        statistics: over all shards; those of these interactions alone when None.

    Returns:
        One row a visit, ordered by user_id, event_at, row_num: user_id, video_id, video_num,
        event_at (of its last event), row_num, watched_share (NaN unknown), watch_quantile (in
        [0, 1], NaN unknown), is_watched (False: only skipped or disliked), weight in [-2, 3].
    """
    visits = gather_visits(interactions, videos, night=night)
    if statistics is None:
        statistics = count_visits(visits)
    quantile = _watch_quantile(visits, statistics, settings.watch_label)
    weight = _watch_weight(visits, quantile) + _explicit_weight(visits, settings, statistics)
    positive = visits[["play", "complete", "like", "share", "rating"]].sum(axis=1)
    weighed = visits[[USER_ID, VIDEO_ID, VIDEO_NUM, EVENT_AT, ROW_NUM, WATCHED_SHARE]].copy()
    weighed[WATCH_QUANTILE] = quantile
    weighed[IS_WATCHED] = positive.to_numpy() > 0
    weighed[WEIGHT] = np.clip(_damp_repeats(visits, weight), MIN_WEIGHT, MAX_WEIGHT)
    n_liked = int((weighed[WEIGHT] > 0).sum())
    log.info("%d of %d visits have a positive weight", n_liked, len(weighed))
    return weighed.astype({WEIGHT: "float32"})


def decay(event_at: pd.Series, *, night: date, half_life_days: float) -> Doubles:
    """``(n_events,)`` 0.5 to the power of the age in half-lives; 1 at the night's 00:00 UTC."""
    age = pd.Timestamp(night, tz="UTC") - event_at
    age_days = age.dt.total_seconds().to_numpy(np.float64) / 86_400
    return np.asarray(0.5 ** (np.maximum(age_days, 0.0) / half_life_days))


def _watch_quantile(visits: pd.DataFrame, statistics: pd.DataFrame, label: str) -> Doubles:
    """What the watching says, in [0, 1]; by plays and completions where nothing else is known.

    Where the duration is not known (0 in a fifth of the rows of KuaiRand), the seconds watched
    stand among those of all viewings. NaN where nothing was watched (a like from a list, a rating).
    """
    duration_s = visits[DURATION_S].to_numpy(np.float64)
    watched_s = visits[WATCHED_S].to_numpy(np.float64)
    share = visits[WATCHED_SHARE].to_numpy(np.float64)
    quantile = np.where(visits["play"] > 0, _PLAY_QUANTILE, np.nan)
    quantile = np.where(visits["complete"] > 0, _COMPLETE_QUANTILE, quantile)
    timed = ~np.isnan(watched_s) & ~np.isnan(quantile)
    by_seconds = seconds_quantiles(statistics)[duration_bins(watched_s[timed])]
    is_whole = (visits["complete"] > 0).to_numpy()[timed]
    quantile[timed] = np.where(is_whole, np.fmax(by_seconds, _COMPLETE_QUANTILE), by_seconds)
    known = ~np.isnan(duration_s) & ~np.isnan(share)
    if label == "quantile":
        levels = (duration_bins(duration_s[known]), share_levels(share[known]))
        quantile[known] = quantiles(statistics)[levels]
    elif label == "long_view":
        whole = np.fmin(duration_s[known], LONG_VIEW_S)
        is_long = share[known] * duration_s[known] >= COMPLETED_SHARE * whole
        quantile[known] = np.where(is_long, 1.0, 0.0)
    return quantile


def _watch_weight(visits: pd.DataFrame, quantile: Doubles) -> Doubles:
    """From -0.25 to 1; a viewing of half a video or more is never against it."""
    weight = (quantile - _NEUTRAL_QUANTILE) / (1 - _NEUTRAL_QUANTILE)
    half = visits[WATCHED_SHARE].to_numpy(np.float64) >= 0.5
    weight = np.where(half, np.fmax(weight, _HALF_WATCHED_WEIGHT), weight)
    return np.where(np.isnan(quantile), 0.0, weight)


def _explicit_weight(
    visits: pd.DataFrame, settings: AudienceSettings, statistics: pd.DataFrame
) -> Doubles:
    """What was said on purpose; twice in a visit counts once."""
    configured = {
        "like": settings.like_weight,
        "share": settings.share_weight,
        "dislike": settings.dislike_weight,
        "skip": settings.skip_weight,
    }
    explicit = sum(
        (visits[name].to_numpy() > 0) * weight for name, weight in configured.items()
    ) + np.zeros(len(visits))
    return np.asarray(explicit + _rating_weight(visits, settings, statistics))


def _rating_weight(
    visits: pd.DataFrame, settings: AudienceSettings, statistics: pd.DataFrame
) -> Doubles:
    """Ratings in standard deviations above the user's own mean so far, which leans on everyone's.

    So far: what a user rates later must not change what an earlier rating said.
    """
    overall, spread = rating_scale(statistics)
    value = visits[VALUE]  # oldest first within a user
    n = value.notna().astype(np.int64).groupby(visits[USER_ID]).cumsum()
    total = value.fillna(0.0).groupby(visits[USER_ID]).cumsum()
    mean = (total + _PRIOR_RATINGS * overall) / (n + _PRIOR_RATINGS)
    deviation = ((value - mean) / spread if spread > 0 else 0 * value).clip(-2, 2)
    alone = (visits["play"] + visits["complete"] == 0).to_numpy() * _RATED_WEIGHT
    rated = alone + settings.rating_weight * deviation.to_numpy(np.float64)
    return np.where(value.isna(), 0.0, rated)


def _damp_repeats(visits: pd.DataFrame, weight: Doubles) -> Doubles:
    """The n-th positive visit of a user to a video by 1/sqrt(n)."""
    positive = pd.Series(weight > 0).astype(int)
    times = positive.groupby([visits[USER_ID], visits[VIDEO_NUM]]).cumsum().to_numpy()
    return np.where(weight > 0, weight / np.sqrt(np.maximum(times, 1)), weight)
