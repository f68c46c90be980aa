"""Lift: what the served lists are worth beside the best simple list, as a ratio.

The best is chosen on the users that it is compared on, which favours it: the lift is rather too
small than too large. Leaves making the lists to `baselines`, words to `worth`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vidrec_tasks.evaluation.baselines import Ints
from vidrec_tasks.evaluation.comparing import METRIC, ratio_of
from vidrec_tasks.evaluation.offline import SERVED, Offline
from vidrec_tasks.measuring.intervals import summarise
from vidrec_tasks.measuring.metrics import ranking_metrics


def measure_lift(
    offline: Offline, lists: Mapping[str, Ints], *, n_draws: int, seed: int
) -> dict[str, Any]:
    """Measure the simple lists on the users of the served ones, and compare with the best.

    Args:
        offline: what was measured of the served lists.
        lists: baseline -> ``(n_users, DEPTH)`` lists of the same users.
        n_draws: bootstrap draws.
        seed: of the draws.

    Returns:
        ``baseline``: name -> ``ndcg@10`` with value, low, high, n_users; ``lift``: ``best`` the
        name of the best by that, ``ndcg@10`` the ratio of the served lists to it, left out where
        it is not finite. Nothing where nobody was measured.
    """
    if offline.per_user[SERVED].empty:
        return {}
    tables = {
        name: ranking_metrics(ranked, offline.relevant, ks=(10,)) for name, ranked in lists.items()
    }
    said: dict[str, Any] = {}
    for name, per_user in tables.items():
        rng = np.random.default_rng(seed)  # the same draws for all
        summary = summarise(per_user[[METRIC]], n_draws=n_draws, rng=rng)[METRIC]
        said[name] = {METRIC: {"value": summary.pop("mean"), **summary}}
    best = max(said, key=lambda name: said[name][METRIC]["value"])
    ours, its = (
        table[METRIC].to_numpy(np.float64) for table in (offline.per_user[SERVED], tables[best])
    )
    ratio = ratio_of(ours, its, n_draws=n_draws, seed=seed)
    is_finite = {"value", "low", "high"} <= set(ratio)
    return {"baseline": said, "lift": {"best": best, **({METRIC: ratio} if is_finite else {})}}
