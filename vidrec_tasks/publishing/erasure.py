"""Erasure: users leave every run's result tables, and the database's free pages too.

Leaves files to `store.erasure`. Ids go in as values of statements only: no message holds one.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from vidrec_tasks.columns import USER_ID
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import in_words
from vidrec_tasks.publishing.tables import RESULTS, pointer

USER_TABLES: Final = {name: table for name, table in RESULTS.items() if USER_ID in table.c}
"""The result tables with rows about a user."""

BATCH: Final = 500


def erase_users(engine: sa.Engine, user_ids: Collection[str]) -> dict[str, int]:
    """Remove users from every run, in one transaction, and from the files' free space.

    Returns:
        Rows removed a table.

    Raises:
        PublishError: the database cannot be written.
    """
    with in_words(engine, "erase users"), engine.begin() as connection:
        if not _is_prepared(connection):
            return {}
        removed = {name: _delete(connection, t, user_ids) for name, t in USER_TABLES.items()}
    scrub(engine)
    return removed


def count_users(engine: sa.Engine, user_ids: Collection[str]) -> dict[str, int]:
    """Rows about users a table, over every run."""
    with in_words(engine, "look for users"), engine.begin() as connection:
        if not _is_prepared(connection):
            return {}
        return {
            name: sum(
                connection.execute(
                    sa.select(sa.func.count()).select_from(t).where(t.c.user_id.in_(batch))
                ).scalar_one()
                for batch in _batches(user_ids)
            )
            for name, t in USER_TABLES.items()
        }


def erase_again(
    engine: sa.Engine, run_id: str, is_forgotten: Callable[[pd.Series], pd.Series]
) -> int:
    """Remove from one run whoever was erased since, before readers are pointed at it.

    Args:
        engine: of the result tables.
        run_id: the run.
        is_forgotten: says of user ids whether they were erased (`store.ledger.Ledger.holds`).

    Returns:
        Rows removed.
    """
    removed = 0
    with in_words(engine, f"erase users of run {run_id} again"), engine.begin() as connection:
        for table in USER_TABLES.values():
            users = sa.select(table.c.user_id).where(table.c.run_id == run_id).distinct()
            ids = pd.Series(list(connection.execute(users).scalars()), dtype="str")
            forgotten = list(ids[is_forgotten(ids)])
            removed += _delete(connection, table, forgotten, table.c.run_id == run_id)
    if removed:
        scrub(engine)
    return removed


def take_out(engine: sa.Engine, run_id: str, user_ids: Collection[str]) -> int:
    """Remove users' rows from one run; what they lay in is not rewritten.

    Returns:
        Rows removed.
    """
    with in_words(engine, f"take users out of run {run_id}"), engine.begin() as connection:
        return sum(
            _delete(connection, table, user_ids, table.c.run_id == run_id)
            for table in USER_TABLES.values()
        )


def count_listed(engine: sa.Engine, run_id: str, video_ids: Collection[str]) -> int:
    """How many of some videos are in users' lists of a run."""
    lists = RESULTS["recommendations"]
    with in_words(engine, "look for videos"), engine.begin() as connection:
        return sum(
            connection.execute(
                sa.select(sa.func.count(lists.c.video_id.distinct())).where(
                    lists.c.run_id == run_id, lists.c.video_id.in_(batch)
                )
            ).scalar_one()
            for batch in _batches(video_ids)
        )


def scrub(engine: sa.Engine) -> None:
    """Rewrite what deleted rows lay in, so that their bytes are gone from the files.

    SQLite is rewritten whole and its log emptied; PostgreSQL's tables are vacuumed, its log of
    changes keeps them until it is recycled.

    Raises:
        PublishError: a reader holds the old pages; nothing is lost, run it again.
    """
    with in_words(engine, "scrub erased rows"), closing(engine.raw_connection()) as connection:
        if engine.dialect.name == "sqlite":
            connection.cursor().execute("VACUUM")
            checkpoint = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = checkpoint.fetchone()[0]
        else:
            driver: Any = connection.driver_connection
            driver.rollback()
            driver.autocommit = True
            driver.execute(f"VACUUM {', '.join(USER_TABLES)}")
            busy = 0
    if busy:
        message = (
            "results: rows are erased, but a reader still holds their old pages; "
            "let it finish and forget the users again"
        )
        raise PublishError(message)


def _delete(
    connection: sa.Connection,
    table: sa.Table,
    user_ids: Collection[str],
    *which: sa.ColumnElement[bool],
) -> int:
    return sum(
        connection.execute(sa.delete(table).where(table.c.user_id.in_(batch), *which)).rowcount
        for batch in _batches(user_ids)
    )


def _batches(all_ids: Collection[str]) -> Iterator[list[str]]:
    ids = sorted(all_ids)
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _is_prepared(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table(pointer.name)
