from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.store import retention
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.retention import Dropped, drop_old_runs
from vidrec_tasks.store.runs import Run, Runs

FIRST = date(2026, 9, 1)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
VIDEOS = pd.DataFrame({"video_id": ["v1"]})


def make(place: Place, day: int, *, previous: Run | None = None, is_finished: bool = True) -> Run:
    """A run of a night with artefacts of its own, and a catalogue that all nights share."""
    night = (FIRST + timedelta(days=day)).isoformat()
    parents = {"previous": previous.run_id} if previous else {}
    record = record_of(f"{night}-0000000{day}", inputs=f"in{day}", parents=parents)
    run = Runs(place).open(record)
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
def place(tmp_path: Path) -> Place:
    return Place(str(tmp_path))


def files_under(place: Place) -> set[str]:
    root = Path(str(place.root))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_run_that_nobody_can_go_back_to_leaves_with_what_only_it_names(place: Place) -> None:
    others = files_under(place)
    old, young = make(place, 0), make(place, 1)
    dropped = drop_old_runs(place, {young.run_id}, n_newest=1, now=NOW)
    assert (dropped.runs, dropped.artefacts) == ((old.run_id,), 4)  # not the shared catalogue
    left = files_under(place) - others
    assert not [path for path in left if "2026-09-01" in path or "own0" in path or "in0" in path]
    assert young.read_table("videos").equals(VIDEOS)
    assert young.read_table("explained.0").equals(VIDEOS)
    assert [run.run_id for run in Runs(place)] == [young.run_id]
    assert Runs(place).pinned(old.night) is None
    assert Runs(place).of_night(young.night).run_id == young.run_id


def test_what_lies_outside_of_runs_stays(place: Place) -> None:
    kept = ("inputs/videos.csv", "snapshots/videos/a.parquet", "features/keyframes/w/c/0.jpg",
            "models/lm/weights", "reports/2026-09-01.html", "erasures/ledger.json")  # fmt: skip
    for path in kept:
        place.write(place.path(path), b"x")
    make(place, 0)
    drop_old_runs(place, {make(place, 1).run_id}, n_newest=1, now=NOW)
    assert set(kept) <= files_under(place)


@pytest.mark.parametrize("url", ["", "memory://retention/films"])
def test_keyframes_go_with_the_last_run_that_looked_at_the_film(tmp_path: Path, url: str) -> None:
    place = Place(url or str(tmp_path))
    for checksum in ("gone", "seen", "unnamed"):
        for way in ("w1", "w2"):
            place.write(place.path("features", "keyframes", way, checksum, "0.jpg"), b"x")
    for day, films in enumerate((["gone", "seen", ""], ["seen"])):
        media = pd.DataFrame({"checksum": films})
        run = make(place, day)
        run.remember(run.artefacts.write("keyframes.0", f"k{day}", {"media": media}))
    assert drop_old_runs(place, set(), n_newest=1, now=NOW).films == 2
    left = {path.parent.name for path in place.path("features", "keyframes").glob("*/*/0.jpg")}
    assert left == {"seen", "unnamed"}


def test_runs_of_the_tables_and_their_parents_stay(place: Place) -> None:
    runs = [make(place, 0), make(place, 1)]
    runs.append(make(place, 2, previous=runs[1]))
    runs.append(make(place, 3, previous=runs[2]))
    dropped = drop_old_runs(place, {runs[2].run_id, runs[3].run_id}, n_newest=1, now=NOW)
    assert dropped.runs == (runs[0].run_id,)
    warm = runs[1].ref("models.serving")  # a warm start of the retained night
    assert runs[1].artefacts.read_rows(warm, "table").equals(VIDEOS)


def test_the_newest_finished_runs_stay_whatever_the_tables_say(place: Place) -> None:
    runs = [make(place, day) for day in range(4)]
    assert drop_old_runs(place, set(), n_newest=2, now=NOW).runs == (
        runs[0].run_id, runs[1].run_id,
    )  # fmt: skip


@pytest.mark.parametrize(("days_later", "n_dropped"), [(1, 0), (30, 1)])
def test_a_run_that_was_left_unfinished_goes_after_a_week(
    place: Place, days_later: int, n_dropped: int
) -> None:
    make(place, 0, is_finished=False)
    make(place, 1)
    now = datetime(2026, 9, 1, 2, tzinfo=UTC) + timedelta(days=days_later)
    assert len(drop_old_runs(place, set(), n_newest=1, now=now).runs) == n_dropped


def test_an_unfinished_night_that_is_younger_than_what_is_kept_stays(place: Place) -> None:
    make(place, 0)
    make(place, 1, is_finished=False)
    assert drop_old_runs(place, set(), n_newest=1, now=NOW) == Dropped()


def test_a_night_at_work_stays(place: Place) -> None:
    old = make(place, 0)
    make(place, 1)
    Lease(place, old.night, owner="a backfill", lease_s=60).take()
    assert drop_old_runs(place, set(), n_newest=1, now=NOW) == Dropped()


def test_a_dropping_that_was_killed_is_finished_by_the_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(place, 0)
    make(place, 1)
    removed = retention.remove

    def killed(folder: object) -> None:
        monkeypatch.setattr(retention, "remove", removed)
        raise OSError("killed")

    monkeypatch.setattr(retention, "remove", killed)
    assert drop_old_runs(place, set(), n_newest=1, now=NOW).runs == ()
    assert old.find("publication") is None  # no night takes a half-dropped run for a parent
    assert drop_old_runs(place, set(), n_newest=1, now=NOW).runs == (old.run_id,)
    assert not [path for path in files_under(place) if "2026-09-01" in path or "own0" in path]


def test_an_object_store_lets_old_runs_go_too() -> None:
    place = Place("memory://retention/old-runs")
    old, young = make(place, 0), make(place, 1)
    assert drop_old_runs(place, {young.run_id}, n_newest=1, now=NOW).runs == (old.run_id,)
    assert [run.run_id for run in Runs(place)] == [young.run_id]
    assert old.artefacts.find("explained.0", "own00") is None
    assert young.read_table("videos").equals(VIDEOS)
