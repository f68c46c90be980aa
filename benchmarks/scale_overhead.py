"""What a task costs by itself: many empty ones through a real Airflow with a LocalExecutor."""

import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.settings import Settings
from vidrec_tasks.store.shards import Split

ROOT: Final = Path(__file__).resolve().parents[1]
N_TASKS: Final = 40
SLOTS: Final = 2
LONGEST_S: Final = 420.0
ENDED: Final = ("success", "failed")
"""A task that fails on a busy machine has cost its time too."""

DAG: Final = f"""
from airflow.sdk import DAG, task

@task(pool="vidrec_compute")
def nothing(number):
    return {{"number": number}}

with DAG("empty", schedule="@once", is_paused_upon_creation=False, catchup=False):
    nothing.expand(number=list(range({N_TASKS})))
"""

PER_USER_SHARD: Final = 7
PER_VIDEO_SHARD: Final = 2
ONCE: Final = 16
"""Tasks of dags/vidrec_flow.py: a job each, the two splits and the last empty one."""


def n_tasks(n_users: int, n_videos: int, settings: Settings) -> int:
    """How many tasks a night has."""
    users = Split.of(n_users, settings.inputs.users_per_shard).n_shards
    videos = Split.of(n_videos, settings.inputs.videos_per_shard).n_shards
    return PER_USER_SHARD * users + PER_VIDEO_SHARD * videos + ONCE


def measure_overhead() -> dict[str, Any]:
    """Seconds that an empty task adds to a night, with as many slots as here are cores.

    Raises:
        TimeoutError: Airflow did not run the tasks.
    """
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        home = Path(name)
        (home / "dags").mkdir()
        (home / "dags" / "empty.py").write_text(DAG)
        command = [
            "bash",
            "-c",
            "source scripts/airflow_env.sh; airflow_ready; "
            f"export AIRFLOW__CORE__DAGS_FOLDER={home}/dags; exec airflow standalone",
        ]
        with (home / "log").open("wb") as log:
            started = subprocess.Popen(
                command, cwd=ROOT, env=_environment(home), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            seconds, n_failed = _wait(home / "airflow.db")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                started.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
    return {
        "seconds_a_task": round(seconds / N_TASKS, 4),
        "tasks": N_TASKS,
        "failed": n_failed,
        "slots": SLOTS,
        "executor": "LocalExecutor",
    }


def _environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "VIDREC"))}
    port = 20_000 + os.getpid() % 20_000
    return {
        **kept,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__PARALLELISM": str(SLOTS),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }


def _wait(database: Path) -> tuple[float, int]:
    """Seconds from the first task's start to the last one's end, and how many failed."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        time.sleep(1.0)
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as c,
        ):
            rows = c.execute(
                "SELECT state, start_date, end_date FROM task_instance WHERE dag_id = 'empty'"
            ).fetchall()
            if len(rows) >= N_TASKS and all(state in ENDED for state, _, _ in rows):
                starts = [datetime.fromisoformat(start) for _, start, _ in rows if start]
                ends = [datetime.fromisoformat(end) for _, _, end in rows if end]
                n_failed = sum(state == "failed" for state, _, _ in rows)
                return (max(ends) - min(starts)).total_seconds(), n_failed
    message = f"{N_TASKS} empty tasks were not done after {LONGEST_S:.0f} s"
    raise TimeoutError(message)
