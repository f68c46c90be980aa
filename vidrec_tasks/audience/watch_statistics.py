"""Watch statistics: how far videos of each length are watched, and what ratings are given.

Plain counts, so the statistics of shards add up; `interactions` compares a viewing with them.
After duration-debiased watch labels: Zhan et al., 2022 (D2Q), and Zheng et al., 2022.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import DURATION_S, VALUE, WATCHED_S, WATCHED_SHARE

KIND: Final = "kind"
BIN: Final = "bin"
LEVEL: Final = "level"
N: Final = "n"

N_BINS: Final = 32
"""Duration bins, half an octave each: 1 s is bin 0, 46,341 s and more are the last."""

N_LEVELS: Final = 21
"""Levels of the watched share: twentieths, and one for the whole."""

PRIOR_VIEWS: Final = 20.0
"""Viewings that neighbouring bins weigh in a bin: a bin of 20 own viewings is half its own."""

Doubles = npt.NDArray[np.float64]


def count_visits(visits: pd.DataFrame) -> pd.DataFrame:
    """Count visits into statistics.

    Args:
        visits: duration_s, watched_s, watched_share, value, as `visits.gather_visits` gives them.

    Returns:
        kind ('watch', 'seconds' or 'rating'), bin (of the duration; 0 elsewhere), level (of the
        watched share; the bin of the seconds watched; the rating itself, to a tenth), n.
    """
    watched = visits[visits[DURATION_S].notna() & visits[WATCHED_SHARE].notna()]
    watch = pd.DataFrame(
        {
            KIND: "watch",
            BIN: duration_bins(watched[DURATION_S].to_numpy(np.float64)),
            LEVEL: share_levels(watched[WATCHED_SHARE].to_numpy(np.float64)).astype(np.float64),
            N: 1,
        }
    )
    watched_s = visits.loc[visits[WATCHED_S].notna(), WATCHED_S].to_numpy(np.float64)
    levels = duration_bins(watched_s).astype(np.float64)
    seconds = pd.DataFrame({KIND: "seconds", BIN: 0, LEVEL: levels, N: 1})
    ratings = visits.loc[visits[VALUE].notna(), VALUE].to_numpy(np.float64)
    rating = pd.DataFrame({KIND: "rating", BIN: 0, LEVEL: np.round(ratings, 1), N: 1})
    return merge_statistics([watch, seconds, rating])


def merge_statistics(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The statistics of several shards as one; counts add up, so the order does not matter."""
    table = pd.concat(parts, ignore_index=True)
    sums = table.groupby([KIND, BIN, LEVEL], sort=True)[N].sum().reset_index()
    return sums.astype({KIND: "str", BIN: "int64", LEVEL: "float64", N: "int64"})


def duration_bins(duration_s: Doubles) -> npt.NDArray[np.int64]:
    """The bin of each duration, or of another number of seconds."""
    octaves = np.log2(np.maximum(duration_s, 1.0))
    return np.clip(np.rint(2 * octaves), 0, N_BINS - 1).astype(np.int64)


def share_levels(shares: Doubles) -> npt.NDArray[np.int64]:
    """The level of each watched share in [0, 1]."""
    # 1e-9: 0.15 * 20 is 2.9999999999999996
    return np.floor(np.clip(shares, 0, 1) * (N_LEVELS - 1) + 1e-9).astype(np.int64)


def quantiles(statistics: pd.DataFrame) -> Doubles:
    """``(N_BINS, N_LEVELS)`` the share of viewings of like duration that a viewing beats.

    Equal viewings count half (mid-rank), and a bin leans on its neighbours, each half as much as
    the one before, by `PRIOR_VIEWS`. Without any viewing everything is 0.5.
    """
    counts = np.zeros((N_BINS, N_LEVELS))
    watch = statistics[statistics[KIND] == "watch"]
    counts[watch[BIN].to_numpy(), watch[LEVEL].to_numpy().astype(np.int64)] = watch[N].to_numpy()
    counts = counts + _borrowed(counts)
    below = np.cumsum(counts, axis=1) - counts
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, (below + counts / 2) / np.maximum(total, 1e-12), 0.5)


def seconds_quantiles(statistics: pd.DataFrame) -> Doubles:
    """``(N_BINS,)`` the share of all viewings that one of so many seconds beats, by its bin.

    Equal viewings count half (mid-rank). Without any viewing everything is 0.5.
    """
    counts = np.zeros(N_BINS)
    seconds = statistics[statistics[KIND] == "seconds"]
    counts[seconds[LEVEL].to_numpy().astype(np.int64)] = seconds[N].to_numpy()
    total = counts.sum()
    return (np.cumsum(counts) - counts / 2) / total if total else np.full(N_BINS, 0.5)


def rating_scale(statistics: pd.DataFrame) -> tuple[float, float]:
    """Mean and standard deviation of all ratings; (0, 0) when there are none."""
    rating = statistics[statistics[KIND] == "rating"]
    n = rating[N].to_numpy(np.float64)
    if not n.sum():
        return 0.0, 0.0
    levels = rating[LEVEL].to_numpy(np.float64)
    mean = float(np.average(levels, weights=n))
    return mean, float(np.sqrt(np.average((levels - mean) ** 2, weights=n)))


def _borrowed(counts: Doubles) -> Doubles:
    """What the neighbours lend each bin: `PRIOR_VIEWS` viewings at most."""
    distance = np.abs(np.subtract.outer(np.arange(N_BINS), np.arange(N_BINS)))
    near = np.where(distance > 0, 0.5**distance, 0.0)
    lent = near @ counts  # (N_BINS, N_LEVELS)
    total = lent.sum(axis=1, keepdims=True)
    return lent * np.minimum(1.0, PRIOR_VIEWS / np.maximum(total, 1e-12))
