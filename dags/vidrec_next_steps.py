"""What to do when a task failed: the last line of its log, by what went wrong."""

from __future__ import annotations

import logging
from typing import Any, Final

from vidrec_links import page_address

log = logging.getLogger("vidrec.next_step")

KEEP: Final = "Readers keep the last published night."
CLEAR: Final = "then clear the task: what is made already is taken from the store."

NEXT_STEPS: Final = {
    "GateError": "look at the red gates and the report, fix the input or the setting behind them, "
    "and trigger the night again with Refresh.",
    "EmptyNight": "no usable event or video lies before the night: check the date in the form and "
    "that the exports have arrived, then trigger it again with Refresh.",
    "ContractError": "a table broke its contract: the message names the column; fix the export, "
    "then trigger the night again with Refresh.",
    "InputError": "fix the export that the message names (rejects are listed on the vidrec page), "
    "then trigger the night again with Refresh.",
    "SettingsError": "fix the setting that the message names where Airflow is started, restart "
    f"it, {CLEAR}",
    "RunUnderWay": "another run of the same night is at work: wait for its end; a run that was "
    f"killed ends after VIDREC_LEASE_S seconds, {CLEAR}",
    "MissingArtefact": "clear the task that makes what is missing, with its downstream tasks.",
    "StoreError": f"check that VIDREC_STORE_URL can be reached and has free space, {CLEAR}",
    "ModelError": "check the encoder's or the model's name and that its files are on this worker, "
    f"{CLEAR}",
    "PublishError": f"check the result database, {CLEAR}",
    "AirflowTaskTimeout": "the work is too large for one task: make shards smaller "
    "(VIDREC_INPUTS__USERS_PER_SHARD, VIDREC_INPUTS__VIDEOS_PER_SHARD), or give a task that has no "
    f"shards more time (VIDREC_TASK_TIMEOUT_S) where Airflow is started, {CLEAR}",
    "MemoryError": "a shard does not fit: make shards smaller (VIDREC_INPUTS__USERS_PER_SHARD, "
    f"VIDREC_INPUTS__VIDEOS_PER_SHARD) or give the worker more memory, {CLEAR}",
}
"""The name of an error -> what to do."""

OTHERWISE: Final = f"read the lines above, fix the cause, {CLEAR}"


def next_step(error: BaseException | None) -> str:
    """What to do about an error, by its class or by the cause that a task's own error hides."""
    seen = error
    while seen is not None:
        for kind in type(seen).__mro__:
            if kind.__name__ in NEXT_STEPS:
                return NEXT_STEPS[kind.__name__]
        seen = seen.__cause__
    return OTHERWISE


def say_next_step(context: Any) -> None:
    """A failure callback: say what to do and where to look, as the last line of the task's log."""
    run, task = context["dag_run"], context["ti"].task_id
    error = context.get("exception")
    where = page_address(run.dag_id, run.run_id)
    log.error("%s failed. %s Next: %s See %s", task, KEEP, next_step(error), where)
