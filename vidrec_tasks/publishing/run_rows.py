"""Run rows: the statements over ``runs`` and ``pointer``; each runs inside a caller's transaction.

A run is loading, published or rejected; the pointer names the one that readers see.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.tables import RESULTS, pointer, runs

LOADING: Final = "loading"
PUBLISHED: Final = "published"
REJECTED: Final = "rejected"


def clear(connection: sa.Connection, run_id: str) -> None:
    """Remove a run's rows from every result table."""
    for table in RESULTS.values():
        connection.execute(sa.delete(table).where(table.c.run_id == run_id))


def count_rows(connection: sa.Connection, run_id: str) -> dict[str, int]:
    """Result table -> how many rows it holds of a run."""
    counts = [
        sa.select(sa.literal(name), sa.func.count()).select_from(t).where(t.c.run_id == run_id)
        for name, t in RESULTS.items()
    ]
    return {str(name): int(n) for name, n in connection.execute(sa.union_all(*counts))}


def update_run(run_id: str) -> sa.Update:
    """A change of what is written of a run."""
    return sa.update(runs).where(runs.c.run_id == run_id)


def find_run(connection: sa.Connection, run_id: str) -> Any:
    """What is written of a run, if it was opened."""
    return connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).first()


def must_find(connection: sa.Connection, run_id: str) -> Any:
    """What is written of a run.

    Raises:
        PublishError: it was never opened.
    """
    found = find_run(connection, run_id)
    if found is None:
        message = f"run {run_id}: is not open in the result tables; open it first"
        raise PublishError(message)
    return found


def lock_pointer(connection: sa.Connection) -> str | None:
    """The run that readers see; nobody else moves the pointer until the transaction ends."""
    return connection.execute(sa.select(pointer.c.run_id).with_for_update()).scalar()


def point_at(connection: sa.Connection, run_id: str, moved_at: datetime) -> None:
    """Move the pointer."""
    connection.execute(sa.update(pointer).values(run_id=run_id, moved_at=moved_at))


def loaded_run(connection: sa.Connection, run_id: str, rows: Mapping[str, int] | None) -> Any:
    """A run that may be shown.

    Args:
        connection: inside a transaction.
        run_id: the run.
        rows: result table -> how many rows it must hold of the run; None: not counted.

    Raises:
        PublishError: it was never opened, was rejected, or lacks rows.
    """
    run = must_find(connection, run_id)
    if run.state == REJECTED:
        message = f"run {run_id}: was rejected by its gates; it cannot be published"
        raise PublishError(message)
    there = count_rows(connection, run_id) if rows else {}
    for name, n_loaded in (rows or {}).items():
        if there[name] != n_loaded:
            message = (
                f"run {run_id}: {name} holds {there[name]:,} rows, not the {n_loaded:,} that were "
                "loaded: another program wrote in the meantime; run publish_lists again"
            )
            raise PublishError(message)
    return run


def published_runs(connection: sa.Connection) -> list[Any]:
    """The published runs, newest first."""
    shown = sa.select(runs).where(runs.c.state == PUBLISHED)
    newest_first = (runs.c.night.desc(), runs.c.published_at.desc(), runs.c.run_id.desc())
    return list(connection.execute(shown.order_by(*newest_first)))


def rollback_target(published: list[Any], current_id: str | None, asked: str | None) -> Any:
    """The run to go back to.

    Args:
        published: the published runs, newest first.
        current_id: the run that readers see.
        asked: the run to go to; None: the one before the current.

    Raises:
        PublishError: there is none such; the message names those there are.
    """
    names = [run.run_id for run in published]
    if asked is None:
        position = names.index(current_id) + 1 if current_id in names else len(names)
    else:
        position = names.index(asked) if asked in names else len(names)
    if position >= len(names):
        what = f"run {asked} is not published" if asked else "no run precedes the current one"
        message = f"roll back: {what}; there are {', '.join(names) or 'none'}"
        raise PublishError(message)
    return published[position]


def old_runs(connection: sa.Connection, retained_runs: int) -> list[str]:
    """The runs beyond the newest, and those left half-loaded by a night that was published."""
    published = published_runs(connection)
    others = list(connection.execute(sa.select(runs).where(runs.c.state != PUBLISHED)))
    others.sort(key=lambda run: (run.night, run.started_at), reverse=True)
    rejected = [run for run in others if run.state == REJECTED]
    nights = {run.night for run in published}
    left = [run for run in others if run.state == LOADING and run.night in nights]
    old = [*published[retained_runs:], *rejected[retained_runs:], *left]
    return [run.run_id for run in old]
