"""What readers see when a publisher is killed, or publishes while they read at full speed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from tests.publishing.worlds import publish, run_id
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader


class Killed(BaseException):
    """What a signal would do: nothing in the code answers it."""


@contextmanager
def killed_at(engine: sa.Engine, n: int) -> Iterator[list[str]]:
    """Kill at the n-th statement or commit; yields what was sent before."""
    sent: list[str] = []

    def strike(connection: sa.Connection, *rest: object) -> None:
        if len(sent) == n:
            raise Killed
        sent.append(str(rest[1]) if len(rest) > 1 else "COMMIT")

    sa.event.listen(engine, "before_cursor_execute", strike)
    sa.event.listen(engine, "commit", strike)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", strike)
        sa.event.remove(engine, "commit", strike)


def count_steps(publisher: Publisher, number: int) -> int:
    with killed_at(publisher.engine, -1) as sent:
        publish(publisher, number)
    return len(sent)


def scores(reader: Reader) -> set[float]:
    return {row["score"] for user in ("u1", "u2", "u3") for row in reader.recommendations(user)}


def test_a_publisher_killed_at_any_statement_leaves_readers_whole_and_the_next_succeeds(
    publisher: Publisher, reader: Reader
) -> None:
    n_steps = count_steps(publisher, 0)
    assert n_steps > 20
    for step in range(n_steps):  # a night each
        with pytest.raises(Killed), killed_at(publisher.engine, step):
            publish(publisher, step + 1)
        assert scores(reader) == {float(step)}, f"killed at step {step}"
        assert reader.row_counts()["recommendations"] == 9
        publish(publisher, step + 1)
        assert scores(reader) == {float(step + 1)}
        assert reader.row_counts()["recommendations"] == 9


def test_a_visible_run_published_again_and_killed_anywhere_stays_whole(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 2)
    for step in range(count_steps(publisher, 2)):
        with pytest.raises(Killed), killed_at(publisher.engine, step):
            publish(publisher, 2)
        assert reader.row_counts()["recommendations"] == 9, f"killed at step {step}"


def test_tables_whose_making_was_killed_anywhere_are_made_by_the_next(url: str) -> None:
    publisher, reader = Publisher(make_engine(url)), Reader(url)
    step = 0
    while True:
        try:
            with killed_at(publisher.engine, step):
                publisher.prepare()
            break
        except Killed:
            assert reader.current_run_id() is None
            assert reader.list_for("u1").rows == []
            step += 1
    assert step > 20
    publish(publisher, 2)
    assert scores(reader) == {2.0}
    reader.close()


def test_readers_at_full_speed_see_one_run_at_a_time(publisher: Publisher, url: str) -> None:
    publish(publisher, 1)
    done, seen, errors = threading.Event(), set(), []

    def read() -> None:
        reader = Reader(url)
        try:
            while not done.is_set():
                rows = reader.recommendations("u1") or [{"run_id": "none", "score": -1.0}]
                seen.add(tuple(sorted({(row["run_id"], row["score"]) for row in rows})))
                counts = reader.row_counts()
                seen.add((("rows", float(counts["recommendations"])),))
        except Exception as error:
            errors.append(error)
        finally:
            reader.close()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(2, 12):
            publish(publisher, number)
            publisher.prune(2)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert errors == []
    allowed = {((run_id(number), float(number)),) for number in range(1, 12)}
    assert seen <= allowed | {(("rows", 9.0),)}
