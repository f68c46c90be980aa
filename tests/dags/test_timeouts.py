"""How long a task may take before Airflow ends it."""

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.airflow


def test_a_task_may_take_as_long_as_the_setting_says(
    defaults: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert defaults.task_timeout() == timedelta(hours=6)
    monkeypatch.setenv("VIDREC_TASK_TIMEOUT_S", "86400")
    assert defaults.task_timeout() == timedelta(days=1)


def test_wrong_settings_do_not_hide_the_dag(defaults: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDREC_TASK_TIMEOUT_S", "-1")
    assert defaults.task_timeout() == timedelta(hours=6)


def test_a_task_that_ran_out_of_time_is_told_which_setting_gives_more(defaults: Any) -> None:
    from airflow.sdk.exceptions import AirflowTaskTimeout
    from vidrec_next_steps import next_step

    assert "VIDREC_TASK_TIMEOUT_S" in next_step(AirflowTaskTimeout("Timeout, PID: 7"))


def test_every_task_of_a_night_has_that_time(airflow: Any) -> None:
    said = airflow("-c", ASK)
    assert said.split()[-1] == "7200.0"


ASK = """
import os
os.environ["VIDREC_TASK_TIMEOUT_S"] = "7200"
from vidrec_nightly import dag
from vidrec_tasks.night import NIGHT
seconds = {t.execution_timeout.total_seconds() for t in dag.tasks
           if t.task_id.rpartition(".")[2] in NIGHT}
print(*seconds)
"""
