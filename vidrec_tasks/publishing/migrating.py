"""Migrating: brings the result tables of a database to the schema of this version, by Alembic.

Runs inside the caller's transaction: killed anywhere, a database is as it was.
"""

import threading
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.tables import VIEWS, metadata, recommendations

SCRIPTS: Final = Path(__file__).with_name("migrations")
VERSION_TABLE: Final = "vidrec_version"
"""Alembic's table, under a name of our own: Airflow keeps one in its database too."""

_FIRST: Final = "0001"
_ONE_AT_A_TIME: Final = threading.Lock()


def migrate(connection: sa.Connection) -> tuple[str | None, str]:
    """Bring the schema up to date.

    Returns:
        The version before (None: an empty database) and the version now.

    Raises:
        PublishError: the database is of a later version, or of one from before migrations.
    """
    script = ScriptDirectory(str(SCRIPTS))
    before, head = version_of(connection), str(script.get_current_head())
    _refuse_unknown(script, before)
    if before == head:
        return before, head
    if before is None and sa.inspect(connection).has_table(recommendations.name):
        _refuse_flat(connection)
        _run(connection, script, lambda revision, _: script._stamp_revs(_FIRST, revision))
    _run(connection, script, lambda revision, _: script._upgrade_revs("head", revision))
    if connection.dialect.supports_comments:
        _comment(connection)
    return before, head


def relations() -> list[str]:
    """The names of all tables and views that are made here."""
    return [*metadata.tables, VERSION_TABLE, *(view.name for view in VIEWS.values())]


def version_of(connection: sa.Connection) -> str | None:
    """The version of the schema that a database has; None before the first migration."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def _run(connection: sa.Connection, script: ScriptDirectory, steps: Any) -> None:
    # Alembic keeps what it works on in its module: one thread of a process at a time.
    with _ONE_AT_A_TIME, EnvironmentContext(Config(), script) as environment:
        environment.configure(connection=connection, fn=steps, version_table=VERSION_TABLE)
        environment.run_migrations()


def _comment(connection: sa.Connection) -> None:
    """Let the database say what the columns mean; the words are no part of the schema."""
    for table in metadata.sorted_tables:
        connection.execute(sa.schema.SetTableComment(table))
        for column in table.columns:
            connection.execute(sa.schema.SetColumnComment(column))


def _refuse_unknown(script: ScriptDirectory, version: str | None) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if version is not None and version not in known:
        message = (
            f"results: the tables are of version {version}, this program knows up to "
            f"{script.get_current_head()}; run the newer program"
        )
        raise PublishError(message)


def _refuse_flat(connection: sa.Connection) -> None:
    """Tables from before migrations are those of the first one, but on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        message = (
            "results: the tables were made before runs had partitions of their own; drop them, "
            "or name an empty schema, and publish the nights again: the store has them"
        )
        raise PublishError(message)
