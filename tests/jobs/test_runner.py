"""The runner with small jobs of our own: what is named, what is reused, what is made anew."""

import json
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tests.jobs.worlds import NIGHT, World, made, remember
from vidrec_tasks.running import runner
from vidrec_tasks.running.job import Context, Made, UndeclaredError
from vidrec_tasks.running.runner import postcard, shards_for
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.source import ROOT, job_digest, source_digest


def test_what_a_job_makes_is_named_by_the_run_and_told_in_the_receipt(world: World) -> None:
    world.declare(lambda context: made(4, 5, 6))
    receipt = world.go()
    assert world.run.read_table("ranked")["a"].tolist() == [4, 5, 6]
    assert receipt["artefacts"] == [world.run.ref("ranked").to_json()]
    said = {name: receipt[name] for name in ("job", "night", "run_id", "shard", "reused", "counts")}
    assert said == {
        "job": "rank_candidates", "night": "2026-09-01", "run_id": "2026-09-01-aaaaaaaa",
        "shard": "", "reused": False, "counts": {"rows": 3},
    }  # fmt: skip
    assert world.run.receipts() == [receipt]
    assert receipt["peak_mib"] is None or receipt["peak_mib"] > 0


def test_a_receipt_is_json_of_postcard_size(world: World) -> None:
    world.declare(lambda context: made(*range(10_000)))
    assert len(json.dumps(postcard(world.go()))) < 1_000


def test_a_job_that_ran_is_not_run_again_and_says_what_it_said(world: World) -> None:
    world.declare()
    first, second = world.go(), world.go()
    assert world.calls == [""]
    assert (first["reused"], second["reused"]) == (False, True)
    for name in ("artefacts", "counts"):
        assert second[name] == first[name]


def test_another_run_of_the_night_reuses_it_and_names_it_too(world: World) -> None:
    world.declare()
    first = world.go()
    world.open("2026-09-01-bbbbbbbb", settings_digest="other")
    second = world.go()
    assert (world.calls, second["reused"]) == ([""], True)
    assert world.run.read_table("ranked")["a"].tolist() == [1]
    assert second["counts"] == first["counts"]


def test_force_makes_it_again(world: World) -> None:
    world.declare()
    world.go()
    assert world.go(force=True)["reused"] is False
    assert world.calls == ["", ""]


def test_force_keeps_the_first_bytes_and_warns(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.declare(lambda context: made(len(world.calls)))
    first = world.go()
    second = world.go(force=True)
    assert second["artefacts"] == first["artefacts"]
    assert world.run.read_table("ranked")["a"].tolist() == [1]
    assert "made again with different bytes" in caplog.text


def test_a_job_that_is_not_pure_is_always_run(world: World) -> None:
    world.declare(is_pure=False)
    world.go()
    assert world.go()["reused"] is False
    assert len(world.calls) == 2


def test_a_job_that_makes_nothing_is_always_run(world: World) -> None:
    world.declare(lambda context: Made(counts={"said": 1}), makes=())
    world.go()
    assert world.go()["counts"] == {"said": 1}
    assert len(world.calls) == 2


def test_an_artefact_that_is_half_gone_is_made_again(world: World) -> None:
    both = {name: {"table": pd.DataFrame({"a": [1]})} for name in ("ranked", "lists")}
    world.declare(lambda context: Made(both), makes=("ranked", "lists"))
    world.go()
    ref = world.run.ref("lists")
    (world.store.path("artefacts", "lists", ref.key) / "_artefact.json").unlink()
    assert world.go()["reused"] is False
    assert world.run.read_table("lists")["a"].tolist() == [1]


def test_other_needs_make_it_anew_and_the_same_ones_find_it_again(world: World) -> None:
    world.declare(lambda context: made(*context.read_table("videos")["a"]), needs=("videos",))
    for values, is_reused in (((1,), False), ((2, 3), False), ((1,), True)):
        remember(world, "videos", *values)
        assert world.go()["reused"] is is_reused
        assert world.run.read_table("ranked")["a"].tolist() == list(values)


def test_settings_of_its_groups_make_it_anew_and_others_do_not(world: World) -> None:
    world.declare(settings=("recommending",))
    url = {"store_url": world.store.url}
    world.go()
    others = read_settings({}, **url, content={"n_keyframes": 3}, threads=0, lease_s=99)
    assert world.go(settings=others)["reused"] is True
    assert world.go(settings=read_settings({}, **url, recommending={"n": 3}))["reused"] is False


def test_a_key_is_no_part_of_what_makes_an_artefact(world: World) -> None:
    world.declare(settings=("language",))
    world.go()
    secret = read_settings({}, store_url=world.store.url, language={"endpoint_key": "sesame"})
    assert world.go(settings=secret)["reused"] is True


@pytest.mark.parametrize(
    ("file", "is_reused"), [("recommending/lists/ranker.py", False), ("demo/tastes.py", True)]
)
def test_only_code_that_the_job_needs_makes_it_anew(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, is_reused: bool
) -> None:
    world.declare()
    world.go()
    root = tmp_path / "changed" / ROOT.name
    shutil.copytree(ROOT, root)
    (root / file).write_text("changed = True\n")
    world.open("2026-09-01-bbbbbbbb", code=source_digest(root))
    monkeypatch.setattr(runner, "job_digest", partial(job_digest, root=root))
    assert world.go()["reused"] is is_reused


def test_what_lies_outside_the_store_makes_it_anew(world: World) -> None:
    states = iter(["before", "before", "after"])
    world.declare(state=lambda context: next(states))
    assert [world.go()["reused"] for _ in range(3)] == [False, True, False]


def test_another_parent_makes_it_anew_and_one_that_is_gone_is_none(world: World) -> None:
    seen: list[str] = []  # the run ids that were made with

    def look(context: Context) -> Made:
        parent = context.parent("previous")
        seen.append(parent.run_id if parent else "")
        return made(1)

    world.declare(look, parents=("previous",))
    earlier = world.open("2026-08-31-cccccccc")
    for number, parents in enumerate(({}, {"previous": earlier.run_id}, {"previous": "gone"})):
        world.open(f"2026-09-01-{number:08d}", parents=parents)
        world.go()
    # the last is made of nothing again, as the first was
    assert seen == ["", earlier.run_id]


def test_shards_are_made_one_by_one_under_their_own_names(world: World) -> None:
    world.declare(
        lambda context: made(int(context.shard), name=context.own("ranked")),
        makes=("ranked.#",),
        per="user_shard",
    )
    assert shards_for("rank_candidates", world.store, NIGHT) == ["0", "1"]
    for shard in ("1", "0"):
        world.go(shard)
    assert [world.run.read_table(f"ranked.{shard}")["a"][0] for shard in (0, 1)] == [0, 1]
    assert Context(world.settings, world.store, world.run).read_tables("ranked")["a"].tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize(("per", "shards"), [("", [""]), ("video_shard", ["0", "1", "2"])])
def test_a_job_is_mapped_over_the_shards_of_its_kind(
    world: World, per: Any, shards: list[str]
) -> None:
    world.declare(per=per)
    assert shards_for("rank_candidates", world.store, NIGHT) == shards


def test_threads_are_given_to_native_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "1")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    world.declare()
    with threadpool_limits():  # what is loaded has as many as before, at the end
        for threads, expected in ((0, "1"), (3, "3")):
            world.go(settings=read_settings({}, store_url=world.store.url, threads=threads))
            assert [os.environ[name] for name in names] == [expected] * 3


def test_threads_bind_libraries_that_are_loaded_already(world: World) -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info()}

    world.declare()
    with threadpool_limits(limits=2):  # as it was before, at the end
        assert threads() == {2}
        world.go(settings=read_settings({}, store_url=world.store.url, threads=1))
        assert threads() == {1}


def test_an_artefact_that_was_not_declared_is_not_read(world: World) -> None:
    remember(world, "videos", 1)
    remember(world, "users", 2)
    world.declare(lambda context: made(*context.read_table("users")["a"]), needs=("videos",))
    with pytest.raises(UndeclaredError, match=r"users: read without being declared.*night\.py"):
        world.go()
    assert world.run.find("ranked") is None
    world.declare(lambda context: made(*context.read_rows("users")["a"]), needs=("videos",))
    with pytest.raises(UndeclaredError):
        world.go()
