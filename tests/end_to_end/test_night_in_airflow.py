"""One night through a real Airflow, then the same night again."""

from datetime import date

import pandas as pd
import pytest

from tests import stores
from tests.end_to_end.conftest import House
from vidrec_tasks.night import NIGHT
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

pytestmark = pytest.mark.airflow


def run_of(house: House, night: date) -> Run:
    return Runs(Store(str(house.store))).of_night(night)


def tables_of(house: House, run_id: str | None = None) -> dict[str, pd.DataFrame]:
    return stores.tables_of(f"sqlite:///{house.store}/results.sqlite", run_id)


def test_the_night_fills_every_table(house: House, night: date) -> None:
    reader = Reader(f"sqlite:///{house.store}/results.sqlite")
    (run,) = [run for run in reader.runs() if run["night"] == night]
    counts = reader.row_counts(run["run_id"])
    reader.close()
    assert run["state"] == "published"
    assert all(gate["passed"] for gate in run["gates"]["gates"])
    assert [name for name, n in counts.items() if not n] == []


def test_every_job_left_its_receipt(house: House, night: date) -> None:
    receipts = run_of(house, night).receipts()
    assert {receipt["job"] for receipt in receipts} == set(NIGHT)
    assert {r["shard"] for r in receipts if r["job"] == "explain_lists"} == {"0", "1"}


def test_lists_hold_what_they_promise(house: House, night: date) -> None:
    lists = tables_of(house, run_of(house, night).run_id)["recommendations"]
    assert not lists.duplicated(["user_id", "video_id"]).any()
    for _, mine in lists.groupby("user_id"):
        assert mine["rank"].tolist() == list(range(1, len(mine) + 1))
    sums = lists["score_components"].map(lambda parts: sum(parts.values()))
    assert (sums - lists["score"]).abs().max() < 1e-6
    assert lists["explanation"].str.len().min() > 0
    assert lists["explanation_verified"].all()


def test_the_report_lies_in_the_store(house: House, night: date) -> None:
    html = (house.store / "reports" / f"{night}.html").read_text()
    assert "published" in html
    for job in NIGHT[:-1]:
        assert f"<code>{job}</code>" in html, job


def test_the_same_night_made_again_is_the_same_bytes(house: House, night: date) -> None:
    run = run_of(house, night)
    before, tables = {ref.name: ref for ref in run.refs()}, tables_of(house, run.run_id)
    made = house.python("-m", "vidrec_tasks", "night", "--night", night.isoformat(), "--force")
    assert made.returncode == 0, made.stderr[-4000:]
    assert "with different bytes" not in made.stderr
    assert run_of(house, night).run_id == run.run_id
    assert {ref.name: ref for ref in run.refs()} == before
    for name, table in tables_of(house, run.run_id).items():
        pd.testing.assert_frame_equal(table, tables[name])
