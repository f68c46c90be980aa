"""The registration: every task process imports it, so it may bring nothing along."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.airflow

CODE = """
import json, sys
from airflow import plugins_manager

def loaded(*names):
    return [name for name in names if name in sys.modules]

plugins, errors = plugins_manager._get_plugins()
said = {
    "names": [plugin.name for plugin in plugins],
    "errors": list(errors),
    "beside": loaded("torch", "transformers", "cv2", "faiss", "pandas", "vidrec_tasks",
                     "vidrec_ui.api"),
    "views": {view["destination"]: view["href"] for view in plugins_manager._get_ui_plugins()[0]},
}
import vidrec_ui.api
said["page"] = loaded("torch", "transformers", "cv2", "faiss")
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a process of Airflow says of its plugins, and then of the page."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "PYTHONPATH": str(root / "plugins"),
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=root, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_task_process_gets_the_registration_and_nothing_beside(said: Any) -> None:
    assert "vidrec" in said["names"]
    assert said["errors"] == []
    assert said["beside"] == []


def test_the_page_itself_loads_no_model_library(said: Any) -> None:
    assert said["page"] == []


def test_the_page_is_in_the_navigation_and_on_a_runs_page(said: Any) -> None:
    assert said["views"] == {
        "nav": "/vidrec/",
        "dag_run": "/vidrec/dag_run?dag_id={DAG_ID}&dag_run_id={RUN_ID}",
    }
