"""roll_back: point the readers at an earlier run, without who was erased or opted out since."""

import logging
from datetime import UTC, datetime
from typing import Any

from vidrec_tasks.columns import OPTED_OUT, STATUS, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.erasure import count_listed, erase_again, take_out
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Runs
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
        run_id, night, the run before, rows erased again, rows of users who opted out since, and
        videos of the lists that were withdrawn since: they are in them until the next night.

    Raises:
        PublishError: there is no such published run; the message names those there are.
    """
    publisher = Publisher(make_engine(results_url(settings, store)))
    publisher.prepare()
    target = publisher.rollback_target(run_id)
    # First: no reader may see a user who was erased since, not even for a moment.
    n_erased = erase_again(publisher.engine, target, Ledger(store).holds)
    opted_out, withdrawn = _changed_since(store)
    n_out = take_out(publisher.engine, target, lambda ids: ids.isin(opted_out))
    n_withdrawn = count_listed(publisher.engine, target, withdrawn)
    if n_withdrawn:
        log.warning(
            "%s: %d listed videos of %s were withdrawn since (see the newest night's catalogue); "
            "the next night leaves them out",
            request_id, n_withdrawn, target,
        )  # fmt: skip
    moved = publisher.roll_back(target, datetime.now(UTC))
    log.info("%s: readers now see %s, before it %s", request_id, moved["run_id"], moved["before"])
    return {
        **moved, "rows_erased_again": n_erased, "rows_of_opted_out": n_out,
        "videos_withdrawn_since": n_withdrawn,
    }  # fmt: skip


def _changed_since(store: Store) -> tuple[set[str], set[str]]:
    """Who has opted out, and which videos are not active, as the newest night knows it."""
    for run_id in reversed(Runs(store).ids()):
        run = Runs(store).find(run_id)
        if run is not None and run.find("users") and run.find("videos"):
            users, videos = run.read_table("users"), run.read_table("videos")
            return (
                set(users.loc[users[OPTED_OUT].astype(bool), USER_ID]),
                set(videos.loc[videos[STATUS].str.casefold() != ACTIVE, VIDEO_ID]),
            )
    return set(), set()
