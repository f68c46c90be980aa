import ast
import shutil
from pathlib import Path

import pytest

from tests.dags.conftest import Python

pytestmark = pytest.mark.airflow

Night = tuple[str, dict[str, str]]

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def nights(airflow: Python, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Night]:
    """Scenario -> how its DAG run ended, and its tasks."""
    script = tmp_path_factory.mktemp("dags") / "override_dags.py"
    shutil.copy(HERE / script.name, script)
    said = airflow(str(script), "passed", "shut", "approved", "refused", dags=script.parent)
    lines = [line.split(" ", 3)[1:] for line in said.splitlines() if line.startswith("STATES ")]
    return {name: (state, dict(ast.literal_eval(tasks))) for name, state, tasks in lines}


def test_a_night_that_passed_its_gates_asks_nobody(nights: dict[str, Night]) -> None:
    state, tasks = nights["passed"]
    assert (state, tasks["publish_lists"]) == ("success", "success")
    assert tasks["may_be_overridden"] == tasks["approve_rejected_run"] == "skipped"


def test_a_rejected_night_is_red_where_nobody_may_be_asked(
    nights: dict[str, Night],
) -> None:
    state, tasks = nights["shut"]
    assert (state, tasks["check_gates"]) == ("failed", "failed")
    assert tasks["approve_rejected_run"] == "skipped"
    assert tasks["publish_lists"] == tasks["night_is_published"] == "upstream_failed"
    assert tasks["write_report"] == "success"


def test_a_rejected_night_that_a_person_approved_is_published(
    nights: dict[str, Night],
) -> None:
    state, tasks = nights["approved"]
    assert (state, tasks["check_gates"]) == ("success", "failed")  # the rejection stays in sight
    assert tasks["publish_lists"] == tasks["night_is_published"] == "success"


def test_a_rejected_night_that_a_person_refused_is_red(nights: dict[str, Night]) -> None:
    state, tasks = nights["refused"]
    assert (state, tasks["approve_rejected_run"]) == ("failed", "success")
    assert tasks["publish_lists"] == tasks["night_is_published"] == "upstream_failed"
