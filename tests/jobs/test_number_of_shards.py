"""A night's tables do not depend on how users and videos are split, or on the order of shards."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.jobs import NIGHT as JOBS
from vidrec_tasks.jobs._job import Context
from vidrec_tasks.jobs._runner import Order, all_shards, run_job
from vidrec_tasks.jobs._visits import watched_by_all
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, Runs

SIZE = Size(videos=24, users=70, nights=8, films=0)
NIGHT = SIZE.two_nights[0]
SPLITS = {1: (1_000, 1_000), 3: (26, 9), 7: (11, 4)}
"""User shards -> users and videos a shard."""
N_LEARNED_FROM = 45
"""Fewer than there are: who is drawn must not depend on the split either."""


def settings_of(folder: Path, n_shards: int) -> Settings:
    users_per_shard, videos_per_shard = SPLITS[n_shards]
    return Settings(
        store_url=str(folder),
        threads=1,
        inputs={"users_per_shard": users_per_shard, "videos_per_shard": videos_per_shard},
        recommending={"max_epochs": 3, "dim": 16, "max_training_users": N_LEARNED_FROM},
        language={"max_sentences": 0},
        insights={"k_anonymity": 5},
        evaluation={"n_bootstrap": 50, "n_users": 30},
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
    run = Runs(Place(str(folder))).of_night(NIGHT)
    assert run.record.n_user_shards == n_shards
    reader = Reader(f"sqlite:///{folder}/results.sqlite")
    tables = {name: reader.table(name).drop(columns="run_id") for name in RESULTS}
    reader.close()
    return Night(tables, run)


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Night]:
    world = tmp_path_factory.mktemp("world")
    render_world(world, SIZE)
    return {n: run_split(world, tmp_path_factory.mktemp(f"split-{n}"), n) for n in SPLITS}


def test_every_table_has_rows(splits: dict[int, Night]) -> None:
    empty = [name for name, table in splits[1].tables.items() if table.empty]
    assert empty == []


@pytest.mark.parametrize("n_shards", [3, 7])
def test_tables_are_equal_row_for_row(splits: dict[int, Night], n_shards: int) -> None:
    for name, table in splits[1].tables.items():
        there = splits[n_shards].tables[name]
        pd.testing.assert_frame_equal(there, table, check_exact=True, obj=name)


@pytest.mark.parametrize("n_shards", [3, 7])
def test_metrics_are_equal(splits: dict[int, Night], n_shards: int) -> None:
    one, many = (splits[n].run.read("metrics", "metrics") for n in (1, n_shards))
    assert one["evaluated_users"] == 30
    of_a_shard = {"counterfactual_share", "portrait_shapes"}  # docs/METRICS.md says so
    assert set(many) == set(one) > of_a_shard
    assert {n: many[n] for n in many if n not in of_a_shard} == {
        n: one[n] for n in one if n not in of_a_shard
    }


@pytest.mark.parametrize("n_shards", SPLITS)
def test_models_learn_from_those_drawn_and_viewers_are_counted_over_all(
    splits: dict[int, Night], n_shards: int
) -> None:
    run = splits[n_shards].run
    (said,) = [r["counts"] for r in run.receipts() if r["job"] == "train_models"]
    visits = pd.concat(
        run.read(f"profiles.{shard}", "visits") for shard in range(run.record.n_user_shards)
    )
    assert said["users"] == N_LEARNED_FROM
    assert said["users"] + said["users_not_drawn"] == visits["user_id"].nunique()
    since = pd.Timestamp(NIGHT, tz="UTC") - pd.Timedelta(days=28)
    recent = visits[visits["is_watched"] & (visits["event_at"] >= since)]
    viewers = recent.groupby("video_id")["user_id"].nunique()
    counted = run.read("popularity").set_index("video_id")["n_viewers_recent"]
    pd.testing.assert_series_equal(counted, viewers, check_names=False)


@pytest.mark.parametrize("n_shards", [1, 7])
def test_what_all_watched_is_read_whole_or_since_a_moment(
    splits: dict[int, Night], n_shards: int
) -> None:
    run = splits[n_shards].run
    context = Context(settings_of(Path("unused"), n_shards), run.place, run)
    visits = context.read_all("profiles", "visits")
    watched = visits[visits["is_watched"]]
    assert 0 < len(watched) < len(visits)
    since = watched["event_at"].sort_values().iloc[len(watched) // 2]
    columns = ["user_id", "video_num", "event_at", "is_watched"]
    for moment, expected in ((None, watched), (since, watched[watched["event_at"] >= since])):
        found = watched_by_all(context, ("user_id", "video_num"), since=moment)
        pd.testing.assert_frame_equal(found[columns], expected[columns].reset_index(drop=True))
