"""Runs the jobs that are no part of a night: they are called from a form or by hand."""

import logging
from typing import Any

from vidrec_tasks.errors import SettingsError
from vidrec_tasks.night import BY_HAND
from vidrec_tasks.running.loading import module_of
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)


def run_by_hand(
    task_id: str, settings: Settings | None = None, *, request_id: str, **arguments: Any
) -> dict[str, Any]:
    """Run a job outside the night.

    Args:
        task_id: one of `BY_HAND`.
        settings: read from the environment when None.
        request_id: who asks, for results that carry it.
        arguments: the job's own arguments.

    Returns:
        What the job says, of postcard size.

    Raises:
        SettingsError: there is no such job.
        VidrecError: what the job says.
    """
    if task_id not in BY_HAND:
        message = f"job {task_id!r}: unknown; one of {', '.join(BY_HAND)}"
        raise SettingsError(message)
    settings = settings or read_settings()
    answer: dict[str, Any] = getattr(module_of(task_id), task_id)(
        settings, Store(settings.store_url), request_id=request_id, **arguments
    )
    log.info("%s: %s", task_id, answer)
    return answer
