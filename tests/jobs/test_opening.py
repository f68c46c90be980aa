"""What tonight builds on: the newest finished run, of a night that was made twice the newer one."""

from datetime import date
from pathlib import Path

import pytest

from tests.stores import record_of
from vidrec_tasks.jobs.inputs.opening import choose_parents
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


def finish(store: Store, run_id: str, *, at: str) -> Run:
    run = Runs(store).open(record_of(run_id))
    run.remember(run.artefacts.write("publication", run_id, {"said": {}}))
    run.write_receipt("a_job", "", {"job": "a_job", "started_at": at, "shard": ""})
    return run


@pytest.mark.parametrize("digits", ["0a000000", "f0000000"])
def test_of_a_night_that_was_made_twice_the_newer_run_is_built_on(
    tmp_path: Path, digits: str
) -> None:
    store = Store(str(tmp_path))
    finish(store, "2026-09-01-80000000", at="2026-09-01T02:00:00+00:00")
    newer = finish(store, f"2026-09-01-{digits}", at="2026-09-01T09:00:00+00:00")
    assert choose_parents(store, NIGHT) == {"features": newer.run_id}
    assert choose_parents(store, date(2026, 9, 2)) == dict.fromkeys(
        ("features", "previous"), newer.run_id
    )


def test_where_the_newest_attempt_did_not_finish_the_finished_one_that_began_last_is(
    tmp_path: Path,
) -> None:
    store = Store(str(tmp_path))
    finish(store, "2026-09-01-f0000000", at="2026-09-01T02:00:00+00:00")
    second = finish(store, "2026-09-01-80000000", at="2026-09-01T09:00:00+00:00")
    Runs(store).open(record_of("2026-09-01-0a000000"))
    assert choose_parents(store, date(2026, 9, 2))["previous"] == second.run_id


def test_without_a_finished_run_there_is_none(tmp_path: Path) -> None:
    assert choose_parents(Store(str(tmp_path)), NIGHT) == {}
