"""The night: inputs to published lists, once a day."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronDataIntervalTimetable
from vidrec_dag_defaults import DEFAULT_ARGS, FUTURE_PARAM, NIGHT_PARAM, REFRESH_PARAM, TAGS
from vidrec_flow import night_flow

DOC = """
### vidrec: the night

Reads the catalogue and the logs, looks at new films, encodes them, profiles users, trains the
models, writes and explains every list, checks the gates and publishes all tables in one
transaction.

* **Schedule**: every day at 02:00 UTC, for the day that has just begun.
* **By hand**: *Trigger* asks for a night. A night may be run again; it gives the same result.
* **Past nights**: `airflow backfill create --dag-id vidrec_nightly --from-date 2026-08-28 --to-date
  2026-08-31 --max-active-runs 1` makes the nights 29 to 31, and readers are never turned back. A
  night builds on finished nights before it, so the oldest comes first; one that is older than the
  retained runs leaves again with the next publication. Over Airflow's own SQLite the command may
  find the file locked by a running scheduler: create the backfill before `make up`.
* **If it fails**: readers keep the last published night. Clear the red task once the cause is
  mended; what is made already is taken from the store. `write_report` writes what there is either
  way.
* **If the gates reject it**: it is red and not published. With `VIDREC_PUBLISHING__ALLOW_OVERRIDE`
  a person is asked for 12 hours (*Required Actions*); no answer means no.
* **Work**: shards of users and videos are mapped tasks in the pool `vidrec_compute`.
"""

with DAG(
    dag_id="vidrec_nightly",
    description="Catalogue and logs to published, explained recommendation lists.",
    doc_md=DOC,
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=TAGS,
    params={"night": NIGHT_PARAM, "refresh": REFRESH_PARAM, "future": FUTURE_PARAM},
) as dag:
    night_flow()
