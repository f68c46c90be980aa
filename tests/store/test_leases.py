import os
from datetime import date
from pathlib import Path

import pytest

from vidrec_tasks.errors import RunUnderWay
from vidrec_tasks.store import leases
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def lease(store: Store, owner: str, lease_s: float = 60, *, is_process: bool = False) -> Lease:
    return Lease(store, NIGHT, owner=owner, lease_s=lease_s, is_process=is_process)


def test_a_second_owner_is_refused_and_told_who_holds_it(store: Store) -> None:
    lease(store, "first").take()
    with pytest.raises(RunUnderWay, match="owned by first"):
        lease(store, "second").take()


def test_the_same_owner_takes_it_again(store: Store) -> None:
    lease(store, "first").take()
    lease(store, "first").take()


def test_another_night_is_free(store: Store) -> None:
    lease(store, "first").take()
    Lease(store, date(2026, 9, 2), owner="second", lease_s=60).take()


def test_a_released_lease_is_free(store: Store) -> None:
    held = lease(store, "first")
    held.take()
    held.release()
    lease(store, "second").take()


def test_an_expired_lease_is_free(store: Store) -> None:
    lease(store, "first", lease_s=-1).take()
    lease(store, "second").take()


def test_a_lease_of_a_dead_process_is_free(store: Store) -> None:
    dead = lease(store, "first", is_process=True)
    child = os.fork()
    if child == 0:
        dead.take()
        os._exit(0)
    os.waitpid(child, 0)
    lease(store, "second").take()


def test_a_kept_lease_is_renewed_while_the_work_lasts(store: Store) -> None:
    import time

    with lease(store, "first", lease_s=0.3).kept():
        time.sleep(0.8)
        with pytest.raises(RunUnderWay):
            lease(store, "second").take()


def test_releasing_what_another_holds_changes_nothing(store: Store) -> None:
    lease(store, "first").take()
    lease(store, "second").release()
    with pytest.raises(RunUnderWay):
        lease(store, "third").take()


@pytest.mark.parametrize("word", [b"", b"left"])
def test_a_guard_that_was_left_by_a_dead_process_is_broken(
    store: Store, monkeypatch: pytest.MonkeyPatch, word: bytes
) -> None:
    monkeypatch.setattr(leases, "PATIENCE_S", 0.05)
    held = lease(store, "first")
    held.take()
    store.create(held.path.with_suffix(".guard"), word)
    held.take()
    assert not store.exists(held.path.with_suffix(".guard"))
