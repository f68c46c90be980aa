import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidrec_tasks.night import BY_HAND, JOBS, NIGHT, JobPlan, upstream_of

pytestmark = pytest.mark.airflow

OVERRIDE = {"may_be_overridden", "approve_rejected_run", "note_approval"}
NO_JOBS = {"split_videos", "split_users", "night_is_published", *OVERRIDE}


@pytest.fixture(scope="module")
def dags(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "dags")
        patch.setenv("VIDREC_ENCODING_QUEUE", "gpu")
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=str(root / "dags"))
        assert bag.import_errors == {}
        yield dict(bag.dags)


def test_the_five_dags_are_there(dags: dict[str, Any]) -> None:
    names = {"nightly", "rebuild", "search", "rollback", "forget"}
    assert set(dags) == {f"vidrec_{name}" for name in names}


def test_every_dag_has_words_tags_and_a_titled_form(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        assert dag.doc_md
        assert "vidrec" in dag.tags
        for name in dag.params:
            field = dag.params.get_param(name)
            assert field.schema.get("title"), (dag.dag_id, name)
            assert field.schema.get("description_md") or field.description, (dag.dag_id, name)


@pytest.mark.parametrize("dag_id", ["vidrec_nightly", "vidrec_rebuild"])
def test_a_night_runs_every_job_once(dags: dict[str, Any], dag_id: str) -> None:
    tasks = [task.task_id.rsplit(".", 1)[-1] for task in dags[dag_id].tasks]
    assert sorted(set(tasks) - NO_JOBS) == sorted(NIGHT)
    assert len(tasks) == len(set(tasks))


@pytest.mark.parametrize("dag_id", ["vidrec_nightly", "vidrec_rebuild"])
def test_what_runs_encoders_or_the_language_model_goes_to_its_workers(
    dags: dict[str, Any], dag_id: str
) -> None:
    queues = {task.task_id.rsplit(".", 1)[-1]: task.queue for task in dags[dag_id].tasks}
    assert {name for name, queue in queues.items() if queue == "gpu"} == {
        plan.name for plan in JOBS if plan.is_encoding
    }


def test_every_job_by_hand_has_a_dag(dags: dict[str, Any]) -> None:
    by_hand = {
        task.task_id
        for name in ("search", "rollback", "forget")
        for task in dags[f"vidrec_{name}"].tasks
    }
    assert by_hand == set(BY_HAND)


def test_nothing_is_published_before_its_gates_are_checked(dags: dict[str, Any]) -> None:
    task = dags["vidrec_nightly"].get_task("publish_lists")
    assert task.upstream_task_ids == {"check_gates", "note_approval"}
    assert task.trigger_rule == "one_success"
    assert [asset.name for asset in task.outlets] == ["vidrec_recommendations"]


def test_a_night_that_was_not_published_is_red_though_its_report_is_written(
    dags: dict[str, Any],
) -> None:
    leaves = {task.task_id: task for task in dags["vidrec_nightly"].leaves}
    assert sorted(leaves) == ["night_is_published", "write_report"]
    assert leaves["night_is_published"].trigger_rule == "all_success"
    assert leaves["night_is_published"].upstream_task_ids == {"publish_lists"}


def test_a_person_is_asked_only_after_a_rejection_and_no_answer_means_no(
    dags: dict[str, Any],
) -> None:
    dag = dags["vidrec_nightly"]
    question, asked = dag.get_task("may_be_overridden"), dag.get_task("approve_rejected_run")
    assert (question.upstream_task_ids, question.trigger_rule) == ({"check_gates"}, "all_failed")
    assert asked.upstream_task_ids == {"may_be_overridden"}
    assert asked.defaults == ["Reject"]
    assert asked.response_timeout < timedelta(days=1)
    # A refusal skips what is next to the question: never the publication itself.
    assert asked.downstream_task_ids == {"note_approval"}
    assert not asked.ignore_downstream_trigger_rules
    assert not question.ignore_downstream_trigger_rules


def test_lists_wait_for_models_and_portraits(dags: dict[str, Any]) -> None:
    upstream = (
        dags["vidrec_nightly"]
        .get_task("lists.find_candidates")
        .get_flat_relative_ids(upstream=True)
    )
    assert {"models.embed_users", "audience.write_portraits", "validate_inputs"} <= upstream


@pytest.mark.parametrize("plan", JOBS, ids=lambda plan: plan.name)
def test_whoever_makes_what_a_job_needs_is_upstream_of_it(
    dags: dict[str, Any], plan: JobPlan
) -> None:
    dag = dags["vidrec_nightly"]
    names = {task.task_id.rsplit(".", 1)[-1]: task for task in dag.tasks}
    above = names[plan.name].get_flat_relative_ids(upstream=True)
    assert {names[other.name].task_id for other in upstream_of(plan)} <= above


@pytest.mark.parametrize("plan", JOBS, ids=lambda plan: plan.name)
def test_a_job_is_mapped_as_the_night_declares(dags: dict[str, Any], plan: JobPlan) -> None:
    names = {task.task_id.rsplit(".", 1)[-1]: task for task in dags["vidrec_nightly"].tasks}
    task = names[plan.name]
    is_mapped = task.is_mapped or task.get_closest_mapped_task_group() is not None
    assert is_mapped == bool(plan.per)


def test_work_runs_in_the_compute_pool_with_retries(dags: dict[str, Any]) -> None:
    for task in dags["vidrec_nightly"].tasks:
        if task.task_id not in NO_JOBS:
            assert (task.pool, task.retries) == ("vidrec_compute", 2), task.task_id


@pytest.mark.parametrize(
    ("conf", "interval_end", "night"),
    [
        ({"night": "2026-08-15"}, datetime(2026, 9, 2, 2, tzinfo=UTC), date(2026, 8, 15)),
        ({"night": None}, datetime(2026, 9, 2, 2, tzinfo=UTC), date(2026, 9, 2)),
        ({}, None, date(2026, 9, 3)),
    ],
)
def test_a_night_is_asked_for_or_the_intervals_end_or_when_it_ran(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    conf: dict[str, Any],
    interval_end: datetime | None,
    night: date,
) -> None:
    monkeypatch.syspath_prepend(root / "dags")
    from vidrec_dag_defaults import night_of

    run_after = datetime(2026, 9, 3, 9, tzinfo=UTC)
    run = SimpleNamespace(conf=conf, data_interval_end=interval_end, run_after=run_after)
    assert night_of(run) == night


def test_parsing_the_dags_imports_nothing_heavy(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'dags')\n"
        "from airflow.dag_processing.dagbag import DagBag\n"
        "bag = DagBag(dag_folder='dags')\n"
        "assert len(bag.dags) == 5, bag.import_errors\n"
        "heavy = {'torch', 'transformers', 'cv2', 'faiss'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
