"""Quality side by side: this system and what a user would pick instead, one run, one split.

``python -m benchmarks.quality --preset NAME --from DIR --protocol loo|time|cold|against --json PATH
[--ablate]``; ``against`` is `benchmarks.against` and has no peers. Peers run in ``.venv-bench``
(made by `benchmarks.bench_venv` from requirements-bench.txt), read the same training events and
write their lists. Every list is measured here, by one function, over all videos, with the videos of
the training history filtered. A peer is tuned within the training data, by the protocol of the test
(`benchmarks.peers`). The JSON is written again after every peer, so what is there is kept if a
later one fails.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import ablating
from benchmarks.ablating import Ablation, without_content
from benchmarks.against import measure_against, print_against
from benchmarks.bench_venv import run_in_bench_venv
from benchmarks.diversity import diversity_curve, ranked_of, reranked
from benchmarks.one_line_errors import run
from benchmarks.peers import named
from benchmarks.quality_events import load, tied_last_share
from benchmarks.quality_fits import fit_chosen, settings_of
from benchmarks.quality_results import OURS, Results, print_results
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.importing.command import add_arguments, options_of
from vidrec_tasks.importing.presets import PRESETS
from vidrec_tasks.measuring.metrics import ranking_metrics
from vidrec_tasks.measuring.splits import leave_last_out, time_split
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.profiles import content_profiles
from vidrec_tasks.recommending.models.models import Configuration, Models
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger("benchmarks.quality")

Ints = npt.NDArray[np.int64]

DEPTH = 20
COLD_SHARE = 0.1


@dataclass(frozen=True)
class Task:
    """One split of one data set.

    Attributes:
        content: the videos.
        train: what may be learned from.
        held_out: for each user the videos asked for.
        window_s: seconds from the cut to the last event; 0 where there is no cut.
    """

    content: Content
    train: Histories
    held_out: list[Ints]
    window_s: int = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, [preset for preset in PRESETS if "interactions" in preset.brings])
    parser.add_argument("--protocol", choices=("loo", "time", "cold", "against"), required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--peers", type=named, default="all", help="all, quick, none or names between commas"
    )
    parser.add_argument(
        "--ablate", type=ablating.named, nargs="?", const="all", default=[],
        help="also fit without each part: time, trees and so on, or names between commas",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if said.protocol == "against":
        result = measure_against(
            said.preset, said.source, one_cut=None, seed=said.seed, **options_of(said)
        )
        print_against(result)
    else:
        content, histories = load(said.preset, said.source, seed=said.seed, **options_of(said))
        measure = _cold if said.protocol == "cold" else _warm
        result = measure(content, histories, said)
    _write(result, said.json)
    sys.stdout.write(f"{said.json}\n")
    return 0


def _write(result: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")


def _warm(content: Content, histories: Histories, said: Any) -> dict[str, Any]:
    task = split(content, histories, said.protocol)
    results = Results(
        task.train, task.held_out, content.n_videos, with_new_videos=said.protocol == "time"
    )
    ours, seconds, worked, models = recommend(task, said.seed)
    results.add(OURS, ours, seconds)
    figures = {
        "protocol": said.protocol,
        "tied_last_share": tied_last_share(histories),
        "training_seconds": seconds,
        "training_processor_seconds": worked,
        "configuration": _without_forests(models.configuration),
    }
    for name, lists, peer_seconds in run_peers(task, said.peers, said.protocol, said.seed):
        results.add(name, lists, peer_seconds)
        _write(_joined(results, figures), said.json)
    result = _joined(results, figures)
    print_results(result)
    settings = settings_of(said.seed, task.window_s)
    curve = diversity_curve(models, task.train, task.held_out, settings)
    result["figures"]["diversity"] = curve
    if said.ablate:
        asked = [set(videos.tolist()) for videos in task.held_out]
        without = result["ablations"] = {}
        parts = ablating.ablate(
            said.ablate, lambda part: _lists_without(part, task, said.seed), ours, asked
        )
        for name, found in parts:
            without[name] = found
            _write(result, said.json)
        ablating.print_ablations(without)
    return result


def _lists_without(part: Ablation, task: Task, seed: int) -> Ints:
    content = task.content if part.with_content else without_content(task.content)
    lists, *_ = recommend(replace(task, content=content), seed, **part.changes)
    return lists


def _without_forests(configuration: Configuration) -> dict[str, Any]:
    """As JSON, but for the trees themselves, which are a megabyte."""
    written = configuration.to_json()
    learned = {
        scorer: {name: value for name, value in values.items() if name != "forests"}
        for scorer, values in written["learned"].items()
    }
    return {**written, "learned": learned}


def _joined(results: Results, figures: dict[str, Any]) -> dict[str, Any]:
    found = results.to_json()
    return {**found, "figures": {**found["figures"], **figures}}


def split(content: Content, histories: Histories, protocol: str) -> Task:
    """What is learned from and what is asked for, by ``loo`` or ``time``."""
    window_s = 0
    if protocol == "loo":
        parts = leave_last_out(histories)
    else:
        cut = int(np.quantile(histories.event_at, 0.9))
        window_s = int(histories.event_at.max()) - cut
        parts = time_split(histories, cut=cut)
    # whoever has no event before the split is a stranger to every system alike
    is_known = np.diff(parts.train.offsets) > 0
    nobody = np.empty(0, dtype=np.int64)
    held_out = [v if known else nobody for v, known in zip(parts.held_out, is_known, strict=True)]
    return Task(content, parts.train, held_out, window_s)


def recommend(task: Task, seed: int, **changes: Any) -> tuple[Ints, float, float, Models]:
    """This system's lists: a fit that chooses, a fit that repeats the choice on all events.

    Seconds are given by the clock, and those that the processors worked, over all cores. With
    ``changes`` settings differ from the defaults.
    """
    settings = settings_of(seed, task.window_s).model_copy(update=changes)
    begin, worked = time.monotonic(), time.process_time()
    models = fit_chosen(task.train, task.content, settings)
    lists = lists_of(models, task.train, settings)
    return lists, time.monotonic() - begin, time.process_time() - worked, models


def lists_of(models: Models, histories: Histories, settings: RecommendingSettings) -> Ints:
    """``(n_users, DEPTH)`` ranked lists by the nightly jobs' own steps."""
    parts = []
    tables = ranked_of(models, histories, settings)
    for table, (_, block) in zip(tables, histories.blocks(), strict=True):
        table["place"] = table.groupby("user_id").cumcount()
        top = table[table["place"] < DEPTH]
        users = pd.Index(block.user_ids).get_indexer(pd.Index(top["user_id"].astype(object)))
        ranked = np.full((block.n_users, DEPTH), -1, dtype=np.int64)
        ranked[users, top["place"].to_numpy(np.int64)] = models.content.nums_of(top["video_id"])
        parts.append(ranked)
    return np.concatenate(parts)


def _lists_with_places_for_new(models: Models, histories: Histories, seed: int) -> Ints:
    """``(n_users, DEPTH)`` lists by relevance, the last places kept for exploration as published.

    One place in ten, as the defaults have it; variety and calibration are measured elsewhere.
    """
    usual = RecommendingSettings()
    kept = {
        "n": DEPTH, "n_exploration": DEPTH // usual.n * usual.n_exploration,
        "diversity": 0.0, "calibration": 0.0,
    }  # fmt: skip
    settings = settings_of(seed, 0).model_copy(update=kept)
    return reranked(ranked_of(models, histories, settings), histories, models, settings)


def run_peers(
    task: Task, names: Sequence[str], protocol: str, seed: int
) -> Iterator[tuple[str, Ints, float]]:
    """Each peer's name, lists and seconds as soon as it is fitted, a process each.

    Only the training events and the numbers of the users go to the bench environment.
    """
    asked = [num for num, held in enumerate(task.held_out) if len(held)]
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "train.npz",
            user_id=task.train.user_nums(),
            item_id=task.train.video_nums,
            event_at=task.train.event_at,
        )
        np.save(Path(folder) / "users.npy", np.array(asked, dtype=np.int64))
        how = ("--protocol", protocol, "--window-s", str(task.window_s), "--seed", str(seed))
        for name in names:
            log.info("fitting %s", name)
            run_in_bench_venv("benchmarks.peers", folder, name, *how)
            lists = np.full((task.train.n_users, DEPTH), -1, dtype=np.int64)
            lists[asked] = np.load(Path(folder) / f"{name}.lists.npy")
            yield name, lists, float((Path(folder) / f"{name}.seconds").read_text())


def _cold(content: Content, histories: Histories, said: Any) -> dict[str, Any]:
    """All events of a tenth of the videos are kept from training and then asked for."""
    rng = np.random.default_rng(said.seed)
    cold = np.zeros(content.n_videos, dtype=bool)
    cold[rng.permutation(content.n_videos)[: round(COLD_SHARE * content.n_videos)]] = True
    is_cold = cold[histories.video_nums]
    split = leave_last_out(histories.where(~is_cold))
    users = histories.user_nums()
    asked = [
        np.unique(histories.video_nums[(users == u) & is_cold]) for u in range(histories.n_users)
    ]
    *_, models = recommend(Task(content, split.train, split.held_out), said.seed)
    blind = without_content(content)
    *_, without = recommend(Task(blind, split.train, split.held_out), said.seed)
    ours, plain = (
        _lists_with_places_for_new(some, split.train, said.seed) for some in (models, without)
    )
    baseline = _content_neighbours(models, split.train)
    wanted = [set(videos.tolist()) for videos in asked]
    warm = [set(held.tolist()) for held in split.held_out]
    recall = {
        name: float(ranking_metrics(lists, wanted)["recall@20"].mean())
        for name, lists in {"ours": ours, "knn": baseline, "plain": plain}.items()
    }
    ndcg = {
        name: float(ranking_metrics(lists, warm)["ndcg@10"].mean())
        for name, lists in {"ours": ours, "plain": plain}.items()
    }
    figures = {
        "cold_recall_vs_content_knn": recall["ours"] / recall["knn"],
        "warm_ndcg_vs_no_content": ndcg["ours"] / ndcg["plain"],
        "cold_recall@20": recall,
        "warm_ndcg@10": ndcg,
        "n_cold_videos": int(cold.sum()),
        "n_users": sum(len(videos) > 0 for videos in wanted),
    }
    for name, value in figures.items():
        sys.stdout.write(f"{name}: {value}\n")
    return {"systems": {}, "ratios": {}, "figures": figures}


def _content_neighbours(models: Models, histories: Histories) -> Ints:
    """The nearest videos of each user's mean liked embedding, among all that were not watched."""
    scores = content_profiles(models, histories) @ models.content.fused.T
    scores[histories.user_nums(), histories.video_nums] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH].astype(np.int64)


if __name__ == "__main__":
    run(main)
