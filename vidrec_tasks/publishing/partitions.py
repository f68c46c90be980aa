"""Partitions: on PostgreSQL a run's rows of a table are a table of their own, until they are shown.

It is filled and indexed by itself, where no reader can meet it, and then attached to the result
table; an old run goes by detaching, which waits for readers and never holds them up. Leaves the
rows to `copying`, and when to do what to `loading`.
"""

import logging
from typing import Any, Final

import sqlalchemy as sa

from vidrec_tasks.columns import RUN_ID
from vidrec_tasks.publishing.tables import RESULTS

log = logging.getLogger(__name__)

SEPARATOR: Final = "__"
LONGEST_DETACH_S: Final = 60
"""Seconds to wait for readers of an old run; what is still read then goes at the next publish."""

_OWNER: Final = sa.text(
    "SELECT CAST(CAST(relowner AS regrole) AS text) FROM pg_class "
    "WHERE oid = CAST(:name AS regclass)"
)
_MEMORY: Final = "256MB"  # sorts a million keys without a file; 64MB, the default, does not


def keys_of(table: sa.Table) -> list[list[str]]:
    """The keys of a result table with run_id last: the key first.

    A sort compares the first column by its first eight bytes, and run_id is the same in all rows
    of a partition: with it in front the two indexes of a million rows took 5.5 s, behind 3.2 s.
    """
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    constraints = [table.primary_key, *unique]
    names = [[column.name for column in constraint.columns] for constraint in constraints]
    return [[*(name for name in key if name != RUN_ID), RUN_ID] for key in names]


def create(connection: sa.Connection, table: sa.Table, run_id: str) -> str:
    """Make an empty partition that is not attached, in place of one that was left behind.

    Returns:
        Its name, quoted.
    """
    name, value = _quoted(connection, table.name, run_id), _literal(run_id)
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    # The constraint says what attaching would otherwise look through all rows for.
    connection.exec_driver_sql(
        f"CREATE TABLE {name} (LIKE {table.name}, CONSTRAINT one_run CHECK ({RUN_ID} = {value}))"
    )
    # Another account of the writer role may have to drop it.
    owner = connection.execute(_OWNER, {"name": table.name}).scalar_one()
    connection.exec_driver_sql(f"ALTER TABLE {name} OWNER TO {owner}")
    return name


def index(connection: sa.Connection, table: sa.Table, run_id: str) -> None:
    """Give a filled partition the keys of its table.

    Raises:
        IntegrityError: a key is there twice.
    """
    name = _quoted(connection, table.name, run_id)
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'")
    primary, *others = [", ".join(key) for key in keys_of(table)]
    connection.exec_driver_sql(f"ALTER TABLE {name} ADD PRIMARY KEY ({primary})")
    for key in others:
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD UNIQUE ({key})")


def build_key(connection: sa.Connection, table: sa.Table, run_id: str, number: int) -> None:
    """Build one key of a filled partition; several connections may build one each.

    Raises:
        IntegrityError: a key is there twice.
    """
    name, key = (
        _quoted(connection, table.name, run_id),
        _key_name(connection, table, run_id, number),
    )
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{_MEMORY}'")
    columns = ", ".join(keys_of(table)[number])
    connection.exec_driver_sql(f"CREATE UNIQUE INDEX {key} ON {name} ({columns})")


def take_keys(connection: sa.Connection, table: sa.Table, run_id: str) -> None:
    """Make the keys that were built those of the partition, as `index` leaves it."""
    name = _quoted(connection, table.name, run_id)
    for number in range(len(keys_of(table))):
        kind = "UNIQUE" if number else "PRIMARY KEY"
        key = _key_name(connection, table, run_id, number)
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD {kind} USING INDEX {key}")


def attach(connection: sa.Connection, run_id: str) -> None:
    """Attach every partition of a run; rows are in the tables from the commit on."""
    for table in RESULTS.values():
        name, value = _quoted(connection, table.name, run_id), _literal(run_id)
        connection.exec_driver_sql(
            f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES IN ({value})"
        )
        connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT one_run")


def drop(engine: sa.Engine, run_id: str) -> bool:
    """Drop the partitions of a run; readers are waited for, and never wait.

    Returns:
        Whether all are gone: one that is read for longer than a minute goes the next time.
    """
    with engine.connect() as connection:
        # detaching beside readers must not be inside a transaction
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(f"SET statement_timeout = '{LONGEST_DETACH_S}s'")
        return all([_drop(connection, name, run_id) for name in RESULTS])


def runs_with_partitions(engine: sa.Engine) -> set[str]:
    """The runs that have a partition, attached or not."""
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid)"
    with engine.begin() as connection:
        names = [str(name) for name in connection.exec_driver_sql(tables).scalars()]
    parts = [name.partition(SEPARATOR) for name in names]
    return {run_id for table, _, run_id in parts if table in RESULTS and run_id}


def _drop(connection: sa.Connection, table: str, run_id: str) -> bool:
    name = _quoted(connection, table, run_id)
    found = connection.execute(_ATTACHED, {"name": name}).first()
    if found is None:
        return True
    try:
        if found.inhdetachpending is not None:
            how = "FINALIZE" if found.inhdetachpending else "CONCURRENTLY"
            connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {name} {how}")
        connection.exec_driver_sql(f"DROP TABLE {name}")
    except sa.exc.OperationalError as error:  # the statement's timeout
        log.warning(
            "run %s: %s is still being read (%s); it is removed next time",
            run_id,
            table,
            error.orig,
        )
        return False
    return True


_ATTACHED: Final[Any] = sa.text(
    "SELECT inhdetachpending FROM pg_class LEFT JOIN pg_inherits ON inhrelid = pg_class.oid "
    "WHERE pg_class.oid = to_regclass(:name)"
)
"""One row of a partition that is there: null when free, true when detaching was begun."""


def _quoted(connection: sa.Connection, table: str, run_id: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(f"{table}{SEPARATOR}{run_id}")


def _key_name(connection: sa.Connection, table: sa.Table, run_id: str, number: int) -> str:
    # the number in front: what PostgreSQL cuts off a long name is its end
    name = f"key{number}{SEPARATOR}{table.name}{SEPARATOR}{run_id}"
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _literal(run_id: str) -> str:
    return "'" + run_id.replace("'", "''") + "'"
