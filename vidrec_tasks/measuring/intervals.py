"""Intervals: how sure a mean over users is, by the bootstrap (Efron & Tibshirani, 1993)."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import USER_NUM

Floats = npt.NDArray[np.float64]
_Method = Literal["linear", "inverted_cdf"]


class Interval(NamedTuple):
    """A mean with its percentile interval; NaN where there was no value."""

    mean: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two systems on the same users: ``a - b`` and ``a / b`` of their means."""

    difference: Interval
    ratio: Interval


def bootstrap_interval(
    values: npt.ArrayLike, *, n_draws: int, rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """The mean of values and its percentile bootstrap interval.

    Args:
        values: ``(n,)`` one value a user.
        n_draws: draws of n users with replacement.
        rng: where the draws come from.
        level: probability mass between low and high.
    """
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        return Interval(np.nan, np.nan, np.nan)
    means = _draw_means(array[:, None], n_draws, rng)[:, 0]
    return _interval(float(array.mean()), means, level)


def paired_bootstrap(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    n_draws: int,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Comparison:
    """Compare two systems on the same users; each draw takes the same users of both.

    Args:
        a: ``(n,)`` one value a user.
        b: ``(n,)`` of the other system, in the same order of users.
        n_draws: draws of n users with replacement.
        rng: where the draws come from.
        level: probability mass between low and high.

    Raises:
        ValueError: the two are not of one length.
    """
    pairs = np.stack([np.asarray(a, np.float64), np.asarray(b, np.float64)], axis=1)  # (n, 2)
    if not len(pairs):
        nothing = Interval(np.nan, np.nan, np.nan)
        return Comparison(nothing, nothing)
    means = _draw_means(pairs, n_draws, rng)  # (n_draws, 2)
    mean = pairs.mean(axis=0)
    return Comparison(
        _interval(float(mean[0] - mean[1]), means[:, 0] - means[:, 1], level),
        _interval(float(_ratio(mean[None])[0]), _ratio(means), level),
    )


def summarise(
    per_user: pd.DataFrame, *, n_draws: int, rng: np.random.Generator, level: float = 0.95
) -> dict[str, dict[str, float]]:
    """Mean and interval of every metric column (those with an ``@``) of `ranking_metrics`.

    Returns:
        ``metric -> {"mean", "low", "high", "n_users"}``; nothing where no user was measured, so
        that no NaN reaches a gate or JSON.
    """
    if per_user.empty:
        return {}
    names = [str(name) for name in per_user.columns if "@" in str(name) and name != USER_NUM]
    values = per_user[names].to_numpy(np.float64)  # (n_users, n_metrics)
    means = _draw_means(values, n_draws, rng)  # (n_draws, n_metrics): the same users for all
    summary = {}
    for column, name in enumerate(names):
        interval = _interval(float(values[:, column].mean()), means[:, column], level)
        summary[name] = {**interval._asdict(), "n_users": float(len(values))}
    return summary


def _draw_means(values: Floats, n_draws: int, rng: np.random.Generator) -> Floats:
    """``(n_draws, n_columns)`` means over users drawn with replacement, one draw at a time."""
    n = len(values)
    means = np.empty((n_draws, values.shape[1]))
    for draw in range(n_draws):
        # how often each user was drawn: n numbers a draw, never n_draws x n at once
        counts = np.bincount(rng.integers(0, n, size=n), minlength=n)
        means[draw] = counts @ values / n
    return means


def _interval(mean: float, draws: Floats, level: float) -> Interval:
    tail = (1 - level) / 2
    # Nothing lies between a finite draw and an infinite one: the draw itself is taken then.
    method: _Method = "linear" if np.isfinite(draws).all() else "inverted_cdf"
    low, high = np.quantile(draws, [tail, 1 - tail], method=method)
    return Interval(mean, float(low), float(high))


def _ratio(means: Floats) -> Floats:
    """``a / b``; 1 where both are 0, infinite where only b is."""
    a, b = means[:, 0], means[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == 0) & (b == 0), 1.0, a / b)
