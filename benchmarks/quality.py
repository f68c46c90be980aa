"""Quality side by side: this system and what a user would pick instead, one run, one split.

``python -m benchmarks.quality --preset NAME --from DIR --protocol loo|time|cold --json
PATH``. Peers run in ``.venv-bench`` (made by `benchmarks.bench_venv` from requirements-bench.txt),
read the same training events and write their lists; every list is measured here, by one function,
over all videos, with the videos of the training history filtered.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.bench_venv import run_in_bench_venv
from benchmarks.diversity import diversity_curve, ranked_of, reranked
from benchmarks.one_line_errors import run
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.topics import video_topics
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.importing.command import add_arguments, options_of
from vidrec_tasks.importing.presets import PRESETS, import_data
from vidrec_tasks.measuring.intervals import bootstrap_interval, paired_bootstrap
from vidrec_tasks.measuring.metrics import ranking_metrics
from vidrec_tasks.measuring.splits import k_core, leave_last_out, time_split
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.profiles import content_profiles
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import ContentSettings, RecommendingSettings
from vidrec_tasks.store.place import Place

log = logging.getLogger("benchmarks.quality")

Ints = npt.NDArray[np.int64]

DEPTH = 20
OURS = "vidrec"
HALF_LIFE_DAYS = 3_650.0
"""Ratings of twenty years: a decay of 30 days would forget nearly all of them."""
COLD_SHARE = 0.1


@dataclass(frozen=True)
class Task:
    """One split of one data set.

    Attributes:
        content: the videos.
        train: what may be learned from.
        held_out: for each user the videos asked for.
    """

    content: Content
    train: Histories
    held_out: list[Ints]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, [preset for preset in PRESETS if "interactions" in preset.brings])
    parser.add_argument("--protocol", choices=("loo", "time", "cold"), required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peers", default="all", help="comma-separated names, or none")
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    content, histories = load(said.preset, said.source, **options_of(said))
    result = (
        _cold(content, histories, said)
        if said.protocol == "cold"
        else _warm(content, histories, said)
    )
    said.json.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")
    sys.stdout.write(f"{said.json}\n")
    return 0


def load(preset: str, source: Path, **options: Any) -> tuple[Content, Histories]:
    """Videos and all interactions (5-core, each counting 1), as the importer brings them."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        import_data(preset, source, Path(folder) / "inputs", **options)
        videos, events = _read(place)
    keep = k_core(pd.factorize(events["user_id"])[0], pd.factorize(events["video_id"])[0], k=5)
    events = events[keep].reset_index(drop=True)
    videos = videos[videos["video_id"].isin(events["video_id"])].sort_values("video_id")
    videos = videos.reset_index(drop=True)
    events["video_num"] = pd.Index(videos["video_id"]).get_indexer(events["video_id"])
    events["weight"] = 1.0
    texts = (videos["title"] + ". " + videos["description"]).str.slice(0, 1000)
    topics = video_topics(videos, [None] * len(videos))
    texts = [f"{text} {', '.join(names)}" for text, names in zip(texts, topics, strict=True)]
    fused = Encoders(ContentSettings()).text.encode(texts)
    return Content.of(videos, fused, topics), gather(events)


def _read(place: Place) -> tuple[pd.DataFrame, pd.DataFrame]:
    from vidrec_tasks.contracts.inputs import INTERACTIONS, VIDEOS
    from vidrec_tasks.contracts.parsing import parse
    from vidrec_tasks.store.inputs import read_chunks
    from vidrec_tasks.store.table_files import input_files

    tables = []
    for table in (VIDEOS, INTERACTIONS):
        chunks = read_chunks(input_files(place, table.name), table=table.name)
        tables.append(pd.concat([parse(c.rows, table).rows for c in chunks], ignore_index=True))
    videos, events = tables
    events = events.sort_values(["user_id", "event_at", "row_num"], ignore_index=True)
    return videos, events.drop_duplicates(["user_id", "video_id"]).reset_index(drop=True)


def _warm(content: Content, histories: Histories, said: Any) -> dict[str, Any]:
    task = _split(content, histories, said.protocol)
    lists, seconds = {}, {}
    lists[OURS], seconds[OURS], worked, models = recommend(task, said.seed)
    peers = run_peers(task, said.peers, said.seed)
    for name, (peer_lists, peer_seconds) in peers.items():
        lists[name], seconds[name] = peer_lists, peer_seconds
    result = _compare(task, lists, seconds, said)
    figures = {
        "training_seconds": seconds[OURS],
        "training_processor_seconds": worked,
        "configuration": models.configuration.to_json(),
    }
    settings = _settings(said.seed)
    figures["diversity"] = diversity_curve(models, task.train, task.held_out, settings)
    result["figures"] |= figures
    return result


def _split(content: Content, histories: Histories, protocol: str) -> Task:
    if protocol == "loo":
        split = leave_last_out(histories)
    else:
        split = time_split(histories, cut=int(np.quantile(histories.event_at, 0.9)))
    # whoever has no event before the split is a stranger to every system alike
    is_known = np.diff(split.train.offsets) > 0
    nobody = np.empty(0, dtype=np.int64)
    held_out = [v if known else nobody for v, known in zip(split.held_out, is_known, strict=True)]
    return Task(content, split.train, held_out)


def recommend(task: Task, seed: int) -> tuple[Ints, float, float, Models]:
    """This system's lists: a fit that chooses, a fit that repeats the choice on all events.

    Seconds are given by the clock, and those that the processors worked, over all cores.
    """
    settings = _settings(seed)
    begin, worked = time.monotonic(), time.process_time()
    cut = int(task.train.event_at.max()) + 1
    choice = fit_models(
        task.train, task.content, settings, cut=cut, half_life_days=HALF_LIFE_DAYS
    ).configuration
    models = fit_models(
        task.train, task.content, settings, cut=cut, half_life_days=HALF_LIFE_DAYS,
        configuration=choice,
    )  # fmt: skip
    lists = lists_of(models, task.train, settings)
    return lists, time.monotonic() - begin, time.process_time() - worked, models


def _settings(seed: int) -> RecommendingSettings:
    """The defaults, with candidates for lists twice as deep."""
    return RecommendingSettings(seed=seed, n_candidates=400, n_per_source=200)


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
    settings = _settings(seed).model_copy(update=kept)
    return reranked(ranked_of(models, histories, settings), histories, models, settings)


def run_peers(task: Task, names: str, seed: int) -> dict[str, tuple[Ints, float]]:
    """The peers' lists and seconds, by the script that runs in the bench environment."""
    if names == "none":
        return {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "train.npz",
            user_id=task.train.user_nums(),
            item_id=task.train.video_nums,
            event_at=task.train.event_at,
        )
        asked = [num for num, held in enumerate(task.held_out) if len(held)]
        np.save(Path(folder) / "users.npy", np.array(asked, dtype=np.int64))
        run_in_bench_venv("benchmarks.peers", folder, names, str(seed))
        found = {}
        for path in sorted(Path(folder).glob("*.lists.npy")):
            name = path.name.removesuffix(".lists.npy")
            ranked = np.full((task.train.n_users, DEPTH), -1, dtype=np.int64)
            ranked[asked] = np.load(path)
            found[name] = (ranked, float((Path(folder) / f"{name}.seconds").read_text()))
        return found


def _compare(
    task: Task, lists: dict[str, Ints], seconds: dict[str, float], said: Any
) -> dict[str, Any]:
    relevant = [set(held.tolist()) for held in task.held_out]
    measured = {name: ranking_metrics(ranked, relevant) for name, ranked in lists.items()}
    systems = {}
    for name, per_user in measured.items():
        rng = np.random.default_rng(0)
        interval = bootstrap_interval(per_user["ndcg@10"], n_draws=1000, rng=rng)
        listed = lists[name][:, :10]
        systems[name] = {
            "ndcg@10": interval.mean,
            "ndcg@10_low": interval.low,
            "ndcg@10_high": interval.high,
            "hr@10": float(per_user["hr@10"].mean()),
            "recall@20": float(per_user["recall@20"].mean()),
            "coverage": len(np.unique(listed[listed >= 0])) / task.content.n_videos,
            "seconds": seconds[name],
        }
    _print_table(systems)
    n_users = len(next(iter(measured.values())))
    ratios: dict[str, float | None] = {"ndcg_vs_best_peer": None, "ndcg_vs_best_peer_low": None}
    figures: dict[str, Any] = {"n_users": n_users, "protocol": said.protocol}
    peers = [name for name in systems if name != OURS]
    if peers:
        best = max(peers, key=lambda name: systems[name]["ndcg@10"])
        compared = paired_bootstrap(
            measured[OURS]["ndcg@10"], measured[best]["ndcg@10"],
            n_draws=2000, rng=np.random.default_rng(0),
        )  # fmt: skip
        ratios = {
            "ndcg_vs_best_peer": compared.ratio.mean,
            "ndcg_vs_best_peer_low": compared.ratio.low,
        }
        figures["best_peer"] = best
    if n_users < 500:
        figures["claim"] = f"none: {n_users} users are too few"
    return {"systems": systems, "ratios": ratios, "figures": figures}


def _print_table(systems: dict[str, dict[str, float]]) -> None:
    names = ("ndcg@10", "ndcg@10_low", "ndcg@10_high", "hr@10", "recall@20", "coverage", "seconds")
    sys.stdout.write(f"{'':14}" + "".join(f"{name:>14}" for name in names) + "\n")
    for name, row in sorted(systems.items(), key=lambda item: -item[1]["ndcg@10"]):
        sys.stdout.write(f"{name:14}" + "".join(f"{row[n]:14.4f}" for n in names) + "\n")


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
    blind = _without_content(content)
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


def _without_content(content: Content) -> Content:
    return Content(
        content.video_ids, np.zeros_like(content.fused), [[] for _ in content.topics],
        np.full(content.n_videos, "", dtype=object), content.published_at_s, content.duration_s,
        content.group_nums,
    )  # fmt: skip


def _content_neighbours(models: Models, histories: Histories) -> Ints:
    """The nearest videos of each user's mean liked embedding, among all that were not watched."""
    scores = content_profiles(models, histories) @ models.content.fused.T
    scores[histories.user_nums(), histories.video_nums] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH].astype(np.int64)


if __name__ == "__main__":
    run(main)
