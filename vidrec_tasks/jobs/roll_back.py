"""roll_back: point the readers at an earlier run, without who was erased or opted out since."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from vidrec_tasks.columns import OPTED_OUT, STATUS, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.errors import StoreError
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
        listed videos whose status is not active any more: they stay until the next night.

    Raises:
        PublishError: there is no such published run; the message names those there are.
    """
    publisher = Publisher(make_engine(results_url(settings, store)))
    publisher.prepare()
    target = publisher.rollback_target(run_id)
    newest = publisher.newest_published()
    # First: no reader may see a user who was erased since, not even for a moment.
    n_erased = erase_again(publisher.engine, target, Ledger(store).holds)
    n_out = 0
    if newest != target:
        opted_out = _of_newest(store, newest, "users", USER_ID, OPTED_OUT, _is_true)
        n_out = take_out(publisher.engine, target, opted_out)
    moved = publisher.roll_back(target, datetime.now(UTC))
    log.info("%s: readers now see %s, before it %s", request_id, moved["run_id"], moved["before"])
    withdrawn = _of_newest(store, newest, "videos", VIDEO_ID, STATUS, _is_inactive)
    n_withdrawn = count_listed(publisher.engine, target, withdrawn)
    if n_withdrawn:
        log.warning(
            "%s: %d listed videos of %s are not active any more (see the catalogue of %s); the "
            "next night leaves them out",
            request_id, n_withdrawn, target, newest,
        )  # fmt: skip
    return {
        **moved, "rows_erased_again": n_erased, "rows_of_opted_out": n_out,
        "videos_withdrawn_since": n_withdrawn,
    }  # fmt: skip


def _of_newest(
    store: Store,
    run_id: str | None,
    artefact: str,
    key: str,
    column: str,
    is_meant: Callable[[pd.Series], pd.Series],
) -> set[str]:
    """The keys of the newest published night whose column says so; none if it is not kept here.

    A run that was not published does not count: what it read may be why somebody goes back.
    """
    run = Runs(store).find(run_id) if run_id else None
    try:
        if run is None or run.find(artefact) is None:
            return set()
        rows = run.read_rows(artefact, columns=[key, column])
    except StoreError as error:
        log.warning(
            "%s of %s cannot be read (%s): nobody is left out for it", artefact, run_id, error
        )
        return set()
    return set(rows.loc[is_meant(rows[column]), key])


def _is_true(flags: pd.Series) -> pd.Series:
    return flags.astype(bool)


def _is_inactive(statuses: pd.Series) -> pd.Series:
    return statuses.str.casefold() != ACTIVE
