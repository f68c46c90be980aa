"""Snapshots: the newest catalogues that were read are kept once each, the newest first."""

from pathlib import Path

import pandas as pd
import pytest

from vidrec_tasks.store.snapshots import Snapshots
from vidrec_tasks.store.store import Store


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(Store(str(tmp_path)), n_kept=3)


def catalogue(title: str) -> pd.DataFrame:
    times = pd.Series(pd.to_datetime(["2026-08-01"], utc=True)).astype("datetime64[us, UTC]")
    return pd.DataFrame(
        {"video_id": ["v1"], "title": [title], "tags": [["a", "b"]], "updated_at": times}
    )


def titles(snapshots: Snapshots) -> list[str]:
    return [str(frame["title"][0]) for frame in snapshots.newest_first()]


def test_a_store_without_snapshots_has_none(snapshots: Snapshots) -> None:
    assert list(snapshots.newest_first()) == []


def test_a_catalogue_comes_back_as_it_was_read(snapshots: Snapshots) -> None:
    snapshots.keep(catalogue("one"), "f" * 64)
    (found,) = Snapshots(snapshots.store, n_kept=3).newest_first()
    pd.testing.assert_frame_equal(found, catalogue("one"))


def test_the_newest_comes_first(snapshots: Snapshots) -> None:
    for num, title in enumerate(("one", "two", "three")):
        snapshots.keep(catalogue(title), f"{num:064x}"[::-1])
    assert titles(snapshots) == ["three", "two", "one"]


def test_the_same_catalogue_read_again_is_kept_once(snapshots: Snapshots) -> None:
    snapshots.keep(catalogue("one"), "a" * 64)
    snapshots.keep(catalogue("one"), "a" * 64)
    assert titles(snapshots) == ["one"]


def test_a_catalogue_that_went_back_to_what_it_was_is_kept_again(snapshots: Snapshots) -> None:
    for title, fingerprint in (("one", "a" * 64), ("two", "b" * 64), ("one", "a" * 64)):
        snapshots.keep(catalogue(title), fingerprint)
    assert titles(snapshots) == ["one", "two", "one"]


def test_the_oldest_leave_when_there_are_more_than_are_kept(snapshots: Snapshots) -> None:
    for num, title in enumerate(("one", "two", "three", "four", "five")):
        snapshots.keep(catalogue(title), f"{num:064x}"[::-1])
    assert titles(snapshots) == ["five", "four", "three"]


def test_a_half_written_snapshot_is_not_read(snapshots: Snapshots) -> None:
    snapshots.keep(catalogue("one"), "a" * 64)
    beside = snapshots.store.path("snapshots", "videos", ".29990101T000000000000-b.parquet.1234")
    beside.write_bytes(b"half")
    assert titles(snapshots) == ["one"]
