"""What readers see when a publisher is killed, or publishes while they read at full speed."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.publishing.servers import find_binaries, running
from tests.publishing.worlds import described, moment, publish, recommendations, run_id, tables
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing import loading
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader

Note = Callable[[str, str, str], None]

OLD, NOTHING = "the old run, whole", "nothing"


class Killed(BaseException):
    """What a signal would do: nothing in the code answers it."""


@contextmanager
def killed_at(engine: sa.Engine, n: int) -> Iterator[list[str]]:
    """Kill at the n-th statement, commit or chunk of a COPY; yields what was sent before."""
    sent: list[str] = []
    lock = threading.Lock()

    def strike(what: str) -> None:
        with lock:  # several connections may load at once, and die together
            if len(sent) >= n:
                raise Killed
            sent.append(what)

    def execute(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        strike(statement)

    def commit(connection: Any) -> None:
        strike("COMMIT")

    def copied(*arguments: Any) -> Iterator[Any]:
        for chunk in chunks(*arguments):
            strike("COPY")
            yield chunk

    chunks = loading.copied
    sa.event.listen(engine, "before_cursor_execute", execute)
    sa.event.listen(engine, "commit", commit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "copied", copied)
        try:
            yield sent
        finally:
            sa.event.remove(engine, "before_cursor_execute", execute)
            sa.event.remove(engine, "commit", commit)


def killed_everywhere(
    engine: sa.Engine, act: Callable[[], object], is_well: Callable[[], bool], *, every: int = 1
) -> int:
    """Kill at the first step, the second, … until it lives to its end; returns how many those were.

    Each attempt begins over what the one before it left. ``every``: steps from one kill to the
    next.
    """
    step = 0
    while True:
        try:
            with killed_at(engine, step):
                act()
        except Killed:
            assert is_well(), f"killed at step {step}"
            step += every
        else:
            return step


def scores(reader: Reader) -> set[float]:
    return {row["score"] for user in ("u1", "u2", "u3") for row in reader.recommendations(user)}


def is_whole(reader: Reader, number: int) -> bool:
    return scores(reader) == {float(number)} and reader.row_counts()["recommendations"] == 9


def test_a_publisher_killed_at_any_statement_leaves_readers_whole_and_the_next_succeeds(
    publisher: Publisher, reader: Reader, survived: Note
) -> None:
    publish(publisher, 1)
    step = killed_everywhere(
        publisher.engine, lambda: publish(publisher, 2), lambda: is_whole(reader, 1)
    )
    assert step > 20
    assert is_whole(reader, 2)
    survived(f"killed at each of {step} statements, commits and copies", OLD, NOTHING)


def test_a_visible_run_published_again_and_killed_anywhere_stays_whole(
    publisher: Publisher, reader: Reader, survived: Note
) -> None:
    publish(publisher, 2)
    step = killed_everywhere(
        publisher.engine, lambda: publish(publisher, 2), lambda: is_whole(reader, 2)
    )
    survived(f"killed at each of {step} steps of replacing the run that is shown", OLD, NOTHING)


def test_old_runs_whose_dropping_was_killed_anywhere_are_dropped_by_the_next(
    publisher: Publisher, reader: Reader, survived: Note
) -> None:
    for number in (1, 2, 3):
        publish(publisher, number)
    step = killed_everywhere(
        publisher.engine, lambda: publisher.prune(1), lambda: is_whole(reader, 3)
    )
    assert [run["run_id"] for run in reader.runs()] == [run_id(3)]
    if publisher.engine.dialect.name == "postgresql":
        from vidrec_tasks.publishing.partitions import runs_with_partitions

        assert runs_with_partitions(publisher.engine) == {run_id(3)}
    survived(f"killed at each of {step} steps of dropping old runs", "the current run", NOTHING)


def test_tables_whose_making_was_killed_anywhere_are_made_by_the_next(
    url: str, survived: Note
) -> None:
    publisher, reader = Publisher(make_engine(url)), Reader(url)

    def is_empty() -> bool:
        return reader.current_run_id() is None and reader.list_for("u1").rows == []

    step = killed_everywhere(publisher.engine, publisher.prepare, is_empty)
    assert step > 20
    publish(publisher, 2)
    assert scores(reader) == {2.0}
    reader.close()
    survived(f"killed at each of {step} steps of a migration", "empty answers", NOTHING)


def test_readers_at_full_speed_see_one_run_at_a_time(
    publisher: Publisher, url: str, survived: Note
) -> None:
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
        for number in range(2, 8):
            publish(publisher, number)
            publisher.prune(2)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert errors == []
    allowed = {((run_id(number), float(number)),) for number in range(1, 8)}
    assert seen <= allowed | {(("rows", 9.0),)}
    survived("3 readers at full speed while 6 runs are published", "one run at a time", NOTHING)


def test_two_publishers_of_one_night_one_wins_and_the_other_says_so(
    publisher: Publisher, reader: Reader, survived: Note
) -> None:
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))
    said = "is loading it|cannot load run"

    def overtaken() -> Iterator[pd.DataFrame]:
        yield recommendations(2, ("u1",))
        publish(publisher, 2)  # by another
        yield recommendations(2, ("u2",))

    with pytest.raises(PublishError, match=said):
        publisher.load(run_id(2), {"recommendations": overtaken()})
    publish(publisher, 2)
    assert is_whole(reader, 2)
    survived("two publishers of one night", "the run of the one that won", NOTHING)


def load_and_wait(url: str, entered: Any) -> None:
    """A publisher that is in the middle of loading until it is killed."""
    publisher = Publisher(make_engine(url))
    publisher.open_run(run_id(2), **described(2))

    def endless() -> Iterator[pd.DataFrame]:
        yield recommendations(2, ("u1",))
        entered.set()
        threading.Event().wait(60)
        yield recommendations(2, ("u2",))

    publisher.load(run_id(2), {"recommendations": endless()})


def test_a_publishers_process_killed_by_a_signal_leaves_no_trace(
    publisher: Publisher, reader: Reader, url: str, survived: Note
) -> None:
    publish(publisher, 1)
    context = multiprocessing.get_context("spawn")
    entered = context.Event()
    process = context.Process(target=load_and_wait, args=(url, entered))
    process.start()
    assert entered.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert is_whole(reader, 1)
    _publish_when_free(publisher, 2)
    assert is_whole(reader, 2)
    survived("SIGKILL while loading", OLD, NOTHING)


def _publish_when_free(publisher: Publisher, number: int) -> None:
    """The server needs a moment to see that the killed one is gone."""
    for _ in range(100):
        try:
            publish(publisher, number)
            return
        except PublishError:
            threading.Event().wait(0.1)
    raise AssertionError("the lock of a killed publisher stays")


def many_rows(number: int, n_users: int) -> Iterator[pd.DataFrame]:
    for start in range(0, n_users, 5_000):
        yield recommendations(number, tuple(f"w{user}" for user in range(start, start + 5_000)))


def test_a_full_disk_under_sqlite_is_an_error_and_readers_stay(
    tmp_path: Path, survived: Note
) -> None:
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    publisher, reader = Publisher(make_engine(url)), Reader(url)
    publish(publisher, 1)

    @sa.event.listens_for(publisher.engine, "connect")
    def fill(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 200")

    publisher.open_run(run_id(2), **described(2))
    with pytest.raises(PublishError, match="full"):
        publisher.load(run_id(2), {"recommendations": many_rows(2, 5_000)})
    sa.event.remove(publisher.engine, "connect", fill)
    assert is_whole(reader, 1)
    publish(publisher, 2)
    assert is_whole(reader, 2)
    reader.close()
    survived("disk full while loading (sqlite: no page may be added)", OLD, NOTHING)


def test_a_full_disk_under_postgresql_is_an_error_and_readers_stay(survived: Note) -> None:
    binaries = _binaries()
    with running(binaries, largest_file_bytes=17 * 1024 * 1024) as server:
        publisher, reader = Publisher(make_engine(server.url)), Reader(server.url)
        publish(publisher, 1)
        publisher.open_run(run_id(2), **described(2))
        with pytest.raises(PublishError, match=r"could not extend|File too large|write"):
            publisher.load(run_id(2), {"recommendations": many_rows(2, 50_000)})
        assert is_whole(reader, 1)
        publish(publisher, 2)
        assert is_whole(reader, 2)
        reader.close()
    survived("disk full while loading (postgresql: no file may grow)", OLD, NOTHING)


def test_a_lost_connection_is_an_error_and_readers_stay(server: str, survived: Note) -> None:
    admin = make_engine(server)
    with admin.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS lost CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA lost"))
    url = f"{server}&options=-csearch_path%3Dlost&application_name=unlucky"
    publisher, reader = Publisher(make_engine(url)), Reader(url.replace("unlucky", "reader"))
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))

    def cut() -> Iterator[pd.DataFrame]:
        yield recommendations(2, ("u1",))
        with admin.begin() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'unlucky'"
                )
            )
        yield recommendations(2, ("u2",))

    with pytest.raises(PublishError, match="cannot load run"):
        publisher.load(run_id(2), {"recommendations": cut()})
    assert is_whole(reader, 1)
    publish(publisher, 2)
    assert is_whole(reader, 2)
    reader.close()
    survived("connection lost while loading", OLD, NOTHING)


def test_a_server_that_crashes_and_restarts_is_an_error_and_nothing_is_lost(
    survived: Note,
) -> None:
    with running(_binaries()) as server:
        publisher, reader = Publisher(make_engine(server.url)), Reader(server.url)
        publish(publisher, 1)
        publisher.open_run(run_id(2), **described(2))

        def crash() -> Iterator[pd.DataFrame]:
            yield recommendations(2, ("u1",))
            server.restart()
            yield recommendations(2, ("u2",))

        with pytest.raises(PublishError, match="cannot load run"):
            publisher.load(run_id(2), {"recommendations": crash()})
        assert is_whole(reader, 1)
        rows = publisher.load(run_id(2), tables(2))
        assert publisher.publish(run_id(2), moment(2), rows=rows)
        assert is_whole(reader, 2)
        reader.close()
    survived("server crashed and restarted while loading", OLD, NOTHING)


def _binaries() -> Path:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
    return binaries
