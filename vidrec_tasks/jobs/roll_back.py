"""roll_back: point the readers at an earlier run, with whoever was erased since erased again."""

import logging
from datetime import UTC, datetime
from typing import Any

from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.erasure import erase_again
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)


def roll_back(
    settings: Settings, store: Store, *, request_id: str, run_id: str | None = None
) -> dict[str, Any]:
    """Point the readers at an earlier published run.

    Args:
        settings: where the result tables are.
        store: the store, for the ledger of forgotten users.
        request_id: who asks, for the log.
        run_id: where to; None: the run before the current one.

    Returns:
        run_id, night, the run before, and rows erased again.

    Raises:
        PublishError: there is no such published run; the message names those there are.
    """
    publisher = Publisher(make_engine(results_url(settings, store)))
    publisher.prepare()
    target = publisher.rollback_target(run_id)
    # First: no reader may see a user who was erased since, not even for a moment.
    n_erased = erase_again(publisher.engine, target, Ledger(store).holds)
    moved = publisher.roll_back(target, datetime.now(UTC))
    log.info("%s: readers now see %s, before it %s", request_id, moved["run_id"], moved["before"])
    return {**moved, "rows_erased_again": n_erased}
