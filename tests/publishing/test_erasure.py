import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from tests.publishing.worlds import publish, run_id
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.erasure import count_users, erase_again, erase_users
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader


def test_a_user_leaves_every_run_and_others_stay(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    removed = erase_users(publisher.engine, {"u2"})
    assert removed == {"recommendations": 6, "user_profiles": 2}
    assert count_users(publisher.engine, {"u2"}) == {"recommendations": 0, "user_profiles": 0}
    assert reader.list_for("u2").is_fallback
    assert reader.row_counts(run_id(1))["recommendations"] == 6


def test_erasing_the_same_user_twice_finds_nothing(publisher: Publisher) -> None:
    publish(publisher, 1)
    erase_users(publisher.engine, {"u2"})
    assert sum(erase_users(publisher.engine, {"u2"}).values()) == 0


def test_more_users_than_one_statement_takes_are_all_erased(publisher: Publisher) -> None:
    publish(publisher, 1)
    many = {f"nobody{n}" for n in range(1200)} | {"u1", "u2", "u3"}
    assert erase_users(publisher.engine, many)["recommendations"] == 9


def test_a_run_is_cleared_again_of_whoever_was_erased_since(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    removed = erase_again(publisher.engine, run_id(1), lambda ids: ids.isin(["u1", "u3"]))
    assert removed == 8
    assert set(reader.table("recommendations", run_id(1))["user_id"]) == {"u2"}
    assert reader.row_counts(run_id(2))["recommendations"] == 9


def test_no_database_means_nothing_to_erase(url: str) -> None:
    engine = make_engine(url)
    assert erase_users(engine, {"u1"}) == {}
    assert count_users(engine, {"u1"}) == {}


def test_the_bytes_of_an_erased_user_are_gone_from_the_files(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    publisher = Publisher(make_engine(f"sqlite:///{path}"))
    publish(publisher, 1, user_ids=("u1", "someone-unmistakable"))
    publisher.load(run_id(1), {"recommendations": iter([])})  # leaves free pages behind
    publish(publisher, 1, user_ids=("u1", "someone-unmistakable"))
    erase_users(publisher.engine, {"someone-unmistakable"})
    for file in tmp_path.iterdir():
        assert b"someone-unmistakable" not in file.read_bytes(), file.name


def test_the_id_stands_in_no_log(publisher: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    publish(publisher, 1, user_ids=("someone-unmistakable",))
    with caplog.at_level(logging.DEBUG):
        erase_users(publisher.engine, {"someone-unmistakable"})
        erase_again(publisher.engine, run_id(1), lambda ids: pd.Series(True, index=ids.index))
    assert "someone-unmistakable" not in caplog.text


def test_a_reader_that_holds_old_pages_is_waited_for_by_the_next_attempt(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'results.sqlite'}")
    publish(Publisher(engine), 1, user_ids=("u1", "u2"))
    with closing(sqlite3.connect(tmp_path / "results.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM recommendations").fetchone()
        with pytest.raises(PublishError, match="a reader still holds their old pages"):
            erase_users(engine, {"u2"})
        reader.execute("COMMIT")
    assert erase_users(engine, {"u2"})["recommendations"] == 0  # the rows went the first time
