"""A night's tables do not depend on how users and videos are split, or on the order of shards."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.jobs import NIGHT as JOBS
from vidrec_tasks.jobs._runner import Order, all_shards, run_job
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Runs

SIZE = Size(videos=24, users=70, nights=8, films=0)
NIGHT = SIZE.two_nights[0]
SPLITS = {1: (1_000, 1_000), 3: (26, 9), 7: (11, 4)}
"""User shards -> users and videos a shard."""


def settings_of(folder: Path, n_shards: int) -> Settings:
    users_per_shard, videos_per_shard = SPLITS[n_shards]
    return Settings(
        store_url=str(folder),
        threads=1,
        inputs={"users_per_shard": users_per_shard, "videos_per_shard": videos_per_shard},
        recommending={"max_epochs": 3, "dim": 16},
        language={"max_sentences": 0},
        insights={"k_anonymity": 5},
        evaluation={"n_bootstrap": 50},
    )


def run_split(world: Path, folder: Path, n_shards: int) -> dict[str, pd.DataFrame]:
    """The result tables of the night split so, its shards run in an order drawn by chance."""
    (folder / "inputs").symlink_to(world / "inputs")
    settings = settings_of(folder, n_shards)
    rng = np.random.default_rng(n_shards)
    for job in JOBS:
        for shard in rng.permutation(all_shards(job, NIGHT, settings)):
            run_job(Order(job, NIGHT, str(shard)), settings)
    assert Runs(Place(str(folder))).of_night(NIGHT).record.n_user_shards == n_shards
    reader = Reader(f"sqlite:///{folder}/results.sqlite")
    tables = {name: reader.table(name).drop(columns="run_id") for name in RESULTS}
    reader.close()
    return tables


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, pd.DataFrame]]:
    world = tmp_path_factory.mktemp("world")
    render_world(world, SIZE)
    return {n: run_split(world, tmp_path_factory.mktemp(f"split-{n}"), n) for n in SPLITS}


def test_every_table_has_rows(splits: dict[int, dict[str, pd.DataFrame]]) -> None:
    empty = [name for name, table in splits[1].items() if table.empty]
    assert empty == []


@pytest.mark.parametrize("n_shards", [3, 7])
def test_tables_are_equal_row_for_row(
    splits: dict[int, dict[str, pd.DataFrame]], n_shards: int
) -> None:
    for name, table in splits[1].items():
        pd.testing.assert_frame_equal(splits[n_shards][name], table, check_exact=True, obj=name)
