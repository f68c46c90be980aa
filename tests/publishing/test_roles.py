from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.publishing.worlds import publish, run_id
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.roles import create_roles
from vidrec_tasks.publishing.tables import RESULTS, VIEWS, metadata

_NUMBERS = count()

Url = Callable[[str], str]


@pytest.fixture
def as_role(server: str) -> Url:
    """The URL of a published night, as one of its three roles."""
    number = next(_NUMBERS)
    schema, prefix = f"roles_{number}", f"r{number}"
    with make_engine(server).begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    url = f"{server}&options=-csearch_path%3D{schema}"
    publisher = Publisher(make_engine(url))
    publish(publisher, 1)
    create_roles(publisher.engine, prefix=prefix)
    create_roles(publisher.engine, prefix=prefix)  # again, as after an update
    return lambda kind: f"{url}%20-crole%3D{prefix}_{kind}"


def refused(url: str, statement: str) -> bool:
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    except sa.exc.ProgrammingError as error:
        return isinstance(error.orig, psycopg.errors.InsufficientPrivilege)
    return False


def test_a_reader_sees_the_current_views_and_nothing_else(as_role: Url) -> None:
    url = as_role("reader")
    assert not any(refused(url, f"SELECT * FROM {view.name}") for view in VIEWS.values())
    assert all(refused(url, f"SELECT * FROM {name}") for name in metadata.tables)
    assert refused(url, "DELETE FROM current_recommendations")
    assert refused(url, "CREATE TABLE mine (a int)")
    reader = Reader(url)
    assert [row["rank"] for row in reader.list_for("u1").rows] == [1, 2, 3]
    assert reader.current_run_id() == run_id(1)
    assert set(reader.row_counts()) == set(RESULTS)
    reader.close()


def test_an_owner_who_may_create_roles_lets_a_back_end_in(server: str) -> None:
    owner, database, backend = (f"{name}_{next(_NUMBERS)}" for name in ("o", "d", "b"))
    with make_engine(server).connect().execution_options(isolation_level="AUTOCOMMIT") as one:
        one.exec_driver_sql(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'p'")
        one.exec_driver_sql(f"CREATE DATABASE {database} OWNER {owner}")
        one.exec_driver_sql(f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    url = sa.make_url(server).set(username=owner, password="p", database=database)
    publisher = Publisher(make_engine(url.render_as_string(hide_password=False)))
    publish(publisher, 1)
    names = create_roles(publisher.engine, prefix=f"p{next(_NUMBERS)}")
    with publisher.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {backend} LOGIN PASSWORD 'q'")
        connection.exec_driver_sql(f"GRANT {names['reader']} TO {backend}")
    assert publish(publisher, 2)
    theirs = url.set(username=backend, password="q").render_as_string(hide_password=False)
    reader = Reader(theirs)
    assert reader.current_run_id() == run_id(2)
    assert [row["rank"] for row in reader.list_for("u1").rows] == [1, 2, 3]
    reader.close()
    assert refused(theirs, "SELECT * FROM recommendations")


def test_the_page_selects_everything_and_changes_nothing(as_role: Url) -> None:
    url = as_role("page")
    names = [*metadata.tables, *(view.name for view in VIEWS.values())]
    assert not any(refused(url, f"SELECT * FROM {name}") for name in names)
    assert all(refused(url, f"DELETE FROM {name}") for name in metadata.tables)
    assert refused(url, "UPDATE pointer SET run_id = NULL")
    assert all(refused(url, f"DROP TABLE {name}") for name in RESULTS)
    reader = Reader(url)
    assert reader.current_run_id() == run_id(1)
    reader.close()


def test_the_writer_publishes_prunes_and_the_reader_sees_it(as_role: Url) -> None:
    publisher = Publisher(make_engine(as_role("writer")))
    assert publish(publisher, 2)
    assert publisher.prune(1) == [run_id(1)]
    reader = Reader(as_role("reader"))
    assert {row["score"] for row in reader.recommendations("u1")} == {2.0}
    reader.close()


def test_sqlite_has_no_roles(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="a SQLite file has none"):
        create_roles(make_engine(f"sqlite:///{tmp_path / 'r.sqlite'}"))


def test_a_prefix_is_a_plain_name(server: str) -> None:
    with pytest.raises(PublishError, match="is no prefix"):
        create_roles(make_engine(server), prefix="a; DROP")
