"""The runner when a job fails, is refused or finds somebody else at work: what is left behind."""

import pandas as pd
import pytest

from tests.jobs.worlds import NIGHT, World, assert_nothing_is_left, made, remember
from vidrec_tasks.errors import (
    GateError,
    MissingArtefact,
    ModelError,
    RunUnderWay,
    StoreError,
    VidrecError,
)
from vidrec_tasks.running.job import Context, Made
from vidrec_tasks.store.leases import Lease


def test_a_need_that_is_not_made_names_it_and_the_job_is_not_run(world: World) -> None:
    world.declare(needs=("portraits.*",))
    remember(world, "portraits.0", 1)
    with pytest.raises(MissingArtefact, match=r"portraits\.1 does not exist yet; run the job"):
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
        patched.setattr("vidrec_tasks.store.store.os.fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            world.go()
    assert_nothing_is_left(world)
    world.go()
    ref = world.run.ref("lists")
    read = [world.run.artefacts.read(ref, part) for part in ("one", "two")]
    assert read == [{"a": 1}, {"b": 2}]


def test_a_verdict_is_raised_after_everything_is_kept(world: World) -> None:
    def judge(context: Context) -> Made:
        return Made(made(1).artefacts, {"failed": 1}, error=GateError("too few lists"))

    world.declare(judge)
    with pytest.raises(GateError, match="too few lists"):
        world.go()
    assert world.run.read_table("ranked")["a"].tolist() == [1]
    assert world.run.receipts()[0]["counts"] == {"failed": 1}


def test_a_night_that_somebody_else_works_on_is_refused(world: World) -> None:
    world.declare()
    Lease(world.store, NIGHT, owner="dag run 7", lease_s=60).take()
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
    Lease(world.store, NIGHT, owner="next", lease_s=60).take()
