"""Roles: who may do what with the result tables of a PostgreSQL; SQLite has file rights instead.

Three group roles without a login: grant them to the accounts that people and programs use.
"""

import re
from typing import Final

import sqlalchemy as sa

from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import in_words
from vidrec_tasks.publishing.migrating import VERSION_TABLE, relations
from vidrec_tasks.publishing.tables import VIEWS, metadata

PREFIX: Final = "vidrec"
WRITER: Final = "writer"
READER: Final = "reader"
PAGE: Final = "page"

_PLACE: Final = sa.text("SELECT quote_ident(current_database()), quote_ident(current_schema())")
_PARTITIONS: Final = sa.text(
    "SELECT CAST(CAST(c.oid AS regclass) AS text) FROM pg_class c "
    "WHERE c.relispartition AND c.relkind = 'r' AND c.relnamespace = CAST(:schema AS regnamespace)"
)
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,40}")


def create_roles(engine: sa.Engine, *, prefix: str = PREFIX) -> dict[str, str]:
    """Make the roles, or set their rights again; whoever asks becomes a writer too.

    The writer owns tables and views. The reader sees the views ``current_*`` alone: they look into
    the tables with their owner's rights. The page may select everything. Neither changes anything.

    Args:
        engine: of prepared result tables on PostgreSQL, as a user who may create roles.
        prefix: what the names of the roles begin with.

    Returns:
        ``writer``, ``reader`` and ``page`` -> the role's name.

    Raises:
        PublishError: the database has no roles, the prefix is no name, or the right is missing.
    """
    if engine.dialect.name != "postgresql":
        message = (
            "roles: a SQLite file has none; give readers the right to read the file, or set "
            "VIDREC_RESULTS_URL to a PostgreSQL"
        )
        raise PublishError(message)
    if not _NAME.fullmatch(prefix):
        message = f"roles: {prefix!r} is no prefix; use small letters, digits and underscores"
        raise PublishError(message)
    names = {kind: f"{prefix}_{kind}" for kind in (WRITER, READER, PAGE)}
    with in_words(engine, "create roles"), engine.begin() as connection:
        for name in names.values():
            _create(connection, name)
        _grant(connection, **names)
    return names


def _create(connection: sa.Connection, name: str) -> None:
    is_there = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if connection.execute(is_there, {"name": name}).first() is None:
        connection.exec_driver_sql(f"CREATE ROLE {name} NOLOGIN")


def _grant(connection: sa.Connection, *, writer: str, reader: str, page: str) -> None:
    database, schema = map(str, connection.execute(_PLACE).one())
    tables = [*metadata.tables, VERSION_TABLE]
    views = [view.name for view in VIEWS.values()]
    everything = ", ".join(relations())
    partitions = list(connection.execute(_PARTITIONS, {"schema": schema}).scalars())
    statements = [
        f"GRANT {writer} TO CURRENT_USER",
        f"GRANT CONNECT ON DATABASE {database} TO {writer}, {reader}, {page}",
        f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {writer}",
        f"GRANT USAGE ON SCHEMA {schema} TO {reader}, {page}",
        *(f"ALTER TABLE {name} OWNER TO {writer}" for name in [*tables, *partitions]),
        *(f"ALTER VIEW {name} OWNER TO {writer}" for name in views),
        f"REVOKE ALL ON {everything} FROM PUBLIC, {reader}, {page}",
        f"GRANT SELECT ON {', '.join(views)} TO {reader}",
        f"GRANT SELECT ON {everything} TO {page}",
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)
