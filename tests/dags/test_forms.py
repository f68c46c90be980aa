"""The forms that trigger a DAG, the links and words of its tasks, and what a failure says."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.airflow


@pytest.fixture(scope="module")
def dags(root: Path) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "dags")
        from airflow.dag_processing.dagbag import DagBag

        yield dict(DagBag(dag_folder=str(root / "dags")).dags)


@pytest.fixture
def next_steps(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(root / "dags")
    import vidrec_next_steps

    return vidrec_next_steps


def test_every_field_has_title_meaning_and_section(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        for name in dag.params:
            schema = dag.params.get_param(name).schema
            for word in ("title", "description_md", "section"):
                assert schema.get(word), (dag.dag_id, name, word)


@pytest.mark.parametrize(
    ("dag_id", "field", "wrong"),
    [
        ("vidrec_nightly", "night", "yesterday"),
        ("vidrec_nightly", "night", "2026-13-01"),
        ("vidrec_nightly", "refresh", "perhaps"),
        ("vidrec_rebuild", "night", "01.09.2026"),
        ("vidrec_rebuild", "text_encoder", ""),
        ("vidrec_search", "queries", []),
        ("vidrec_search", "queries", [""]),
        ("vidrec_search", "queries", ["x" * 201]),
        ("vidrec_search", "n_results", 0),
        ("vidrec_search", "n_results", 201),
        ("vidrec_rollback", "run_id", "../../etc"),
        ("vidrec_rollback", "run_id", "2026-09-01"),
        ("vidrec_forget", "user_ids", []),
        ("vidrec_forget", "user_ids", [7]),
    ],
)
def test_a_wrong_value_is_refused(
    dags: dict[str, Any], dag_id: str, field: str, wrong: Any
) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    param = dags[dag_id].params.get_param(field)
    with pytest.raises(ParamValidationError):
        param.resolve(value=wrong)


@pytest.mark.parametrize(
    ("dag_id", "field", "right"),
    [
        ("vidrec_nightly", "night", None),
        ("vidrec_nightly", "night", "2026-09-01"),
        ("vidrec_rebuild", "frame_encoder", "openai/clip-vit-base-patch32"),
        ("vidrec_search", "queries", ["a cat on a sofa"]),
        ("vidrec_rollback", "run_id", "2026-09-01-0123abcd"),
        ("vidrec_forget", "user_ids", ["u017"]),
    ],
)
def test_a_right_value_is_taken(dags: dict[str, Any], dag_id: str, field: str, right: Any) -> None:
    assert dags[dag_id].params.get_param(field).resolve(value=right) == right


def test_what_is_done_by_hand_is_never_paused(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        is_by_hand = dag.dag_id != "vidrec_nightly"
        assert (dag.is_paused_upon_creation is False) == is_by_hand, dag.dag_id


def test_every_job_tells_on_its_task_what_it_does(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            name = task.task_id.rsplit(".", 1)[-1]
            if name not in ("split_videos", "split_users", "night_is_published"):
                said = getattr(task, "doc_md", None) or task.partial_kwargs.get("doc_md")
                assert said, task.task_id
                assert said.startswith(name), task.task_id


def test_tasks_lead_to_the_night_and_to_its_report(dags: dict[str, Any]) -> None:
    for task_id in ("validate_inputs", "check_gates", "publish_lists", "write_report"):
        task = dags["vidrec_nightly"].get_task(task_id)
        key = SimpleNamespace(dag_id="vidrec_nightly", run_id="manual__2026-09-01T00:00:00+00:00")
        links = {link.name: link.get_link(task, ti_key=key) for link in task.operator_extra_links}
        asked = "dag_id=vidrec_nightly&dag_run_id=manual__2026-09-01T00%3A00%3A00%2B00%3A00"
        assert links == {
            "vidrec: this night": f"/vidrec/dag_run?{asked}&to=run",
            "vidrec: its report": f"/vidrec/dag_run?{asked}&to=report",
        }


def test_links_survive_that_the_dag_is_written_down(dags: dict[str, Any]) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    there = DagSerialization.from_dict(DagSerialization.to_dict(dags["vidrec_nightly"]))
    names = {"vidrec: this night", "vidrec: its report"}
    assert names <= set(there.get_task("write_report").extra_links)


def test_every_error_of_the_house_has_a_next_step(next_steps: Any) -> None:
    from vidrec_tasks import errors

    met_in_a_task = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.VidrecError)
    } - {errors.VidrecError, errors.MediaError}  # a film ends in quarantine
    for kind in met_in_a_task:
        assert next_steps.next_step(kind("x")) != next_steps.OTHERWISE, kind


def test_the_cause_behind_a_tasks_error_decides(next_steps: Any) -> None:
    from vidrec_tasks.errors import EmptyNight

    error = RuntimeError("the task failed")
    error.__cause__ = EmptyNight("nothing")
    assert next_steps.next_step(error) == next_steps.NEXT_STEPS["EmptyNight"]
    assert next_steps.next_step(ValueError("x")) == next_steps.OTHERWISE
    assert next_steps.next_step(None) == next_steps.OTHERWISE


def test_a_failure_says_what_to_do_and_where_to_look(
    next_steps: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from vidrec_tasks.errors import GateError

    run = SimpleNamespace(dag_id="vidrec_nightly", run_id="r")
    ti = SimpleNamespace(task_id="publish_lists")
    with caplog.at_level(logging.ERROR):
        next_steps.say_next_step({"dag_run": run, "ti": ti, "exception": GateError("red")})
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("publish_lists failed. Readers keep the last published night. Next: ")
    assert "look at the red gates" in line
    assert line.endswith("See /vidrec/dag_run?dag_id=vidrec_nightly&dag_run_id=r&to=run")


def test_every_task_has_the_callback(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        callbacks = dag.default_args["on_failure_callback"]
        assert callbacks.__name__ == "say_next_step"
