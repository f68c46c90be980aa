"""Attribution: what it costs to say what a score came from, and whether it is as true as before.

``python -m benchmarks.attribution --data DIR [--users N] [--rounds R] --json PATH`` fits on
MovieTweetings (two passes of the towers: what is measured is the use of models) and attributes the
lists of N of its users by every scorer, in turns of the two ways on the same rows:

* **one by one**: every history without one video is scored by itself, nothing guessed
  (`tests/recommending/one_by_one.py`), as every night did;
* **attribution**: `attribution.leave_one_out`.

``attribution_speedup`` is the smaller ratio of the scorers' medians of processor seconds, over all
users and (``_long``) over those with `LONG` events or more; ``top_agreement`` the share of rows
whose first cited video is the same, ``top_worth`` how much of the largest exact fall the first
cited video accounts for, and ``counterfactual_share`` as of the night, of the new way and the first
cited video.
"""

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.one_line_errors import run
from benchmarks.quality_events import load
from tests.recommending.one_by_one import falls_one_by_one
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import CITED
from vidrec_tasks.recommending.explaining.attribution import cite_history, leave_one_out
from vidrec_tasks.recommending.explaining.counterfactual import compare_without_cited
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger("benchmarks.attribution")

Falls = list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]

SEED: Final = 7
EPOCHS: Final = 2
LONG: Final = 25
"""Events of a user whose history is called long: 20 of them are asked, and more are read."""
N_LISTED: Final = 10
HALF_LIFE_DAYS: Final = 365.0
WORST: Final = {
    "": ("attribution_speedup", "counterfactual_share"),
    "_long": ("attribution_speedup_long", "counterfactual_share_long"),
}
"""Of users of any history and of a long one, the figures that are the smallest of all scorers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.attribution", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of movietweetings-100k")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    content, histories = load("movielens", asked.data / "movietweetings-100k", seed=SEED)
    models = fit_models(
        histories, content, RecommendingSettings(max_epochs=EPOCHS, seed=SEED),
        cut=int(histories.event_at.max()) + 1, half_life_days=HALF_LIFE_DAYS,
    )  # fmt: skip
    found = measure(models, histories, asked.users, asked.rounds)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(f"{json.dumps(found)}\n")
    return 0


def measure(models: Models, histories: Histories, n_users: int, rounds: int) -> dict[str, Any]:
    """Ratios and figures of all scorers, over users of any history and of long ones."""
    rng = np.random.default_rng(SEED)
    lengths = np.diff(histories.offsets)
    of_kind = {"": np.arange(histories.n_users), "_long": np.flatnonzero(lengths >= LONG)}
    figures: dict[str, Any] = {"chosen_scorer": models.configuration.scorer}
    ratios: dict[str, float] = {}
    for kind, users in of_kind.items():
        drawn = histories.take(np.sort(rng.permutation(users)[:n_users]))
        figures[f"median_events{kind}"] = float(np.median(np.diff(drawn.offsets)))
        by_scorer = {
            scorer: compare(models, drawn, scorer=scorer, rounds=rounds) for scorer in SCORER_NAMES
        }
        for scorer, said in by_scorer.items():
            log.info("%s%s: %s", scorer, kind, json.dumps(said))
            figures |= {f"{scorer}{kind}.{name}": value for name, value in said.items()}
        speedup, held = WORST[kind]
        ratios[speedup] = min(one["speedup"] for one in by_scorer.values())
        figures[held] = min(one["counterfactual_share"] for one in by_scorer.values())
    return {"ratios": ratios, "figures": figures}


def compare(models: Models, histories: Histories, *, scorer: str, rounds: int) -> dict[str, float]:
    """Both ways in turn on the lists of one scorer."""
    nums = _lists(models, histories, scorer)
    users = [histories.one(user) for user in range(histories.n_users)]

    def timed(way: Callable[..., Falls]) -> tuple[float, Falls]:
        begin = time.process_time()
        falls = way(models, users, nums, scorer=scorer)
        return time.process_time() - begin, falls

    slow, quick = zip(
        *((timed(falls_one_by_one), timed(leave_one_out)) for _ in range(rounds)), strict=True
    )
    slow_s, quick_s = (statistics.median(seconds for seconds, _ in way) for way in (slow, quick))
    exact, found = slow[0][1], quick[0][1]
    agreed: list[bool] = []
    kept = largest = 0.0
    for (_, theirs), (_, ours) in zip(exact, found, strict=True):
        if ours.size:
            first = ours.argmax(axis=1)
            agreed += (first == theirs.argmax(axis=1)).tolist()
            own = np.take_along_axis(theirs, first[:, None], axis=1)[:, 0]
            most = theirs.max(axis=1)
            kept, largest = kept + own[most > 0].sum(), largest + most[most > 0].sum()
    lists = _table(models, histories, nums)
    cited = cite_history(models, histories, lists, scorer=scorer)
    cited[CITED] = cited[CITED].map(lambda some: some[:1])  # a reason names one
    held = compare_without_cited(
        models, histories, cited, scorer=scorer, rng=np.random.default_rng(SEED)
    )
    return {
        "speedup": round(slow_s / quick_s, 3),
        "one_by_one_ms_a_user": round(1_000 * slow_s / len(users), 3),
        "ms_a_user": round(1_000 * quick_s / len(users), 3),
        "top_agreement": round(float(np.mean(agreed)), 4),
        "top_worth": round(kept / largest, 4),
        "counterfactual_share": round(held.n_lowered / held.n_rows, 4),
    }


def _lists(models: Models, histories: Histories, scorer: str) -> list[npt.NDArray[np.int64]]:
    """The best of a few hundred videos for each user, among those they have not met."""
    rng = np.random.default_rng(SEED)
    rows = []
    for user in range(histories.n_users):
        met = histories.video_nums[histories.of(user)]
        drawn = np.setdiff1d(rng.permutation(models.content.n_videos)[:400], met)
        ids = models.content.video_ids[drawn]
        rows.append(pd.DataFrame({"user_id": histories.user_ids[user], "video_id": ids}))
    ranked = rank_candidates(
        models, histories, pd.concat(rows, ignore_index=True).assign(source="drawn"), scorer=scorer
    )
    nums = models.content.nums_of(ranked["video_id"])
    users = pd.Index(histories.user_ids).get_indexer(pd.Index(ranked["user_id"].astype(object)))
    return [nums[users == user][:N_LISTED] for user in range(histories.n_users)]


def _table(
    models: Models, histories: Histories, nums: Sequence[npt.NDArray[np.int64]]
) -> pd.DataFrame:
    users = np.repeat(histories.user_ids, [len(own) for own in nums])
    ids = models.content.video_ids[np.concatenate(nums)]
    table = pd.DataFrame({"user_id": users, "video_id": ids})
    return table.assign(rank=table.groupby("user_id").cumcount() + 1)


if __name__ == "__main__":
    run(main)
