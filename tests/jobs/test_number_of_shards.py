"""A night's tables do not depend on how users and videos are split, or on the order of shards."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from tests.jobs.splitting import N_LEARNED_FROM, NIGHT, SIZE, SPLITS, Night, run_split, settings_of
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.jobs.shared.visits import watched_by_shard
from vidrec_tasks.running.job import Context

KERNELS: Final = [
    ("Haswell", "AVX2", "avx2"),
    ("Zen", "AVX2", "avx2"),
    ("Sandybridge", "AVX512_CORE", "avx512f"),
    ("SkylakeX", "AVX512_CORE", "avx512f"),
]
"""OPENBLAS_CORETYPE, ONEDNN_MAX_CPU_ISA, and what the processor needs for both."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    render_world(folder, SIZE)
    videos = folder / "inputs" / "videos.csv"
    table = pd.read_csv(videos, dtype=str, keep_default_na=False)
    said = "Welcome. Today we look at “{}” from close by, and then we try it ourselves."
    titles = enumerate(table["title"])
    table["transcript"] = ["" if num % 3 else said.format(title) for num, title in titles]
    table.to_csv(videos, index=False)
    return folder


@pytest.fixture(scope="module")
def splits(world: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Night]:
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
    one, many = (splits[n].run.read_json("metrics", "metrics") for n in (1, n_shards))
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
        run.read_table(f"profiles.{shard}", "visits") for shard in range(run.record.n_user_shards)
    )
    assert said["users"] == N_LEARNED_FROM
    assert said["users"] + said["users_not_drawn"] == visits["user_id"].nunique()
    since = pd.Timestamp(NIGHT, tz="UTC") - pd.Timedelta(days=28)
    recent = visits[visits["is_watched"] & (visits["event_at"] >= since)]
    viewers = recent.groupby("video_id")["user_id"].nunique()
    counted = run.read_table("popularity").set_index("video_id")["n_viewers_recent"]
    pd.testing.assert_series_equal(counted, viewers, check_names=False)


@pytest.mark.parametrize("n_shards", [1, 7])
def test_what_was_watched_is_read_by_shard(splits: dict[int, Night], n_shards: int) -> None:
    run = splits[n_shards].run
    context = Context(settings_of(Path("unused"), n_shards), run.store, run)
    visits = context.read_tables("profiles", "visits")
    watched = visits[visits["is_watched"]]
    assert 0 < len(watched) < len(visits)
    shards = list(watched_by_shard(context, ("user_id", "video_num")))
    assert len(shards) == n_shards
    columns = ["user_id", "video_num", "event_at", "is_watched"]
    found = pd.concat(shards, ignore_index=True)
    pd.testing.assert_frame_equal(found[columns], watched[columns].reset_index(drop=True))


@pytest.mark.parametrize(("blas", "onednn", "needs"), KERNELS)
def test_no_kernel_lets_the_split_decide_a_bit(
    world: Path, tmp_path: Path, blas: str, onednn: str, needs: str
) -> None:
    flags = Path("/proc/cpuinfo").read_text()
    if f" {needs} " not in flags:
        pytest.skip(f"this processor has no {needs}")
    environment = {**os.environ, "OPENBLAS_CORETYPE": blas, "ONEDNN_MAX_CPU_ISA": onednn}
    for split in ("1", "3"):
        (tmp_path / split).mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.jobs.splitting", str(world), str(tmp_path)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2_000:]
    said = json.loads(ran.stdout.splitlines()[-1])
    numpys = [said["kernels"][name] for name in said["kernels"] if "openblas" in name]
    assert numpys
    assert set(numpys) <= {blas, "Haswell"}  # Zen is given Haswell's kernel
    one, three = said["digests"]
    assert one == three
