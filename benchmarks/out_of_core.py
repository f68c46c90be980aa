"""Out of core: a log that memory does not hold, validated, bucketed, profiled and learned from.

``python -m benchmarks.out_of_core --events N --json PATH`` writes a log of N plays with one user of
1% of them and one video of 20%, and runs ``validate_inputs``, every shard's ``build_profiles`` and
``train_models`` for real, each in a process of its own, whose largest resident memory is what is
measured. Training passes over all events and learns, twice around, from the users drawn.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.one_line_errors import run
from benchmarks.scale_draws import DIM, SEED
from benchmarks.scale_world import NIGHT, no_duplicates, settings_of
from vidrec_tasks.columns import USER_ID, VIDEO_ID
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.contracts.inputs import INTERACTIONS
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.out_of_core")

HEAVY_USER, HEAVY_VIDEO = 0.01, 0.2
CHUNK: Final = 500_000
WINDOW_S: Final = 60 * 86_400
TARGET_GIB: Final = 3.0
N_EPOCHS: Final = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.out_of_core", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--videos", type=int, default=5_000)
    parser.add_argument(
        "--users-per-shard", type=int, default=InputSettings().users_per_shard,
        help="as VIDREC_INPUTS__USERS_PER_SHARD",
    )  # fmt: skip
    parser.add_argument(
        "--learn-from", type=int, default=2_000,
        help="as VIDREC_RECOMMENDING__MAX_TRAINING_USERS",
    )  # fmt: skip
    parser.add_argument("--as", dest="kind", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--job", nargs=3, metavar=("STORE", "JOB", "SHARD"), help="one job alone")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    if asked.job:
        sys.stdout.write(json.dumps(_run_here(asked, *asked.job)) + "\n")
        return
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        found = _measure(asked, Path(name))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    log.info("%s", json.dumps(found))


def write_inputs(folder: Path, n_events: int, n_users: int, n_videos: int, kind: str) -> int:
    """Write videos and a skewed log of plays in time order; returns the log's bytes."""
    inputs = folder / "inputs"
    (inputs / INTERACTIONS.name).mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    ids = [f"v{num:07d}" for num in range(n_videos)]
    duration_s = rng.uniform(30, 1_800, n_videos)
    published = pd.Timestamp(NIGHT, tz="UTC") - pd.Timedelta(days=400)
    videos = {VIDEO_ID: ids, "title": [f"Film {i}" for i in ids], "duration_s": duration_s}
    pd.DataFrame(videos).assign(published_at=published).to_parquet(inputs / "videos.parquet")
    users = pa.array([f"u{num:08d}" for num in range(n_users)])
    begin = pd.Timestamp(NIGHT, tz="UTC").timestamp() - WINDOW_S
    for first in range(0, n_events, CHUNK):
        n = min(CHUNK, n_events - first)
        user = np.where(rng.random(n) < HEAVY_USER, 0, rng.integers(0, n_users, n))
        video = np.where(rng.random(n) < HEAVY_VIDEO, 0, rng.integers(0, n_videos, n))
        at_s = begin + WINDOW_S * (first + np.arange(n)) / n_events
        table = pa.table(
            {
                USER_ID: users.take(pa.array(user)),
                VIDEO_ID: pa.array(ids).take(pa.array(video)),
                "event_at": pa.array((at_s * 1e6).astype(np.int64), pa.timestamp("us", "UTC")),
                "event_type": pa.array(["play"]).take(pa.array(np.zeros(n, np.int64))),
                "watched_s": rng.random(n) * duration_s[video],
                "event_id": pa.array([f"e{num}" for num in range(first, first + n)]),
            }
        )
        path = inputs / INTERACTIONS.name / f"{first // CHUNK:05d}.{kind}"
        if kind == "csv":
            table.to_pandas().to_csv(path, index=False)
        else:
            pq.write_table(table, path)
    return sum(path.stat().st_size for path in (inputs / INTERACTIONS.name).iterdir())


def _measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    log.info("writing %d events", asked.events)
    n_bytes = write_inputs(folder, asked.events, asked.users, asked.videos, asked.kind)
    validated = _in_a_process(folder, asked, "validate_inputs", "")
    log.info("%s", json.dumps(validated))
    run = Runs(Store(str(folder))).of_night(NIGHT)
    _plant_content(run)
    profiled = []
    for shard in range(validated["counts"]["user_shards"]):
        profiled.append(_in_a_process(folder, asked, "build_profiles", str(shard)))
        log.info("%s", json.dumps(profiled[-1]))
    events = [run.ref(f"interactions.{shard}").rows for shard in range(len(profiled))]
    assert sum(events) == asked.events == validated["counts"]["interactions_accepted"], events
    trained = _in_a_process(folder, asked, "train_models", "")
    log.info("%s", json.dumps(trained))
    assert trained["counts"]["users"] == min(asked.learn_from, asked.users), trained
    peaks = {
        "validate": validated["peak_gib"],
        "profiles": max(said["peak_gib"] for said in profiled),
        "train": trained["peak_gib"],
    }
    return {
        "ratios": {"peak_vs_limit": round(max(peaks.values()) / TARGET_GIB, 3)},
        "figures": {
            "events": asked.events,
            "users": asked.users,
            "videos": asked.videos,
            "kind": asked.kind,
            "log_gib": round(n_bytes / 2**30, 3),
            "heavy_user_share": HEAVY_USER,
            "heavy_video_share": HEAVY_VIDEO,
            "user_shards": len(profiled),
            "largest_shard_events": max(events),
            "validate_peak_gib": peaks["validate"],
            "profiles_peak_gib": peaks["profiles"],
            "train_peak_gib": peaks["train"],
            "peak_gib": max(peaks.values()),
            "validate_events_per_s": round(asked.events / validated["seconds"]),
            "profiles_events_per_s": round(asked.events / sum(p["seconds"] for p in profiled)),
            "train_users": trained["counts"]["users"],
            "train_s": round(trained["seconds"]),
        },
    }


def _plant_content(run: Any) -> None:
    """Embeddings and a topic of each video, none like another, as the content jobs leave them."""
    rng = np.random.default_rng(SEED)
    video_ids = run.read_table("videos")[VIDEO_ID]
    table = pd.DataFrame(
        {
            VIDEO_ID: video_ids,
            "topics": pd.Series([[f"topic {num % 64}"] for num in range(len(video_ids))]),
        }
    )
    fused = to_unit(rng.standard_normal((len(video_ids), DIM)).astype(np.float32))
    key = key_of({"planted": run.run_id})
    run.remember(run.artefacts.write("content", key, {"table": table, "fused": fused}))
    run.remember(run.artefacts.write("duplicates", key, {"table": no_duplicates()}))


def _in_a_process(folder: Path, asked: argparse.Namespace, job: str, shard: str) -> dict[str, Any]:
    command = [
        "env", "OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE", sys.executable, "-m",
        "benchmarks.out_of_core", "--users-per-shard", str(asked.users_per_shard),
        "--learn-from", str(asked.learn_from), "--job", str(folder), job, shard,
    ]  # fmt: skip
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _run_here(asked: argparse.Namespace, store: str, job: str, shard: str) -> dict[str, Any]:
    learning = {"max_training_users": asked.learn_from, "max_epochs": N_EPOCHS}
    settings = settings_of(Path(store), asked.users_per_shard, recommending=learning)
    receipt = run_job(Order(job, NIGHT, shard), settings)
    return {
        "job": job, "shard": shard, "seconds": receipt["seconds"],
        "peak_gib": round(receipt["peak_mib"] / 2**10, 3), "counts": receipt["counts"],
    }  # fmt: skip


if __name__ == "__main__":
    run(main)
