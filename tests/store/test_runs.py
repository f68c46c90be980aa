"""Runs: what a night's run names, and which run a night means."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.errors import MissingArtefact
from vidrec_tasks.store.artefacts import Ref, key_of
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(Store(str(tmp_path)))


def test_a_run_is_found_again_as_it_was_opened(runs: Runs) -> None:
    told = record_of(parents={"previous": "2026-08-31-bbbbbbbb"}, settings={"content": {"n": 8}})
    runs.open(told)
    again = Runs(Store(runs.store.url))
    assert again.get(told.run_id).record == told
    assert again.of_night(NIGHT).record == told
    assert (again.get(told.run_id).night, again.get(told.run_id).run_id) == (NIGHT, told.run_id)


def test_the_run_opened_last_is_the_nights_and_the_first_stays(runs: Runs) -> None:
    first, second = record_of(), record_of("2026-09-01-bbbbbbbb", inputs="later")
    runs.open(first)
    runs.open(second)
    assert runs.of_night(NIGHT).record == second
    assert runs.get(first.run_id).record == first
    assert runs.pinned(NIGHT) == {"run_id": second.run_id, "inputs": "later", "parents": {}}


def test_opening_a_run_again_keeps_what_it_names(runs: Runs) -> None:
    made = runs.open(record_of())
    ref = made.artefacts.write("videos", key_of({}), {"table": pd.DataFrame({"a": [1]})})
    made.remember(ref)
    made.write_receipt("validate_inputs", "", {"job": "validate_inputs", "started_at": "1"})
    again = runs.open(record_of())
    assert again.refs() == [ref]
    assert len(again.receipts()) == 1


def test_a_night_without_a_run_names_the_next_step(runs: Runs) -> None:
    assert runs.pinned(NIGHT) is None
    with pytest.raises(MissingArtefact, match="2026-09-01: no run is open; run validate_inputs"):
        runs.of_night(NIGHT)


def test_an_unknown_run_is_none_or_an_error(runs: Runs) -> None:
    assert runs.find("2026-09-01-cccccccc") is None
    with pytest.raises(MissingArtefact, match="2026-09-01-cccccccc: not in the store"):
        runs.get("2026-09-01-cccccccc")


def test_runs_come_by_night_whenever_they_were_opened(runs: Runs) -> None:
    assert list(runs) == []
    names = ["2026-09-03-aaaaaaaa", "2026-09-01-bbbbbbbb", "2026-09-02-aaaaaaaa"]
    for name in names:
        runs.open(record_of(name))
    assert [run.run_id for run in runs] == sorted(names)


def test_a_folder_without_a_record_is_no_run(runs: Runs) -> None:
    runs.open(record_of())
    runs.store.path("runs", "2026-09-02-half").mkdir(parents=True)
    assert [run.run_id for run in runs] == ["2026-09-01-aaaaaaaa"]


def named(run: Run, name: str, rows: int = 1) -> Ref:
    table = pd.DataFrame({"a": range(rows)})
    ref = run.artefacts.write(name, key_of({"name": name, "rows": rows}), {"table": table})
    run.remember(ref)
    return ref


def test_a_run_reads_what_it_names(runs: Runs) -> None:
    run = runs.open(record_of())
    ref = named(run, "profiles.1", rows=3)
    assert run.find("profiles.1") == run.ref("profiles.1") == ref
    assert run.read_table("profiles.1")["a"].tolist() == [0, 1, 2]


def test_a_name_means_the_artefact_remembered_last(runs: Runs) -> None:
    run = runs.open(record_of())
    named(run, "videos", rows=1)
    later = named(run, "videos", rows=2)
    assert run.ref("videos") == later
    assert run.refs() == [later]


def test_runs_do_not_share_names(runs: Runs) -> None:
    first, second = runs.open(record_of()), runs.open(record_of("2026-09-01-bbbbbbbb"))
    named(first, "videos")
    assert second.find("videos") is None
    assert second.refs() == []


def test_refs_come_by_name(runs: Runs) -> None:
    run = runs.open(record_of())
    for name in ("videos", "profiles.1", "profiles.0"):
        named(run, name)
    assert [ref.name for ref in run.refs()] == ["profiles.0", "profiles.1", "videos"]


def test_what_was_forgotten_is_not_made_and_forgetting_twice_is_no_error(runs: Runs) -> None:
    run = runs.open(record_of())
    named(run, "profiles.0")
    run.forget("profiles.0")
    run.forget("profiles.0")
    assert run.find("profiles.0") is None
    with pytest.raises(MissingArtefact, match=r"profiles\.0 does not exist yet"):
        run.ref("profiles.0")


def test_receipts_are_one_a_job_and_shard_oldest_first(runs: Runs) -> None:
    run = runs.open(record_of())
    said = [("b", "0", "3"), ("b", "1", "2"), ("a", "", "2"), ("b", "0", "1")]
    for job, shard, started in said:
        run.write_receipt(job, shard, {"job": job, "shard": shard, "started_at": started})
    found = [(r["job"], r["shard"], r["started_at"]) for r in run.receipts()]
    assert found == [("b", "0", "1"), ("a", "", "2"), ("b", "1", "2")]


def test_a_half_written_receipt_is_not_read(runs: Runs) -> None:
    run = runs.open(record_of())
    run.write_receipt("a", "", {"job": "a", "started_at": "1"})
    run.store.path("runs", run.run_id, "receipts", ".b.json").write_bytes(b"{")
    assert [receipt["job"] for receipt in run.receipts()] == ["a"]
