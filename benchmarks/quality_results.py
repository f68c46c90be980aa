"""The results of `benchmarks.quality`: every system's lists, measured by one function."""

import logging
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.measuring.intervals import bootstrap_interval, paired_bootstrap
from vidrec_tasks.measuring.metrics import ranking_metrics

log = logging.getLogger("benchmarks.quality")

Ints = npt.NDArray[np.int64]

OURS = "vidrec"
ENOUGH_USERS = 500


class Results:
    """What was measured of each system so far.

    Args:
        train: what was learned from.
        held_out: for each user the videos asked for.
        n_videos: of the catalogue.
        with_new_videos: also measure by the videos that nobody had liked before.
    """

    def __init__(
        self,
        train: Histories,
        held_out: Sequence[Ints],
        n_videos: int,
        *,
        with_new_videos: bool,
    ) -> None:
        self._n_videos = n_videos
        self._asked = [set(held.tolist()) for held in held_out]
        self._asked_new: list[set[int]] = []
        if with_new_videos:
            known = set(np.unique(train.video_nums).tolist())
            self._asked_new = [asked - known for asked in self._asked]
        self._per_user: dict[str, pd.DataFrame] = {}
        self._systems: dict[str, dict[str, float]] = {}
        self._recall_of_new: dict[str, float] = {}

    def add(self, name: str, ranked: Ints, seconds: float) -> None:
        """Measure a system's lists, ``(n_users, n)``, and say its NDCG@10."""
        per_user = ranking_metrics(ranked, self._asked)
        rng = np.random.default_rng(0)
        interval = bootstrap_interval(per_user["ndcg@10"], n_draws=1000, rng=rng)
        listed = ranked[:, :10]
        self._per_user[name] = per_user
        self._systems[name] = {
            "ndcg@10": interval.mean,
            "ndcg@10_low": interval.low,
            "ndcg@10_high": interval.high,
            "hr@10": float(per_user["hr@10"].mean()),
            "recall@20": float(per_user["recall@20"].mean()),
            "coverage": len(np.unique(listed[listed >= 0])) / self._n_videos,
            "seconds": seconds,
        }
        if any(self._asked_new):
            of_new = ranking_metrics(ranked, self._asked_new)
            self._recall_of_new[name] = float(of_new["recall@20"].mean())
        log.info("%s: NDCG@10 %.4f in %.1f s", name, interval.mean, seconds)

    def to_json(self) -> dict[str, Any]:
        """``systems``, ``ratios`` to the best peer and ``figures``, of what is there so far."""
        figures: dict[str, Any] = {"n_users": self._n_users()}
        ratios: dict[str, float | None] = {
            "ndcg_vs_best_peer": None, "ndcg_vs_best_peer_low": None,
        }  # fmt: skip
        peers = [name for name in self._systems if name != OURS]
        if peers:
            best = max(peers, key=lambda name: self._systems[name]["ndcg@10"])
            compared = paired_bootstrap(
                self._per_user[OURS]["ndcg@10"], self._per_user[best]["ndcg@10"],
                n_draws=2000, rng=np.random.default_rng(0),
            )  # fmt: skip
            ratios["ndcg_vs_best_peer"] = compared.ratio.mean
            ratios["ndcg_vs_best_peer_low"] = compared.ratio.low
            figures["best_peer"] = best
        if self._recall_of_new:
            figures["new_videos_recall@20"] = dict(self._recall_of_new)
            figures["n_users_new_videos"] = sum(len(asked) > 0 for asked in self._asked_new)
            figures["n_new_videos"] = len(set[int]().union(*self._asked_new))
        if self._n_users() < ENOUGH_USERS:
            figures["claim"] = f"none: {self._n_users()} users are too few"
        return {"systems": dict(self._systems), "ratios": ratios, "figures": figures}

    def _n_users(self) -> int:
        return sum(len(asked) > 0 for asked in self._asked)


def print_results(found: dict[str, Any]) -> None:
    """Print the table, the best system first, and below it what stands in no column."""
    names = ("ndcg@10", "ndcg@10_low", "ndcg@10_high", "hr@10", "recall@20", "coverage", "seconds")
    sys.stdout.write(f"{'':14}" + "".join(f"{name:>14}" for name in names) + "\n")
    for name, row in sorted(found["systems"].items(), key=lambda item: -item[1]["ndcg@10"]):
        sys.stdout.write(f"{name:14}" + "".join(f"{row[n]:14.4f}" for n in names) + "\n")
    figures, ratios = found["figures"], found["ratios"]
    sys.stdout.write(f"{figures['n_users']:,} users\n")
    if "best_peer" in figures:
        ratio, low = ratios["ndcg_vs_best_peer"], ratios["ndcg_vs_best_peer_low"]
        sys.stdout.write(f"{ratio:.3f} [{low:.3f}, ] times the best peer, {figures['best_peer']}\n")
    if "new_videos_recall@20" in figures:
        n_videos, n_users = figures["n_new_videos"], figures["n_users_new_videos"]
        sys.stdout.write(
            f"recall@20 of {n_videos:,} videos that nobody had liked before, {n_users:,} users:\n"
        )
        of_new = figures["new_videos_recall@20"].items()
        for name, recall in sorted(of_new, key=lambda item: -item[1]):
            sys.stdout.write(f"{name:14}{recall:14.4f}\n")
