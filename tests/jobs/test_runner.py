"""The runner with small jobs of our own: what is reused, what is refused, what is left behind."""

import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from vidrec_tasks.errors import (
    GateError,
    InputError,
    MissingArtefact,
    ModelError,
    RunUnderWay,
    SettingsError,
    StoreError,
    VidrecError,
)
from vidrec_tasks.jobs import NIGHT as TASKS
from vidrec_tasks.jobs import _runner
from vidrec_tasks.jobs._job import Context, Job, Made, job
from vidrec_tasks.jobs._runner import Order, load_job, postcard, run_job, run_night, shards_for
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, RunRecord, Runs

NIGHT = date(2026, 9, 1)


class World:
    """A store with an opened run, and the jobs it knows."""

    def __init__(self, folder: Path) -> None:
        self.settings = read_settings({}, store_url=str(folder))
        self.place = Place(str(folder))
        self.jobs: dict[str, Job] = {}
        self.calls: list[str] = []
        self.open()

    @property
    def run(self) -> Run:
        return Runs(self.place).of_night(NIGHT)

    def open(self, run_id: str = "2026-09-01-aaaaaaaa", **more: Any) -> Run:
        usual = {
            "night": run_id[:10], "inputs": "in", "settings_digest": "s", "code": "c",
            "n_user_shards": 2, "n_video_shards": 3, "catalogue_as_of": "current",
        }  # fmt: skip
        return Runs(self.place).open(RunRecord(run_id, **{**usual, **more}))

    def declare(self, run: Callable[[Context], Made] | None = None, **words: Any) -> None:
        """Add the job ``rank_candidates``; by default it makes what it promises."""

        def rank_candidates(context: Context) -> Made:
            self.calls.append(context.shard)
            return run(context) if run else made(1)

        self.jobs["rank_candidates"] = job(**{"makes": ("ranked",), **words})(rank_candidates)

    def go(self, shard: str = "", *, settings: Settings | None = None, **more: Any) -> Any:
        order = Order("rank_candidates", NIGHT, shard, **more)
        return run_job(order, settings or self.settings)


def made(*values: int, name: str = "ranked") -> Made:
    return Made({name: {"table": pd.DataFrame({"a": values})}}, {"rows": len(values)})


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(tmp_path)
    monkeypatch.setattr(_runner, "load_job", lambda task_id: found.jobs[task_id])
    return found


def test_what_a_job_makes_is_named_by_the_run_and_told_in_the_receipt(world: World) -> None:
    world.declare(lambda context: made(4, 5, 6))
    receipt = world.go()
    assert world.run.read("ranked")["a"].tolist() == [4, 5, 6]
    assert receipt["artefacts"] == [world.run.ref("ranked").to_json()]
    said = {name: receipt[name] for name in ("job", "night", "run_id", "shard", "reused", "counts")}
    assert said == {
        "job": "rank_candidates", "night": "2026-09-01", "run_id": "2026-09-01-aaaaaaaa",
        "shard": "", "reused": False, "counts": {"rows": 3},
    }  # fmt: skip
    assert world.run.receipts() == [receipt]


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
    assert world.run.read("ranked")["a"].tolist() == [1]
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
    assert world.run.read("ranked")["a"].tolist() == [1]
    assert "made again with other bytes" in caplog.text


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
    (world.place.path("artefacts", "lists", ref.key) / "_artefact.json").unlink()
    assert world.go()["reused"] is False
    assert world.run.read("lists")["a"].tolist() == [1]


def remember(world: World, name: str, *values: int) -> None:
    table = pd.DataFrame({"a": values})
    key = "-".join(map(str, values))
    world.run.remember(world.run.artefacts.write(name, key, {"table": table}))


def test_other_needs_make_it_anew_and_the_same_ones_find_it_again(world: World) -> None:
    world.declare(lambda context: made(*context.read("videos")["a"]), needs=("videos",))
    for values, is_reused in (((1,), False), ((2, 3), False), ((1,), True)):
        remember(world, "videos", *values)
        assert world.go()["reused"] is is_reused
        assert world.run.read("ranked")["a"].tolist() == list(values)


def test_settings_of_its_groups_make_it_anew_and_others_do_not(world: World) -> None:
    world.declare(settings=("recommending",))
    url = {"store_url": world.place.url}
    world.go()
    others = read_settings({}, **url, content={"n_keyframes": 3}, threads=0, lease_s=99)
    assert world.go(settings=others)["reused"] is True
    assert world.go(settings=read_settings({}, **url, recommending={"n": 3}))["reused"] is False


def test_a_key_is_no_part_of_what_makes_an_artefact(world: World) -> None:
    world.declare(settings=("language",))
    world.go()
    secret = read_settings({}, store_url=world.place.url, language={"endpoint_key": "sesame"})
    assert world.go(settings=secret)["reused"] is True


def test_other_code_makes_it_anew(world: World) -> None:
    world.declare()
    world.go()
    world.open("2026-09-01-bbbbbbbb", code="other")
    assert world.go()["reused"] is False


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
    assert shards_for("rank_candidates", world.place, NIGHT) == ["0", "1"]
    for shard in ("1", "0"):
        world.go(shard)
    assert [world.run.read(f"ranked.{shard}")["a"][0] for shard in (0, 1)] == [0, 1]
    assert Context(world.settings, world.place, world.run).read_all("ranked")["a"].tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize(("per", "shards"), [("", [""]), ("video_shard", ["0", "1", "2"])])
def test_a_job_is_mapped_over_the_shards_of_its_kind(
    world: World, per: Any, shards: list[str]
) -> None:
    world.declare(per=per)
    assert shards_for("rank_candidates", world.place, NIGHT) == shards


def test_a_need_that_is_not_made_names_it_and_the_job_is_not_run(world: World) -> None:
    world.declare(needs=("portraits.*",))
    remember(world, "portraits.0", 1)
    with pytest.raises(MissingArtefact, match=r"portraits\.1 is not made yet; run the job"):
        world.go()
    assert world.calls == []


@pytest.mark.parametrize(
    "names", [(), ("ranked", "more"), ("other",)], ids=["none", "more", "other"]
)
def test_a_job_that_makes_other_than_it_promised_is_refused(
    world: World, names: tuple[str, ...]
) -> None:
    parts = {"table": pd.DataFrame({"a": [1]})}
    world.declare(lambda context: Made(dict.fromkeys(names, parts)))
    with pytest.raises(VidrecError, match=r"rank_candidates: made .* promised \['ranked'\]"):
        world.go()
    assert_nothing_is_left(world)


def assert_nothing_is_left(world: World) -> None:
    """No name, no receipt, no committed artefact and no file beside one."""
    assert world.run.refs() == []
    assert world.run.receipts() == []
    artefacts = Path(str(world.place.path("artefacts")))
    assert [path for path in artefacts.rglob("_artefact.json") if "lists" in path.parts] == []
    assert [path for path in artefacts.rglob(".*") if path.is_file()] == []


def test_a_job_that_fails_leaves_nothing_and_can_be_run_again(world: World) -> None:
    def fail(context: Context) -> Made:
        if len(world.calls) == 1:
            raise ModelError("the model is gone")
        return made(1)

    world.declare(fail)
    with pytest.raises(ModelError, match="the model is gone"):
        world.go()
    assert_nothing_is_left(world)
    assert world.go()["reused"] is False


def test_a_job_that_fails_while_writing_names_nothing(world: World) -> None:
    good, bad = {"table": pd.DataFrame({"a": [1]})}, {"said": {"x": {1, 2}}}
    world.declare(lambda context: Made({"ranked": good, "lists": bad}), makes=("ranked", "lists"))
    with pytest.raises(StoreError, match="a set inside JSON"):
        world.go()
    assert_nothing_is_left(world)


def test_a_full_disk_names_nothing_and_the_next_run_mends_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"one": {"a": 1}, "two": {"b": 2}}
    world.declare(lambda context: Made({"lists": parts}), makes=("lists",))
    written: list[int] = []

    def full(number: int) -> None:
        written.append(number)
        if len(written) > 2:  # the lease, the first part
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("vidrec_tasks.store.place.os.fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            world.go()
    assert_nothing_is_left(world)
    world.go()
    assert [world.run.read("lists", part) for part in ("one", "two")] == [{"a": 1}, {"b": 2}]


def test_a_verdict_is_raised_after_everything_is_kept(world: World) -> None:
    def judge(context: Context) -> Made:
        return Made(made(1).artefacts, {"failed": 1}, error=GateError("too few lists"))

    world.declare(judge)
    with pytest.raises(GateError, match="too few lists"):
        world.go()
    assert world.run.read("ranked")["a"].tolist() == [1]
    assert world.run.receipts()[0]["counts"] == {"failed": 1}


def test_a_night_that_somebody_else_works_on_is_refused(world: World) -> None:
    world.declare()
    Lease(world.place, NIGHT, owner="dag run 7", lease_s=60).take()
    with pytest.raises(RunUnderWay, match="owned by dag run 7"):
        world.go(owner="dag run 8")
    assert world.calls == []
    world.go(owner="dag run 7")
    assert world.calls == [""]


def test_a_lease_without_a_name_ends_with_the_job_and_a_named_one_does_not(world: World) -> None:
    world.declare()
    world.go()
    world.go(owner="dag run 7")
    with pytest.raises(RunUnderWay):
        world.go()


def test_a_job_that_failed_gives_its_lease_back(world: World) -> None:
    def fail(context: Context) -> Made:
        raise ModelError("the model is gone")

    world.declare(fail)
    with pytest.raises(ModelError):
        world.go()
    Lease(world.place, NIGHT, owner="next", lease_s=60).take()


def test_a_night_that_was_never_opened_names_the_next_step(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    with pytest.raises(MissingArtefact, match="run validate_inputs first"):
        run_job(Order("rank_candidates", NIGHT), settings)


@pytest.mark.parametrize("task_id", TASKS[1:])
def test_a_job_of_the_night_is_loaded_by_its_name(task_id: str) -> None:
    assert load_job(task_id).task_id == task_id


@pytest.mark.parametrize("unknown", ["rank", "_runner", "forget_users", "../rank_candidates"])
def test_an_unknown_job_is_refused_with_the_names_there_are(tmp_path: Path, unknown: str) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    refused = pytest.raises(SettingsError, match=f"job '{unknown}': unknown; one of validate")
    with refused:
        load_job(unknown)
    with refused:
        run_job(Order(unknown, NIGHT), settings)
    with refused:
        run_night(NIGHT, settings, until=unknown)
    assert list(tmp_path.iterdir()) == []


def write_inputs(place: Place) -> None:
    folder = Path(str(place.path("inputs")))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "videos.csv").write_text("video_id,title,duration_s\nv1,Cats,60\nv2,Space,60\n")
    (folder / "interactions.csv").write_text(
        "user_id,video_id,event_at,event_type\n"
        "a,v1,2026-08-20T10:00:00Z,play\n"
        "b,v2,2026-08-21T10:00:00Z,like\n"
        "b,v1,2026-09-01T00:00:00Z,like\n"
    )


def test_the_night_opens_its_run_over_the_inputs_before_it(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    place = Place(str(tmp_path))
    write_inputs(place)
    (receipt,) = run_night(NIGHT, settings, until="validate_inputs")
    run = Runs(place).of_night(NIGHT)
    assert run.read("interactions.0")["user_id"].tolist() == ["a", "b"]
    assert receipt["counts"]["interactions_after_night"] == 1
    assert (postcard(receipt)["user_shards"], postcard(receipt)["video_shards"]) == (["0"], ["0"])
    Lease(place, NIGHT, owner="next", lease_s=60).take()


def test_a_rerun_of_a_night_is_the_same_run_and_a_refresh_with_later_rows_is_not(
    tmp_path: Path,
) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    write_inputs(Place(str(tmp_path)))
    first = run_job(Order("validate_inputs", NIGHT), settings)
    with (tmp_path / "inputs" / "interactions.csv").open("a") as file:
        file.write("late,v1,2026-08-25T10:00:00Z,play\n")
    again = run_job(Order("validate_inputs", NIGHT), settings)
    fresh = run_job(Order("validate_inputs", NIGHT, refresh=True), settings)
    assert again["run_id"] == first["run_id"] != fresh["run_id"]
    users = Runs(Place(str(tmp_path))).of_night(NIGHT).read("interactions.0")["user_id"]
    assert users.tolist() == ["a", "b", "late"]


def test_a_night_without_inputs_opens_no_run(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    with pytest.raises(InputError, match="first: videos"):
        run_night(NIGHT, settings)
    assert list(Runs(Place(str(tmp_path)))) == []


def test_a_night_that_fails_is_reported_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    write_inputs(Place(str(tmp_path)))

    def fake(task_id: str) -> Job:
        def run(context: Context) -> Made:
            ran.append(task_id)
            if task_id == TASKS[2]:
                raise ModelError("the encoder is gone")
            return Made()

        run.__name__ = task_id
        return job()(run)

    monkeypatch.setattr(_runner, "load_job", fake)
    with pytest.raises(ModelError, match="the encoder is gone"):
        run_night(NIGHT, read_settings({}, store_url=str(tmp_path)))
    assert ran == [TASKS[1], TASKS[2], "write_report"]
    Lease(Place(str(tmp_path)), NIGHT, owner="next", lease_s=60).take()


def test_threads_are_given_to_native_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "1")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    world.declare()
    for threads, expected in ((0, "1"), (3, "3")):
        world.go(settings=read_settings({}, store_url=world.place.url, threads=threads))
        assert [os.environ[name] for name in names] == [expected] * 3
