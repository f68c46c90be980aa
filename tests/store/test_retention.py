from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.store import retention
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.retention import Dropped, drop_old_runs
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST = date(2026, 9, 1)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
VIDEOS = pd.DataFrame({"video_id": ["v1"]})


def make(store: Store, day: int, *, previous: Run | None = None, is_finished: bool = True) -> Run:
    """A run of a night with artefacts of its own, and a catalogue that all nights share."""
    night = (FIRST + timedelta(days=day)).isoformat()
    parents = {"previous": previous.run_id} if previous else {}
    record = record_of(f"{night}-0000000{day}", inputs=f"in{day}", parents=parents)
    run = Runs(store).open(record)
    run.artefacts.write("pinned", record.inputs, {"said": {"refs": []}})
    for name, key in (("videos", "same"), ("explained.0", f"own{day}"), ("models.serving", "m")):
        key = key if name == "videos" else f"{key}{day}"
        run.remember(run.artefacts.write(name, key, {"table": VIDEOS}))
    if is_finished:
        run.remember(run.artefacts.write("publication", f"p{day}", {"said": {"day": day}}))
    began = datetime(2026, 9, 1, 2, tzinfo=UTC) + timedelta(days=day)
    run.write_receipt("job", "", {"job": "job", "started_at": began.isoformat(), "shard": ""})
    return run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def files_under(store: Store) -> set[str]:
    root = Path(str(store.root))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_run_that_nobody_can_go_back_to_leaves_with_what_only_it_names(store: Store) -> None:
    others = files_under(store)
    old, young = make(store, 0), make(store, 1)
    dropped = drop_old_runs(store, {young.run_id}, n_newest=1, now=NOW)
    assert (dropped.runs, dropped.artefacts) == ((old.run_id,), 4)  # not the shared catalogue
    left = files_under(store) - others
    assert not [path for path in left if "2026-09-01" in path or "own0" in path or "in0" in path]
    assert young.read_table("videos").equals(VIDEOS)
    assert young.read_table("explained.0").equals(VIDEOS)
    assert [run.run_id for run in Runs(store)] == [young.run_id]
    assert Runs(store).pinned(old.night) is None
    assert Runs(store).of_night(young.night).run_id == young.run_id


def test_what_lies_outside_of_runs_stays(store: Store) -> None:
    kept = ("inputs/videos.csv", "snapshots/videos/a.parquet", "features/keyframes/w/c/0.jpg",
            "models/lm/weights", "reports/2026-09-01.html", "erasures/ledger/a.json")  # fmt: skip
    for path in kept:
        store.write(store.path(path), b"x")
    make(store, 0)
    drop_old_runs(store, {make(store, 1).run_id}, n_newest=1, now=NOW)
    assert set(kept) <= files_under(store)


@pytest.mark.parametrize("url", ["", "memory://retention/films"])
def test_keyframes_go_with_the_last_run_that_looked_at_the_film(tmp_path: Path, url: str) -> None:
    store = Store(url or str(tmp_path))
    for checksum in ("gone", "seen", "unnamed"):
        for way in ("w1", "w2"):
            store.write(store.path("features", "keyframes", way, checksum, "0.jpg"), b"x")
    for day, films in enumerate((["gone", "seen", ""], ["seen"])):
        media = pd.DataFrame({"checksum": films})
        run = make(store, day)
        run.remember(run.artefacts.write("keyframes.0", f"k{day}", {"media": media}))
    assert drop_old_runs(store, set(), n_newest=1, now=NOW).films == 2
    left = {path.parent.name for path in store.path("features", "keyframes").glob("*/*/0.jpg")}
    assert left == {"seen", "unnamed"}


def test_runs_of_the_tables_and_their_parents_stay(store: Store) -> None:
    runs = [make(store, 0), make(store, 1)]
    runs.append(make(store, 2, previous=runs[1]))
    runs.append(make(store, 3, previous=runs[2]))
    dropped = drop_old_runs(store, {runs[2].run_id, runs[3].run_id}, n_newest=1, now=NOW)
    assert dropped.runs == (runs[0].run_id,)
    warm = runs[1].ref("models.serving")  # a warm start of the retained night
    assert runs[1].artefacts.read_rows(warm, "table").equals(VIDEOS)


def test_the_newest_finished_runs_stay_whatever_the_tables_say(store: Store) -> None:
    runs = [make(store, day) for day in range(4)]
    assert drop_old_runs(store, set(), n_newest=2, now=NOW).runs == (
        runs[0].run_id, runs[1].run_id,
    )  # fmt: skip


@pytest.mark.parametrize(("days_later", "n_dropped"), [(1, 0), (30, 1)])
def test_a_run_that_was_left_unfinished_goes_after_a_week(
    store: Store, days_later: int, n_dropped: int
) -> None:
    make(store, 0, is_finished=False)
    make(store, 1)
    now = datetime(2026, 9, 1, 2, tzinfo=UTC) + timedelta(days=days_later)
    assert len(drop_old_runs(store, set(), n_newest=1, now=now).runs) == n_dropped


def test_an_unfinished_night_that_is_younger_than_what_is_kept_stays(store: Store) -> None:
    make(store, 0)
    make(store, 1, is_finished=False)
    assert drop_old_runs(store, set(), n_newest=1, now=NOW) == Dropped()


def test_a_night_at_work_stays(store: Store) -> None:
    old = make(store, 0)
    make(store, 1)
    Lease(store, old.night, owner="a backfill", lease_s=60).take()
    assert drop_old_runs(store, set(), n_newest=1, now=NOW) == Dropped()


def test_a_dropping_that_was_killed_is_finished_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(store, 0)
    make(store, 1)
    removed = retention.remove

    def killed(folder: object) -> None:
        monkeypatch.setattr(retention, "remove", removed)
        raise OSError("killed")

    monkeypatch.setattr(retention, "remove", killed)
    assert drop_old_runs(store, set(), n_newest=1, now=NOW).runs == ()
    assert old.find("publication") is None  # no night takes a half-dropped run for a parent
    assert drop_old_runs(store, set(), n_newest=1, now=NOW).runs == (old.run_id,)
    assert not [path for path in files_under(store) if "2026-09-01" in path or "own0" in path]


@pytest.mark.parametrize("place", range(6))
def test_a_dropping_that_ends_anywhere_is_finished_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    for day in range(2):
        run = make(store, day)
        media = pd.DataFrame({"checksum": [f"film{day}"]})
        run.remember(run.artefacts.write("keyframes.0", f"k{day}", {"media": media}))
        for name in ("0.jpg", "1.jpg"):
            store.write(store.path("features", "keyframes", "w", f"film{day}", name), b"x")
    removed, calls = retention.remove, count()

    def full(folder: object) -> None:
        if next(calls) == place:
            raise OSError(28, "No space left on device")
        removed(folder)

    with monkeypatch.context() as patched:
        patched.setattr(retention, "remove", full)
        drop_old_runs(store, set(), n_newest=1, now=NOW)
    drop_old_runs(store, set(), n_newest=1, now=NOW)
    assert len(list(Runs(store))) == 1
    left = files_under(store)
    assert not [path for path in left if "2026-09-01" in path or "own0" in path or "k0" in path]
    assert {path.split("/")[-2] for path in left if "film" in path} == {"film1"}


def test_an_object_store_lets_old_runs_go_too() -> None:
    store = Store("memory://retention/old-runs")
    old, young = make(store, 0), make(store, 1)
    assert drop_old_runs(store, {young.run_id}, n_newest=1, now=NOW).runs == (old.run_id,)
    assert [run.run_id for run in Runs(store)] == [young.run_id]
    assert old.artefacts.find("explained.0", "own00") is None
    assert young.read_table("videos").equals(VIDEOS)


def test_a_run_that_cannot_be_removed_is_said_and_goes_the_next_time(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old, young = make(store, 0), make(store, 1)

    def refuse(folder: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(retention, "remove", refuse)
        assert drop_old_runs(store, {young.run_id}, n_newest=1, now=NOW).runs == ()
    assert f"{old.run_id}: cannot be removed from the store" in caplog.text
    assert drop_old_runs(store, {young.run_id}, n_newest=1, now=NOW).runs == (old.run_id,)
