"""Engine: connects to the result tables: SQLite inside the store, or PostgreSQL by URL.

A password is never part of a message; values are never part of an error.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from vidrec_tasks.errors import PublishError, SettingsError
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.store import Store

READER: Final = "vidrec_page"
"""A role of PostgreSQL that may read the result tables and nothing else, where somebody made it."""

RESULTS_FILE: Final = "results.sqlite"
BUSY_TIMEOUT_MS: Final = 30_000
CONNECT_TIMEOUT_S: Final = 10

POSTGRES: Final = ("postgres", "postgresql", "postgresql+psycopg")


def results_url(settings: Settings, store: Store) -> str:
    """The SQLAlchemy URL of the result tables: as set, or a file in the store.

    Raises:
        SettingsError: none is set and the store is remote.
    """
    if settings.results_url:
        return settings.results_url
    if not store.is_local:
        message = (
            f"settings: the store {store.url} is remote and cannot hold a SQLite file; set "
            "VIDREC_RESULTS_URL to a PostgreSQL database"
        )
        raise SettingsError(message)
    path = store.local(store.path(RESULTS_FILE))
    return sa.URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


def reader_url(settings: Settings, store: Store) -> str:
    """The URL for whoever only reads: a role without other rights where one is set."""
    return settings.reader_url or results_url(settings, store)


def make_engine(url: str, *, read_only: bool = False) -> sa.Engine:
    """An engine for the result tables.

    Args:
        url: ``sqlite:///…`` or ``postgresql://…`` (psycopg 3).
        read_only: nothing is created or changed through it, and what one transaction reads is of
            one moment.

    Raises:
        SettingsError: the URL is none, or of another database.
    """
    parsed = _parse(url)
    engine = _sqlite(parsed, read_only) if parsed.drivername == "sqlite" else _postgres(
        parsed, read_only
    )  # fmt: skip
    return engine


def grant_reading(connection: sa.Connection, names: Iterable[str]) -> None:
    """Let the role `READER`, where PostgreSQL has it, read tables and views.

    Args:
        connection: of who owns them.
        names: theirs; what else lies in the schema may be somebody else's.
    """
    has_role = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if connection.execute(has_role, {"name": READER}).first() is None:
        return
    schema = connection.execute(sa.select(sa.func.quote_ident(sa.func.current_schema()))).scalar()
    quote = connection.dialect.identifier_preparer.quote
    relations = ", ".join(f"{schema}.{quote(name)}" for name in names)
    for right in (f"USAGE ON SCHEMA {schema}", f"SELECT ON TABLE {relations}"):
        connection.execute(sa.text(f"GRANT {right} TO {READER}"))


def where(engine: sa.Engine) -> str:
    """Where the tables are, for a message: without the password."""
    return engine.url.render_as_string(hide_password=True)


def file_of(engine: sa.Engine) -> Path | None:
    """The file that a SQLite engine opens; None of a server."""
    is_file = engine.dialect.name == "sqlite" and engine.url.database is not None
    return Path(str(engine.url.database)) if is_file else None


@contextmanager
def in_words(engine: sa.Engine, action: str) -> Iterator[None]:
    """Turn what a database says into a `PublishError` that names the action and the next step.

    Raises:
        PublishError: the first line of what the database said; further ones may hold values.
    """
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        first = (str(cause).splitlines() or [type(cause).__name__])[0]
        message = (
            f"results: cannot {action} ({first}); readers keep what they had; check "
            f"{where(engine)} and run the job again"
        )
        raise PublishError(message) from error


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        message = (
            "settings: VIDREC_RESULTS_URL is not a SQLAlchemy URL; write it like "
            "postgresql://user:password@host:5432/database, or leave it empty for SQLite"
        )
        raise SettingsError(message) from error
    if parsed.drivername in POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite" or parsed.database in (None, "", ":memory:"):
        message = (
            f"settings: VIDREC_RESULTS_URL names {parsed.drivername!r}; result tables live in a "
            "SQLite file (sqlite:////path/results.sqlite) or in PostgreSQL (postgresql://…)"
        )
        raise SettingsError(message)
    return parsed


def _postgres(url: sa.URL, read_only: bool) -> sa.Engine:
    options: dict[str, Any] = {"pool_pre_ping": True} if read_only else {"poolclass": NullPool}
    return sa.create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        execution_options={"postgresql_readonly": True} if read_only else {},
        **_shared(),
        **options,
    )


def _sqlite(url: sa.URL, read_only: bool) -> sa.Engine:
    path = Path(str(url.database)).absolute()
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    mode = "rw" if read_only else "rwc"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}", uri=True, check_same_thread=False
        )
        connection.isolation_level = None  # transactions are begun below, DDL among them
        for pragma in _pragmas(read_only):
            connection.execute(pragma)
        return connection

    options: dict[str, Any] = {} if read_only else {"poolclass": NullPool}
    engine = sa.create_engine(url.set(database=str(path)), creator=connect, **_shared(), **options)
    # A writer takes the lock at once: a read that turns into a write could be refused halfway.
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _pragmas(read_only: bool) -> list[str]:
    shared = [f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"]
    if read_only:
        return [*shared, "PRAGMA query_only = ON"]
    return [*shared, "PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON",
            "PRAGMA synchronous = NORMAL", "PRAGMA secure_delete = FAST"]  # fmt: skip


def _shared() -> dict[str, Any]:
    return {"hide_parameters": True, "json_serializer": _to_json}


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
