import json
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tests.containers import older
from tests.publishing.worlds import publish
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.migrating import VERSION_TABLE, version_of
from vidrec_tasks.publishing.migrations.versions import v0001_result_tables
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.tables import RESULTS, metadata, views


def test_migrations_give_the_schema_that_the_code_knows(publisher: Publisher) -> None:
    def is_ours(name: str | None, kind: str, *rest: object) -> bool:
        return name != VERSION_TABLE

    with publisher.engine.begin() as connection:
        options = {"include_name": is_ours, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_both_databases_have_the_same_columns_and_keys(publisher: Publisher) -> None:
    inspector = sa.inspect(publisher.engine)
    for name, table in metadata.tables.items():
        columns = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        assert columns == {column.name: column.nullable for column in table.columns}, name
        key = inspector.get_pk_constraint(name)["constrained_columns"]
        assert set(key) == {column.name for column in table.primary_key}, name
        unique = {frozenset(u["column_names"]) for u in inspector.get_unique_constraints(name)}
        said = [u for u in table.constraints if isinstance(u, sa.UniqueConstraint)]
        assert unique == {frozenset(c.name for c in u.columns) for u in said}, name


def test_a_second_migration_changes_nothing(publisher: Publisher) -> None:
    _, newest = publisher.prepare()
    assert publisher.prepare() == (newest, newest)


def test_tables_of_a_later_version_are_refused(publisher: Publisher) -> None:
    with publisher.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(PublishError, match="run the newer program"):
        publisher.prepare()


def test_tables_from_before_migrations_are_adopted_or_refused(url: str) -> None:
    engine = make_engine(url)
    is_flat = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        if is_flat:
            metadata.create_all(connection)
            views.create_all(connection, checkfirst=False)
            connection.exec_driver_sql("INSERT INTO pointer (row_num) VALUES (1)")
        else:
            with Operations.context(MigrationContext.configure(connection)):
                v0001_result_tables.upgrade()
    publisher = Publisher(engine)
    if is_flat:
        with pytest.raises(PublishError, match="partitions of their own"):
            publisher.prepare()
    else:
        version, newest = publisher.prepare()
        assert version is None
        assert publisher.prepare() == (newest, newest)
        assert publish(publisher, 1)


def test_a_run_has_a_partition_of_each_table(server: str) -> None:
    from vidrec_tasks.publishing.partitions import runs_with_partitions

    with make_engine(server).begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS parts CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA parts")
    publisher = Publisher(make_engine(f"{server}&options=-csearch_path%3Dparts"))
    publish(publisher, 1)
    publish(publisher, 2)
    attached = sa.text("SELECT count(*) FROM pg_inherits JOIN pg_class ON oid = inhrelid "
                       "WHERE relkind = 'r' AND pg_table_is_visible(oid)")  # fmt: skip
    with publisher.engine.begin() as connection:
        assert connection.execute(attached).scalar() == 2 * len(RESULTS)
    publisher.prune(1)
    assert len(runs_with_partitions(publisher.engine)) == 1


def test_tables_of_the_first_release_keep_their_rows_through_a_migration(
    root: Path, publisher: Publisher, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the program with which tests/containers takes a database back to version 0.1."""
    publish(publisher, 1)
    promised = (root / "docs" / "contract" / "0.1.json").read_text(encoding="utf-8")
    before = rows_of(publisher, json.loads(promised))
    monkeypatch.setenv("VIDREC_RESULTS_URL", url)
    monkeypatch.setattr(sys, "argv", ["older", promised])
    older.main()
    with publisher.engine.begin() as connection:
        assert version_of(connection) == "0001"
        assert not sa.inspect(connection).has_table("video_texts")
    assert rows_of(publisher, json.loads(promised)) == before
    publisher.prepare()
    assert rows_of(publisher, json.loads(promised)) == before
    publish(publisher, 2)


def rows_of(publisher: Publisher, promised: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """What readers of an earlier version see: its columns of its views."""
    found = {}
    with publisher.engine.begin() as connection:
        for view, columns in promised.items():
            rows = connection.execute(sa.text(f"SELECT {', '.join(columns)} FROM {view}"))
            found[view] = sorted(map(repr, rows))
    return found
