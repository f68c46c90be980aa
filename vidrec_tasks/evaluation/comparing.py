"""Comparing: two fits or two scorers on the same users, by the paired bootstrap, by segment.

Both have learned from the same events before the same cut, so that neither has seen the answers.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.evaluation.offline import SERVED, Offline, users_by_segment
from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES

METRIC: Final = "ndcg@10"
MIN_USERS: Final = 50
"""Users a segment needs before it is compared: fewer say nothing about a tenth of NDCG."""

Doubles = npt.NDArray[np.float64]


def compare(tonight: Offline, champion: Offline, *, n_draws: int, seed: int) -> dict[str, Any]:
    """Tonight's served lists against the champion's.

    Args:
        tonight: of the evaluation fit.
        champion: of the champion's configuration, on the same users.
        n_draws: bootstrap draws.
        seed: of the draws.

    Returns:
        ``ndcg@10`` the champion's mean; ``ratio``, tonight's to it, with value, low, high, n_users;
        ``segments``: segment -> such a ratio, for segments of at least `MIN_USERS`.
    """
    ours, its = (_served(offline) for offline in (tonight, champion))
    segments = {
        name: ratio_of(ours[mask], its[mask], n_draws=n_draws, seed=seed)
        for name, mask in users_by_segment(tonight).items()
        if mask.sum() >= MIN_USERS
    }
    mean = float(its.mean()) if len(its) else 0.0
    ratio = ratio_of(ours, its, n_draws=n_draws, seed=seed)
    return {METRIC: mean, "ratio": ratio, "segments": segments}


def compare_scorers(offline: Offline, scorer: str, *, n_draws: int, seed: int) -> dict[str, float]:
    """The scorer that serves against the best of the others, before re-ranking.

    Returns:
        value, low, high, n_users of the ratio of their NDCG@10.
    """
    means = {
        name: offline.per_user[name][METRIC].mean()
        for name in SCORER_NAMES
        if name in offline.per_user and name != scorer
    }
    best = max(means, key=lambda name: (means[name], name))
    ours, its = (offline.per_user[name][METRIC].to_numpy(np.float64) for name in (scorer, best))
    return ratio_of(ours, its, n_draws=n_draws, seed=seed)


def ratio_of(ours: Doubles, its: Doubles, *, n_draws: int, seed: int) -> dict[str, float]:
    """The ratio of two means over the same users, by the paired bootstrap.

    Args:
        ours: ``(n_users,)`` one value a user.
        its: ``(n_users,)`` of the other, in the same order.
        n_draws: bootstrap draws.
        seed: of the draws.

    Returns:
        value, low, high (those that are finite), n_users.
    """
    rng = np.random.default_rng(seed)
    ratio = paired_bootstrap(ours, its, n_draws=n_draws, rng=rng).ratio
    said = {"value": ratio.mean, "low": ratio.low, "high": ratio.high}
    # what cannot be said in JSON (nobody was measured, or the other had nothing) is left out
    finite = {name: value for name, value in said.items() if np.isfinite(value)}
    return {**finite, "n_users": float(len(ours))}


def _served(offline: Offline) -> Doubles:
    return offline.per_user[SERVED][METRIC].to_numpy(np.float64)
