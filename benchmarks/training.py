"""Training past the full softmax: hours and memory at a large catalogue, and what sampling costs.

``python -m benchmarks.training [--videos M] [--users N] [--data DIR] --json PATH``.

* **At size**: a tower over M planted videos (popularity by Zipf's law, histories of a long tail)
  learns one pass over N users, in a process of its own, so that its peak is its own.
  ``hours_a_pass`` is its rate times `TRAINING_USERS`, the most users that a fit learns from; it is
  left out where that is more than ten times N.
* **Quality**: MovieTweetings up to its last tenth, a later window held out: NDCG@10 of the tower
  with the full softmax and with a sampled one of 4,096 draws, of all its videos, after the same
  passes from the same three seeds; the difference and the ratio with a paired 95% interval over
  users. It has fewer videos than the sample has draws, so it says what drawing and correcting cost,
  not what a small sample costs. ``--quality`` measures that alone.
"""

import argparse
import json
import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.one_line_errors import run
from benchmarks.peaks import own_peak_gib
from benchmarks.quality_events import load
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.hardware import device
from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.measuring.splits import time_split
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import make_tower
from vidrec_tasks.recommending.models.tower import TowerShape, embed_users, embed_videos
from vidrec_tasks.recommending.training.held_out import HeldOut, hold_out_later, ndcg_of_targets
from vidrec_tasks.recommending.training.tower_training import Schedule, train_tower
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger("benchmarks.training")

DIM: Final = 384
TRAINING_USERS: Final = RecommendingSettings().max_training_users
MEDIAN_EVENTS, SPREAD = 20, 1.1
"""Of the lognormal histories: 37 events in the mean, 200 and more of one user in fifty."""
SEED: Final = 7
SEEDS: Final = (SEED, SEED + 1, SEED + 2)
EPOCHS: Final = 6
"""Passes of both ways on MovieTweetings, after which they are measured."""
N_DRAWS: Final = 10_000
MEMORY_GIB: Final = 6.0
"""Memory that a fit at 1,000,000 videos is meant to keep to."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.training", description=__doc__)
    parser.add_argument("--videos", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--data", type=Path, help="folder with movietweetings-100k")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--quality", action="store_true", help="the quality alone; needs --data")
    parser.add_argument("--alone", action="store_true", help="the pass at size alone, here")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    found = measure_pass(asked.videos, asked.users) if asked.alone else _measure(asked)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(f"{json.dumps(found)}\n")
    return 0


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {} if asked.quality else _pass_alone(asked)
    ratios: dict[str, float] = {}
    if asked.data:
        figures |= compare_softmaxes(asked.data / "movietweetings-100k")
        ratios["sampled_vs_full_ndcg"] = figures["sampled_over_full"][0]
    else:
        figures["reasons"] = {"sampled_vs_full_ndcg": "needs --data"}
    return {"ratios": ratios, "figures": figures}


def _pass_alone(asked: argparse.Namespace) -> dict[str, Any]:
    """The pass at size in a process of its own."""
    own = asked.json.with_suffix(".pass.json")
    size = ("--videos", str(asked.videos), "--users", str(asked.users))
    command = [sys.executable, "-m", "benchmarks.training", *size, "--alone", "--json", str(own)]
    subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[1])
    figures: dict[str, Any] = json.loads(own.read_text())
    own.unlink()
    return figures


def measure_pass(n_videos: int, n_users: int) -> dict[str, Any]:
    """One pass of the sampled softmax over planted users; seconds, memory and what they mean."""
    rng = np.random.default_rng(SEED)
    content, histories = _catalogue(n_videos, rng), _histories(n_videos, n_users, rng)
    likes = np.bincount(histories.video_nums, minlength=n_videos)
    shape = TowerShape(length=RecommendingSettings().max_sequence)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        tower = make_tower(content, likes >= 1, shape)
    before = own_peak_gib()
    begin = time.perf_counter()
    progress = train_tower(tower, histories, Schedule(max_epochs=1, full_softmax_limit=1))
    seconds = time.perf_counter() - begin
    found = {
        "videos": n_videos,
        "users": n_users,
        "events": histories.n_events,
        "device": str(device()),
        "threads": torch.get_num_threads(),
        "seconds_a_pass": round(seconds, 1),
        "users_per_s": round(n_users / seconds, 1),
        "loss": round(progress.losses[0], 4),
        "peak_gib": round(own_peak_gib(), 3),
        "peak_before_gib": round(before, 3),
        "memory_gib": MEMORY_GIB,
        "peak_vs_memory": round(own_peak_gib() / MEMORY_GIB, 3),
        "training_users": TRAINING_USERS,
    }
    if 10 * n_users >= TRAINING_USERS:
        found["hours_a_pass"] = round(seconds * TRAINING_USERS / n_users / 3_600, 3)
    return found


def _catalogue(n_videos: int, rng: np.random.Generator) -> Content:
    """Unit rows in float32, made a part at a time: doubles would be the peak."""
    fused = np.empty((n_videos, DIM), dtype=np.float32)
    for first in range(0, n_videos, 50_000):
        rows = rng.standard_normal((min(50_000, n_videos - first), DIM), dtype=np.float32)
        fused[first : first + len(rows)] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    nothing = np.full(n_videos, "", dtype=object)
    return Content(
        np.arange(n_videos).astype("U").astype(object), fused, [], nothing,
        np.zeros(n_videos, dtype=np.int64), np.full(n_videos, 60, dtype=np.float32),
        np.full(n_videos, -1, dtype=np.int64),
    )  # fmt: skip


def _histories(n_videos: int, n_users: int, rng: np.random.Generator) -> Histories:
    counts = np.exp(rng.normal(np.log(MEDIAN_EVENTS), SPREAD, n_users)).clip(2, 2_000)
    offsets = np.concatenate([[0], np.cumsum(counts.astype(np.int64))])
    n_events = int(offsets[-1])
    ranks = np.exp(rng.random(n_events) * np.log(n_videos + 1)).astype(np.int64) - 1  # Zipf's law
    video_nums: npt.NDArray[np.int64] = rng.permutation(n_videos)[ranks]
    return Histories(
        np.array([f"u{num:09d}" for num in range(n_users)], dtype=object), offsets, video_nums,
        np.ones(n_events, dtype=np.float32), np.arange(n_events, dtype=np.int64),
        np.arange(n_users) // 256,
    )  # fmt: skip


def compare_softmaxes(source: Path) -> dict[str, Any]:
    """Held-out NDCG@10 of the tower by both ways, on what lies before the test's cut.

    Each way learns `EPOCHS` passes from each of `SEEDS`, and the last pass is measured: nothing is
    chosen on the held-out users. A user's value is the mean over the seeds.
    """
    content, histories = load("movielens", source, seed=SEED)
    cut = int(np.quantile(histories.event_at, 0.9))
    train = time_split(histories, cut=cut).train
    held = hold_out_later(train, cut=cut, days=RecommendingSettings().chosen_on_days, seed=SEED)
    if held is None:
        raise SystemExit(f"{source}: too few users to hold out")
    found: dict[str, Any] = {}
    per_user: dict[str, npt.NDArray[np.float64]] = {}
    for name, limit in (("full", 50_000), ("sampled", 1)):
        begin = time.perf_counter()
        runs = [_last_pass(content, held, limit, seed) for seed in SEEDS]
        per_user[name] = np.mean(runs, axis=0, dtype=np.float64)
        found[f"ndcg_{name}"] = round(float(per_user[name].mean()), 4)
        found[f"ndcg_{name}_by_seed"] = [round(float(of_users.mean()), 4) for of_users in runs]
        found[f"seconds_{name}"] = round(time.perf_counter() - begin, 1)
        log.info("%s softmax: %s", name, found[f"ndcg_{name}_by_seed"])
    rng = np.random.default_rng(SEED)
    paired = paired_bootstrap(per_user["sampled"], per_user["full"], n_draws=N_DRAWS, rng=rng)
    found["sampled_less_full"] = [round(value, 4) for value in paired.difference]
    found["sampled_over_full"] = [round(value, 4) for value in paired.ratio]
    found |= {"epochs": EPOCHS, "seeds": len(SEEDS), "videos_of_quality": content.n_videos}
    found["users_held_out"] = len(held.asked.targets)
    return found


def _last_pass(
    content: Content, held: HeldOut, limit: int, seed: int
) -> npt.NDArray[np.floating[Any]]:
    """``(n_users,)`` held-out NDCG@10 after the last pass."""
    known = np.bincount(held.train.video_nums, minlength=content.n_videos) > 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = make_tower(content, known, TowerShape(length=200))
    schedule = Schedule(max_epochs=EPOCHS, full_softmax_limit=limit, seed=seed)
    train_tower(tower, held.train, schedule)
    scores = embed_users(tower, held.asked.users) @ embed_videos(tower).T
    return ndcg_of_targets(scores, held.asked)


if __name__ == "__main__":
    run(main)
