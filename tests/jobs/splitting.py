"""One night of a small world, split into shards in several ways.

``python -m tests.jobs.splitting WORLD FOLDER`` runs two of the splits in a process of its own, for
kernels that are chosen when numpy is loaded, and prints what ran and the digests of the tables.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info

from tests.jobs import small_nights
from tests.stores import tables_of
from vidrec_tasks.demo.size import Size
from vidrec_tasks.night import NIGHT as JOBS
from vidrec_tasks.running.runner import Order, all_shards, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

SIZE: Final = Size(videos=24, users=70, nights=8, films=0)
NIGHT: Final = SIZE.two_nights[0]
SPLITS: Final = {1: (1_000, 1_000), 3: (26, 9), 7: (11, 4)}
"""User shards -> users and videos a shard."""
N_LEARNED_FROM = 45
"""Fewer than there are: who is drawn must not depend on the split either."""


def settings_of(folder: Path, n_shards: int) -> Settings:
    users_per_shard, videos_per_shard = SPLITS[n_shards]
    return small_nights.settings_of(
        folder,
        inputs={"users_per_shard": users_per_shard, "videos_per_shard": videos_per_shard},
        recommending={"max_epochs": 3, "dim": 16, "max_training_users": N_LEARNED_FROM},
        insights={"k_anonymity": 5},
        evaluation={"n_users": 30},
    )


class Night(NamedTuple):
    """The result tables of a night, and the run they come from."""

    tables: dict[str, pd.DataFrame]
    run: Run


def run_split(world: Path, folder: Path, n_shards: int) -> Night:
    """The night split so, its shards run in an order drawn by chance."""
    (folder / "inputs").symlink_to(world / "inputs")
    settings = settings_of(folder, n_shards)
    rng = np.random.default_rng(n_shards)
    for job in JOBS:
        for shard in rng.permutation(all_shards(job, NIGHT, settings)):
            run_job(Order(job, NIGHT, str(shard)), settings)
    run = Runs(Store(str(folder))).of_night(NIGHT)
    assert run.record.n_user_shards == n_shards
    tables = tables_of(f"sqlite:///{folder}/results.sqlite")
    return Night({name: rows.drop(columns="run_id") for name, rows in tables.items()}, run)


def digests(night: Night) -> dict[str, str]:
    """Result table or artefact of numbers -> hash of all that it holds, to the last bit."""
    found = {
        name: hashlib.sha256(table.to_json(double_precision=15).encode()).hexdigest()
        for name, table in night.tables.items()
    }
    users = [
        night.run.read_rows(f"ranked.{shard}", columns=["user_id", "video_id", "score"])
        for shard in range(night.run.record.n_user_shards)
    ]
    ranked = pd.concat(users).sort_values(["user_id", "video_id"])
    found["scores"] = hashlib.sha256(ranked["score"].to_numpy(np.float64).tobytes()).hexdigest()
    return found


def kernels() -> dict[str, Any]:
    """The kernel of each library that multiplies."""
    return {
        Path(said["filepath"]).name: said.get("architecture", "")
        for said in threadpool_info()
        if said["user_api"] == "blas"
    }


def main(world: Path, folder: Path) -> None:
    """Run the night in one shard and in three."""
    nights = [run_split(world, folder / str(n), n) for n in (1, 3)]
    said = {"kernels": kernels(), "digests": [digests(night) for night in nights]}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
