"""The whole night at size: its inputs are accepted whole, and its figures come from receipts."""

from pathlib import Path

from benchmarks.scale_world import NIGHT
from benchmarks.whole_night import figures_of, settings_given, write_inputs
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store


def test_every_row_that_it_writes_is_accepted_and_the_night_is_told(tmp_path: Path) -> None:
    store = tmp_path / "store"
    write_inputs(store / "inputs", n_videos=200, n_users=50)

    counts = run_job(Order("validate_inputs", NIGHT), Settings(store_url=str(store)))["counts"]
    videos = Runs(Store(str(store))).of_night(NIGHT).read_table("videos")
    told = figures_of(store)

    assert counts["videos_accepted"] == counts["videos_read"] == 200
    assert counts["interactions_accepted"] == counts["interactions_read"] > 50
    assert counts["interactions_users"] == 50
    assert videos["title"].nunique() > 150
    assert set(told["jobs"]) == {"validate_inputs"}
    assert told["published"] is False
    assert told["list_rows"] == 0


def test_settings_are_told_without_places_and_keys() -> None:
    given = settings_given(
        {
            "VIDREC_THREADS": "1",
            "VIDREC_STORE_URL": "s3://bucket",
            "VIDREC_RESULTS_URL": "postgresql://x",
            "VIDREC_LANGUAGE__ENDPOINT_KEY": "secret",
            "PATH": "/bin",
        }
    )
    assert given == {"VIDREC_THREADS": "1"}
