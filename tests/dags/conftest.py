import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Python = Callable[..., str]


@pytest.fixture(scope="session")
def airflow(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Python:
    """Runs Python beside an Airflow with a database of its own and without a scheduler."""
    home = tmp_path_factory.mktemp("airflow")

    def python(*words: str, dags: Path = root / "dags") -> str:
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "dags")]),
        }
        done = subprocess.run(
            [sys.executable, *words], cwd=home, env=environment, capture_output=True, text=True,
            check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    python("-m", "airflow", "db", "migrate")
    python("-m", "airflow", "pools", "set", "vidrec_compute", "2", "one slot a core")
    return python


@pytest.fixture
def defaults(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that every DAG takes its defaults from."""
    monkeypatch.syspath_prepend(root / "dags")
    import vidrec_dag_defaults

    return vidrec_dag_defaults
