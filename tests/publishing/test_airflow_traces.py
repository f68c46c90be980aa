import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from vidrec_tasks.publishing.airflow_traces import (
    erase_from_airflow,
    erase_from_logs,
    files_about,
    search_airflow,
)
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.store.sought import Sought

TELLING, NUMBER = "someone-unmistakable", "42"


@pytest.fixture
def airflow(url: str) -> str:
    """Tables like Airflow's, with the users in a form, in a message, and a number elsewhere."""
    metadata = sa.MetaData()
    runs = sa.Table(
        "dag_run", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("dag_id", sa.String(250)), sa.Column("conf", sa.JSON),
    )  # fmt: skip
    log = sa.Table(
        "log", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("extra", sa.Text),
    )  # fmt: skip
    with make_engine(url).begin() as connection:
        metadata.create_all(connection)
        ids = [TELLING, NUMBER, "keep"]
        rows = [
            {"id": 1, "dag_id": "vidrec_forget", "conf": {"user_ids": ids}},
            {"id": 2, "dag_id": "others", "conf": {"answer": NUMBER}},
        ]
        connection.execute(sa.insert(runs), rows)
        connection.execute(sa.insert(log), [{"id": 1, "extra": f"conf {TELLING}, 42 rows"}])
    return url


def rows(url: str) -> tuple[list[object], str]:
    with make_engine(url).begin() as connection:
        confs = list(connection.exec_driver_sql("SELECT conf FROM dag_run ORDER BY id").scalars())
        extra = str(connection.exec_driver_sql("SELECT extra FROM log").scalar())
    return [json.loads(c) if isinstance(c, str) else c for c in confs], extra


def test_the_form_and_messages_are_scrubbed_and_a_second_search_finds_nothing(
    airflow: str,
) -> None:
    sought = Sought([TELLING, NUMBER])
    assert sum(search_airflow(airflow, sought).values()) == 3
    changed = erase_from_airflow(airflow, sought)
    assert changed["airflow/dag_run.conf"] == 2  # once for each way to look
    assert changed["airflow/log.extra"] == 1
    assert search_airflow(airflow, sought) == {}
    confs, extra = rows(airflow)
    assert confs == [{"user_ids": ["[erased]", "[erased]", "keep"]}, {"answer": NUMBER}]
    assert extra == "conf [erased], 42 rows"


def test_longer_ids_that_hold_an_id_stay(airflow: str) -> None:
    erase_from_airflow(airflow, Sought(["someone"]))
    confs, extra = rows(airflow)
    assert extra.startswith("conf [erased]-unmistakable") or TELLING in extra
    assert NUMBER in str(confs)


def test_as_many_users_as_the_form_takes_are_erased_at_once(airflow: str) -> None:
    many = [f"person-{num}@example.org" for num in range(2_500)]
    with make_engine(airflow).begin() as connection:
        text = sa.text("INSERT INTO log (id, extra) VALUES (:id, :extra)")
        wanted = [{"id": 2 + num, "extra": f"of {many[num]}"} for num in (0, 700, 2_499)]
        connection.execute(text, [*wanted, {"id": 3, "extra": f"{many[3]} and {many[1_900]}"}])
    changed = erase_from_airflow(airflow, Sought(many))
    assert changed["airflow/log.extra"] == 4
    with make_engine(airflow).begin() as connection:
        left = list(connection.exec_driver_sql("SELECT extra FROM log ORDER BY id").scalars())
    assert left[1:] == ["of [erased]", "[erased] and [erased]", "of [erased]", "of [erased]"]


def test_logs_are_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "dag_id=vidrec_forget" / "attempt=1.log"
    path.parent.mkdir()
    path.write_text(f'{{"event": "params {TELLING}"}}\nother line\n')
    assert erase_from_logs(tmp_path, Sought([TELLING])) == 1
    assert list(files_about(tmp_path, Sought([TELLING]))) == []
    assert path.read_text() == '{"event": "params [erased]"}\nother line\n'


def test_an_ordinary_word_is_erased_from_the_form_alone(url: str) -> None:
    metadata = sa.MetaData()
    tables = {
        name: sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("dag_id", sa.String(250)),
            sa.Column("data", sa.JSON),
        )
        for name in ("dag_run", "serialized_dag", "task_instance", "xcom")
    }
    said = {"user_ids": ["default", "keep"]}
    airflows = {"queue": "default", "pool": "default"}
    with make_engine(url).begin() as connection:
        metadata.create_all(connection)
        for table in tables.values():
            rows = [{"id": 1, "dag_id": "vidrec_forget", "data": said},
                    {"id": 2, "dag_id": "vidrec_nightly", "data": airflows}]  # fmt: skip
            connection.execute(sa.insert(table), rows)
    sought = Sought(["default"])
    changed = erase_from_airflow(url, sought)
    assert {name for name, n in changed.items() if n} == {"airflow/dag_run.data",
                                                          "airflow/xcom.data"}  # fmt: skip
    assert search_airflow(url, sought) == {}
    with make_engine(url).begin() as connection:
        for name, table in tables.items():
            form, other = connection.execute(sa.select(table.c.data).order_by(table.c.id)).scalars()
            is_form = name in ("dag_run", "xcom")
            assert form == ({"user_ids": ["[erased]", "keep"]} if is_form else said)
            assert other == airflows
