"""By hand: point the readers at an earlier run."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param
from vidrec_dag_defaults import DEFAULT_ARGS, OPEN, TAGS, by_hand

DOC = """
### vidrec: roll back

Moves the readers' pointer to an earlier published run, in one transaction. Nothing is computed:
roll forward by rolling back to the newer run. Whoever was erased stays erased, and whoever has
opted out in the newest published night leaves the run for good.
"""

with DAG(
    dag_id="vidrec_rollback",
    description="Point the readers at an earlier published run.",
    doc_md=DOC,
    schedule=None,
    is_paused_upon_creation=False,  # nothing runs unless somebody asks
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[*TAGS, "by hand"],
    params={
        "run_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^\d{4}-\d{2}-\d{2}-[0-9a-f]{8}$",
            title="Run",
            description_md="The `run_id` to go to (see the vidrec page). Empty: the one published "
            "before the current one.",
            examples=["2026-09-01-0123abcd"],
            section=OPEN,
        )
    },
) as dag:
    by_hand("roll_back", {"run_id": "run_id"})()
