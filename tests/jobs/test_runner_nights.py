"""The runner over whole nights: which jobs there are, what opens a run, what a failure leaves."""

from pathlib import Path

import pytest

from tests.jobs.worlds import NIGHT
from vidrec_tasks.errors import (
    InputError,
    MissingArtefact,
    ModelError,
    RunUnderWay,
    SettingsError,
)
from vidrec_tasks.night import INPUTS, JobPlan
from vidrec_tasks.night import NIGHT as TASKS
from vidrec_tasks.running import runner
from vidrec_tasks.running.job import Context, Job, Made, job
from vidrec_tasks.running.runner import Order, load_job, postcard, run_job, run_night
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store


def test_a_night_that_was_never_opened_names_the_next_step(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    with pytest.raises(MissingArtefact, match="run validate_inputs first"):
        run_job(Order("rank_candidates", NIGHT), settings)


@pytest.mark.parametrize("task_id", TASKS[1:])
def test_a_job_of_the_night_is_loaded_by_its_name(task_id: str) -> None:
    assert load_job(task_id).plan.name == task_id


@pytest.mark.parametrize("unknown", ["rank", "runner", "forget_users", "../rank_candidates"])
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


def write_inputs(store: Store) -> None:
    folder = Path(str(store.path("inputs")))
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
    store = Store(str(tmp_path))
    write_inputs(store)
    (receipt,) = run_night(NIGHT, settings, until="validate_inputs")
    run = Runs(store).of_night(NIGHT)
    assert run.read_table("interactions.0")["user_id"].tolist() == ["a", "b"]
    assert receipt["counts"]["interactions_after_night"] == 1
    assert (postcard(receipt)["user_shards"], postcard(receipt)["video_shards"]) == (["0"], ["0"])
    Lease(store, NIGHT, owner="next", lease_s=60).take()


def test_a_rerun_of_a_night_is_the_same_run_and_a_refresh_with_later_rows_is_not(
    tmp_path: Path,
) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    write_inputs(Store(str(tmp_path)))
    first = run_job(Order("validate_inputs", NIGHT), settings)
    with (tmp_path / "inputs" / "interactions.csv").open("a") as file:
        file.write("late,v1,2026-08-25T10:00:00Z,play\n")
    again = run_job(Order("validate_inputs", NIGHT), settings)
    fresh = run_job(Order("validate_inputs", NIGHT, refresh=True), settings)
    assert again["run_id"] == first["run_id"] != fresh["run_id"]
    users = Runs(Store(str(tmp_path))).of_night(NIGHT).read_table("interactions.0")["user_id"]
    assert users.tolist() == ["a", "b", "late"]


def test_a_night_without_inputs_opens_no_run(tmp_path: Path) -> None:
    settings = read_settings({}, store_url=str(tmp_path))
    with pytest.raises(InputError, match="first: videos"):
        run_night(NIGHT, settings)
    assert list(Runs(Store(str(tmp_path)))) == []


def test_a_night_that_fails_is_reported_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    write_inputs(Store(str(tmp_path)))

    def fake(task_id: str) -> Job:
        def run(context: Context) -> Made:
            ran.append(task_id)
            if task_id == TASKS[2]:
                raise ModelError("the encoder is gone")
            return Made()

        return job(plan=JobPlan(task_id, INPUTS))(run)

    monkeypatch.setattr(runner, "load_job", fake)
    with pytest.raises(ModelError, match="the encoder is gone"):
        run_night(NIGHT, read_settings({}, store_url=str(tmp_path)))
    assert ran == [TASKS[1], TASKS[2], "write_report"]
    Lease(Store(str(tmp_path)), NIGHT, owner="next", lease_s=60).take()


def test_the_last_job_of_a_shared_lease_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = read_settings({}, store_url=str(tmp_path)), Store(str(tmp_path))
    write_inputs(store)

    def quiet(task_id: str) -> Job:
        def run(context: Context) -> Made:
            return Made()

        return job(plan=JobPlan(task_id, INPUTS))(run)

    monkeypatch.setattr(runner, "load_job", quiet)
    run_job(Order("validate_inputs", NIGHT, owner="airflow:dag:run"), settings)
    next_one = Lease(store, NIGHT, owner="next", lease_s=60)
    with pytest.raises(RunUnderWay, match="airflow:dag:run"):
        next_one.take()
    run_job(Order(TASKS[-1], NIGHT, owner="airflow:dag:run"), settings)
    next_one.take()
