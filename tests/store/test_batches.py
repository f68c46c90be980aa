from datetime import date
from pathlib import Path

import pytest

from vidrec_tasks.store.batches import (
    MAX_LINE_BYTES,
    Batches,
    answer_files,
    answers_stamp,
    keep_answers,
    remove_batches,
    request_files,
)
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


@pytest.fixture(params=["", "memory://batches/files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    store = Store(request.param or str(tmp_path))
    remove_batches(store)
    return store


def test_a_store_without_batches_has_none(store: Store) -> None:
    assert list(Batches(store, NIGHT, "cards.0").answers()) == []
    assert (request_files(store), answers_stamp(store), remove_batches(store)) == ([], {}, 0)


def test_requests_lie_under_their_night_job_and_shard_and_are_replaced_whole(store: Store) -> None:
    batches = Batches(store, NIGHT, "portraits.003")
    batches.leave({"1": b"a", "2": b"b"})
    batches.leave({"3": b"c"})
    Batches(store, NIGHT, "cards.000").leave({"4": b"d"})
    first, second = request_files(store)
    assert (first.parent.name, first.name) == ("2026-09-01", "cards.000.requests.jsonl")
    assert (second.name, store.read(second)) == ("portraits.003.requests.jsonl", b"c\n")


def test_answers_are_read_from_every_file_by_name_without_empty_lines(store: Store) -> None:
    for name, text in (("b.jsonl", b"3\n"), ("a.jsonl", b"1\r\n\n2"), ("notes.txt", b"no")):
        store.write(store.path("batches", "answers", name), text)
    assert [line.strip() for line in Batches(store, NIGHT, "x").answers()] == [b"1", b"2", b"3"]


def test_answers_are_no_requests_and_change_the_stamp(store: Store) -> None:
    Batches(store, NIGHT, "cards.000").leave({"1": b"a"})
    before = answers_stamp(store)
    keep_answers(store, request_files(store)[0], [b"an answer"])
    assert [path.name for path in answer_files(store)] == ["2026-09-01.cards.000.jsonl"]
    assert len(request_files(store)) == 1
    assert answers_stamp(store) != before


def test_all_that_was_asked_and_answered_can_be_removed(store: Store) -> None:
    batches = Batches(store, NIGHT, "portraits.000")
    batches.leave({"1": b"a"})
    keep_answers(store, request_files(store)[0], [b"b"])
    assert remove_batches(store) == 3
    assert (request_files(store), answer_files(store), list(batches.asked())) == ([], [], [])


def test_the_names_of_requests_outlive_their_lines(store: Store) -> None:
    batches = Batches(store, NIGHT, "portraits.000")
    batches.leave({"1": b"a", "2": b"b"})
    batches.leave({"2": b"b", "3": b"c"})
    Batches(store, date(2026, 9, 2), "cards.000").leave({"4": b"d"})
    assert list(Batches(store, NIGHT, "cards.000").asked()) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("n_more", [-1, 0, 1, 2_000_000])
def test_of_a_line_longer_than_any_answer_the_beginning_alone_is_read(
    store: Store, n_more: int
) -> None:
    long = b"x" * (MAX_LINE_BYTES + n_more)
    for num, end in enumerate((b"\nafter", b"")):
        store.write(store.path("batches", "answers", f"{num}.jsonl"), b"before\n" + long + end)
    read = list(Batches(store, NIGHT, "x").answers())
    cut = long[:MAX_LINE_BYTES]
    assert read == [b"before", cut, b"after", b"before", cut]
