"""By hand: erase these users everywhere, leave a receipt."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param
from vidrec_dag_defaults import DEFAULT_ARGS, OPEN, TAGS, airflow_places, by_hand

DOC = """
### vidrec: forget

Erases users from the input tables, the store's artefacts and every retained run's tables, writes
their keyed hashes into the ledger so that no later input brings them back, and leaves a receipt
that counts what was removed. The receipt holds no id. Last, the ids are replaced in Airflow's logs
and, where the connection `vidrec_airflow_db` or `VIDREC_AIRFLOW_URL` names it, in Airflow's own
database, the form of this run among it.
"""

PATIENT = {
    **DEFAULT_ARGS,
    "retries": 48,
    "retry_delay": pendulum.duration(minutes=10),
    "retry_exponential_backoff": False,
}
"""A night that is under way is waited for: eight hours."""

with DAG(
    dag_id="vidrec_forget",
    description="Erase users everywhere and leave a receipt.",
    doc_md=DOC,
    schedule=None,
    is_paused_upon_creation=False,  # nothing runs unless somebody asks
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    max_active_runs=1,
    default_args=PATIENT,
    tags=[*TAGS, "by hand"],
    params={
        "user_ids": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 1},
            minItems=1,
            maxItems=10_000,
            title="Users",
            description_md="The user ids to erase, one per line, as they appear in the logs. "
            "1 to 10,000 ids. **It cannot be undone.**",
            section=OPEN,
        )
    },
) as dag:
    by_hand("forget_users", {"user_ids": "user_ids"}, also=airflow_places, waits=True)()
