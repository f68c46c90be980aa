"""Loading: the rows of a run into the result tables, out of sight of readers, and out again.

SQLite takes them chunk by chunk; PostgreSQL copies them into partitions of the run's own, by one
connection or several. What a killed loading left is removed by the next. Leaves showing a run
to `publisher`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from itertools import groupby
from operator import itemgetter
from threading import Lock
from typing import Any, Final, TypeVar

import pandas as pd
import sqlalchemy as sa

from vidrec_tasks.columns import RUN_ID
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing import partitions
from vidrec_tasks.publishing.copying import HEADER, TRAILER, copied, copied_columns
from vidrec_tasks.publishing.rows import rows_of
from vidrec_tasks.publishing.run_rows import clear
from vidrec_tasks.publishing.tables import RESULTS

Item = TypeVar("Item")
Tables = Mapping[str, Iterable[pd.DataFrame]]

_LOADING: Final = 7_302_518
"""Sets the locks of loading apart from others' on the same server."""


def load_rows(
    engine: sa.Engine, run_id: str, tables: Tables, *, is_visible: bool, n_connections: int = 1
) -> dict[str, int]:
    """Load the rows of a run in place of those that it has.

    Args:
        engine: of the result tables.
        run_id: the run.
        tables: result table -> its frames, taken one at a time.
        is_visible: readers may see the run, so its rows change in one transaction.
        n_connections: connections to PostgreSQL that load a table side by side; a run that readers
            may see, and SQLite, take one.

    Returns:
        Rows loaded a table.

    Raises:
        PublishError: a table is none, a frame does not fit it, or another publisher loads the run.
        SQLAlchemyError: a key is there twice, or the database cannot be written.
    """
    unknown = sorted(set(tables) - set(RESULTS))
    if unknown:
        message = f"run {run_id}: {unknown[0]!r} is not a result table; one of {', '.join(RESULTS)}"
        raise PublishError(message)
    if engine.dialect.name == "postgresql":
        return _load_postgres(engine, run_id, tables, is_visible, n_connections)
    with engine.connect() as connection:
        if is_visible:
            with connection.begin():
                return _insert(connection, run_id, tables, nullcontext)
        return _insert(connection, run_id, tables, connection.begin)


def remove_rows(engine: sa.Engine, run_id: str) -> None:
    """Remove a run that readers do not see from every result table."""
    if engine.dialect.name == "postgresql":
        partitions.drop(engine, run_id)
        return
    with engine.begin() as connection:
        clear(connection, run_id)


def _insert(
    connection: sa.Connection,
    run_id: str,
    tables: Tables,
    transaction: Callable[[], AbstractContextManager[Any]],
) -> dict[str, int]:
    with transaction():
        clear(connection, run_id)
    counts = dict.fromkeys(RESULTS, 0)
    for name, frames in tables.items():
        for frame in frames:
            for rows in rows_of(RESULTS[name], frame, {RUN_ID: run_id}):
                with transaction():
                    connection.execute(sa.insert(RESULTS[name]), rows)
                counts[name] += len(rows)
    return counts


def _load_postgres(
    engine: sa.Engine, run_id: str, tables: Tables, is_visible: bool, n_connections: int
) -> dict[str, int]:
    with engine.connect() as connection, _alone(connection, run_id):
        if is_visible:
            with connection.begin():
                clear(connection, run_id)
                return {
                    name: _copy(connection, table, table.name, run_id, tables.get(name, ()))
                    for name, table in RESULTS.items()
                }
        partitions.drop(engine, run_id)
        with ExitStack() as stack:
            more = [stack.enter_context(engine.connect()) for _ in range(n_connections - 1)]
            load = (
                partial(_side_by_side, [connection, *more]) if more else partial(_one, connection)
            )
            counts = {
                name: load(table, run_id, tables.get(name, ())) for name, table in RESULTS.items()
            }
        with connection.begin():
            partitions.attach(connection, run_id)
        return counts


def _one(
    connection: sa.Connection, table: sa.Table, run_id: str, frames: Iterable[pd.DataFrame]
) -> int:
    """Fill and index a partition in one transaction."""
    with connection.begin():
        partition = partitions.create(connection, table, run_id)
        # Frozen: the partition is as new as the rows, so they are never written a second time.
        n_rows = _copy(connection, table, partition, run_id, frames, options=", FREEZE")
        partitions.index(connection, table, run_id)
    return n_rows


def _side_by_side(
    connections: Sequence[sa.Connection],
    table: sa.Table,
    run_id: str,
    frames: Iterable[pd.DataFrame],
) -> int:
    """Fill a partition by several connections, then build its keys by as many.

    Each step is committed by itself. What a kill leaves is attached to nothing, and the next
    loading of the run begins by dropping it.
    """
    with connections[0].begin():
        partition = partitions.create(connections[0], table, run_id)
    shared = _Shared(iter(frames))

    def fill(connection: sa.Connection) -> int:
        try:
            with connection.begin():
                return _copy(connection, table, partition, run_id, shared)
        except BaseException:
            shared.end()  # else the others load what nobody will see
            raise

    def build(connection: sa.Connection, numbers: range) -> None:
        for number in numbers:
            with connection.begin():
                partitions.build_key(connection, table, run_id, number)

    n_keys = len(partitions.keys_of(table))
    with ThreadPoolExecutor(len(connections)) as pool:
        n_rows = sum(list(pool.map(fill, connections)))
        mine = [range(first, n_keys, len(connections)) for first in range(len(connections))]
        list(pool.map(build, connections, mine))
    with connections[0].begin():
        partitions.take_keys(connections[0], table, run_id)
    return n_rows


class _Shared(Iterator[Item]):
    """Items that several threads take in turn, each once."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items, self._lock, self._is_over = items, Lock(), False

    def __next__(self) -> Item:
        with self._lock:
            if self._is_over:
                raise StopIteration
            return next(self._items)

    def end(self) -> None:
        """Give out nothing more."""
        self._is_over = True


@contextmanager
def _alone(connection: sa.Connection, run_id: str) -> Iterator[None]:
    """Let one publisher load a run; the lock goes with the connection, however that ends."""
    asked = sa.func.pg_try_advisory_lock(_LOADING, sa.func.hashtext(run_id))
    with connection.begin():
        is_first = connection.execute(sa.select(asked)).scalar()
    if not is_first:
        message = (
            f"run {run_id}: another publisher is loading it; nothing was changed here; wait "
            "for it, then run publish_lists again"
        )
        raise PublishError(message)
    yield


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    into: str,
    run_id: str,
    frames: Iterable[pd.DataFrame],
    *,
    options: str = "",
) -> int:
    n_rows = 0
    driver: Any = connection.connection.driver_connection
    chunks = _ahead(_chunks(table, frames, {RUN_ID: run_id}))
    for columns, same in groupby(chunks, key=itemgetter(0)):
        statement = f"COPY {into} ({columns}) FROM STDIN (FORMAT BINARY{options})"
        with driver.cursor().copy(statement) as copy:
            copy.write(HEADER)
            for _, n, data in same:
                copy.write(data)
                n_rows += n
            copy.write(TRAILER)
    return n_rows


def _chunks(
    table: sa.Table, frames: Iterable[pd.DataFrame], fixed: Mapping[str, Any]
) -> Iterator[tuple[str, int, memoryview]]:
    for frame in frames:
        columns = ", ".join(copied_columns(table, frame, fixed))
        for n, data in copied(table, frame, fixed):
            yield columns, n, data


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Make the next while the server takes this one: neither waits for the other."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
