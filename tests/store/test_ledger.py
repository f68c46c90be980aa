"""Ledger: who was forgotten stays forgotten, and nobody can read who it was."""

import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.store import Store


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Store(str(tmp_path)))


def holds(ledger: Ledger, *user_ids: str) -> list[bool]:
    return [bool(held) for held in ledger.holds(pd.Series(user_ids, dtype="str"))]


def test_an_empty_ledger_holds_nobody(ledger: Ledger) -> None:
    assert holds(ledger, "a", "b") == [False, False]


def test_who_was_added_is_held_and_nobody_else(ledger: Ledger) -> None:
    assert ledger.add(["a", "c"]) == 2
    assert holds(ledger, "a", "b", "c", "a", "A") == [True, False, True, True, False]


def test_adding_counts_only_who_is_new(ledger: Ledger) -> None:
    ledger.add(["a"])
    assert ledger.add(["a", "b", "b"]) == 1
    assert ledger.add([]) == 0
    assert holds(ledger, "a", "b") == [True, True]


def test_two_that_add_at_once_lose_nobody(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Ledger(ledger.store)
    write = Store.write_json

    def write_after_the_other(store: Store, path: Any, value: Any) -> None:
        monkeypatch.setattr(Store, "write_json", write)
        other.add(["b"])  # it read before this one wrote
        write(store, path, value)

    monkeypatch.setattr(Store, "write_json", write_after_the_other)
    ledger.add(["a"])
    assert holds(ledger, "a", "b") == [True, True]


def test_a_ledger_of_an_earlier_version_is_read(ledger: Ledger) -> None:
    ledger.add(["a"])
    (path,) = ledger.store.path("erasures", "ledger").iterdir()
    ledger.store.move(path, ledger.store.path("erasures", "ledger.json"))
    assert ledger.add(["a", "b"]) == 1
    assert holds(ledger, "a", "b") == [True, True]


def test_another_process_holds_the_same(ledger: Ledger) -> None:
    ledger.add(["a"])
    assert holds(Ledger(Store(ledger.store.url)), "a", "b") == [True, False]


def test_the_answer_stands_in_the_rows_of_the_question(ledger: Ledger) -> None:
    ledger.add(["a"])
    asked = pd.Series(["b", "a"], index=[7, 3], dtype="str")
    for found in (ledger.holds(asked), Ledger(ledger.store).holds(asked)):
        assert found.to_dict() == {7: False, 3: True}


def test_no_id_is_written_anywhere_in_the_store(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(["somebody@example.org"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    for path in files:
        assert b"somebody" not in path.read_bytes()
        assert "somebody" not in path.name


def test_the_key_is_for_its_owner_alone(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(["a"])
    mode = (tmp_path / "erasures" / "key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_key_that_was_not_written_whole_is_named(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(["a"])
    (tmp_path / "erasures" / "key").chmod(0o600)
    (tmp_path / "erasures" / "key").write_bytes(b"")
    with pytest.raises(StoreError, match="holds 0 bytes, not 32"):
        Ledger(ledger.store).holds(pd.Series(["a"], dtype="str"))


def test_another_store_hashes_the_same_user_otherwise(tmp_path: Path) -> None:
    ledgers = [Ledger(Store(str(tmp_path / name))) for name in ("one", "two")]
    for ledger in ledgers:
        ledger.add(["a"])
    assert ledgers[0].fingerprint() != ledgers[1].fingerprint()


def test_the_fingerprint_changes_when_and_only_when_the_ledger_grows(ledger: Ledger) -> None:
    empty = ledger.fingerprint()
    ledger.add(["a"])
    one = ledger.fingerprint()
    ledger.add(["a"])
    assert ledger.fingerprint() == one != empty
    ledger.add(["b"])
    assert ledger.fingerprint() not in (one, empty)


names = st.lists(st.sampled_from(["a", "b", "ä", "", "a b"]), max_size=6)


@settings(max_examples=15, deadline=None)
@given(names, names)
def test_in_any_order_the_ledger_holds_exactly_who_was_added(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str]
) -> None:
    ledger = Ledger(Store(str(tmp_path_factory.mktemp("store"))))
    assert ledger.add(first) + ledger.add(second) == len({*first, *second})
    asked = ["a", "b", "ä", "", "a b", "c"]
    assert holds(ledger, *asked) == [name in {*first, *second} for name in asked]
