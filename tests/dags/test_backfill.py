import pytest

from tests.dags.conftest import Python

pytestmark = pytest.mark.airflow

NIGHTS_OF_RUNS = """
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from vidrec_dag_defaults import night_of
with create_session() as session:
    for run in session.query(DagRun).filter(DagRun.dag_id == "vidrec_nightly"):
        print("NIGHT", run.run_type, run.state, night_of(run), run.conf)
"""


def test_airflows_own_backfill_makes_one_run_a_night(airflow: Python) -> None:
    airflow("-m", "airflow", "dags", "reserialize")
    airflow(
        "-m", "airflow", "backfill", "create", "--dag-id", "vidrec_nightly",
        "--from-date", "2026-08-28", "--to-date", "2026-08-31", "--max-active-runs", "1",
    )  # fmt: skip
    said = airflow("-c", NIGHTS_OF_RUNS).splitlines()
    runs = [line.split()[1:] for line in said if line.startswith("NIGHT ")]
    assert runs == [
        ["backfill", "queued", night, "{}"] for night in ("2026-08-29", "2026-08-30", "2026-08-31")
    ]
