from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.finished_nights import (
    GONE,
    LATER,
    NIGHT,
    make_night,
    publish,
    reader_of,
    settings_of,
)
from vidrec_tasks.errors import PublishError
from vidrec_tasks.running.by_hand import run_by_hand
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run
from vidrec_tasks.store.store import Store


def two_nights(folder: Path) -> tuple[Settings, Store, Run, Run]:
    """Two published nights; readers see the second."""
    settings, store = settings_of(folder), Store(str(folder))
    first, second = make_night(store, settings, NIGHT), make_night(store, settings, LATER)
    publish(settings, NIGHT)
    publish(settings, LATER)
    return settings, store, first, second


def test_readers_see_the_night_before(tmp_path: Path) -> None:
    settings, _, first, second = two_nights(tmp_path)
    said = run_by_hand("roll_back", settings, request_id="r1")
    assert said == {"run_id": first.run_id, "night": "2026-09-01", "before": second.run_id,
                    "rows_erased_again": 0, "rows_of_opted_out": 0,
                    "videos_withdrawn_since": 0}  # fmt: skip
    reader = reader_of(settings)
    assert reader.current_run_id() == first.run_id
    assert run_by_hand("roll_back", settings, request_id="r2", run_id=second.run_id)
    assert reader.current_run_id() == second.run_id
    reader.close()


def test_who_was_erased_since_stays_erased(tmp_path: Path) -> None:
    settings, store, _, _ = two_nights(tmp_path)
    Ledger(store).add([GONE])  # the tables come from a backup that still knows the user
    said = run_by_hand("roll_back", settings, request_id="r1")
    assert said["rows_erased_again"] == 3
    reader = reader_of(settings)
    assert reader.list_for(GONE).is_fallback
    assert reader.sample_users(9) == ["bea", "carl"]
    reader.close()


def test_who_opted_out_since_has_no_list_and_withdrawn_videos_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, _, _, now = two_nights(tmp_path)
    users = now.read_table("users").astype({"opted_out": bool})
    known = {"user_id": "bea", "region": "", "language": "", "max_age_rating": 18.0,
             "opted_out": True, "row_num": 9}  # fmt: skip
    users = pd.concat([users[users["user_id"] != "bea"], pd.DataFrame([known])], ignore_index=True)
    videos = now.read_table("videos")
    videos.loc[videos["video_id"] == "v2", "status"] = "withdrawn"
    for name, table in (("users", users), ("videos", videos)):
        now.remember(now.artefacts.write(name, key_of({"changed": name}), {"table": table}))
    said = run_by_hand("roll_back", settings, request_id="r1")
    assert (said["rows_of_opted_out"], said["videos_withdrawn_since"]) == (3, 1)
    assert "1 listed videos of" in caplog.text
    reader = reader_of(settings)
    assert reader.list_for("bea").is_fallback
    assert not reader.list_for("carl").is_fallback
    reader.close()


def test_a_night_that_was_not_published_takes_nobody_out(tmp_path: Path) -> None:
    settings, store, _, _ = two_nights(tmp_path)
    broken = make_night(store, settings, LATER + timedelta(days=1))
    users = broken.read_table("users").assign(opted_out=True)
    broken.remember(broken.artefacts.write("users", key_of({"all": "out"}), {"table": users}))
    assert run_by_hand("roll_back", settings, request_id="r1")["rows_of_opted_out"] == 0
    reader = reader_of(settings)
    assert not reader.list_for("bea").is_fallback
    reader.close()


@pytest.mark.parametrize("run_id", [None, "2026-01-01-00000000"])
def test_there_is_nowhere_to_go_before_the_first_night(tmp_path: Path, run_id: str | None) -> None:
    with pytest.raises(PublishError, match="there are none"):
        run_by_hand("roll_back", settings_of(tmp_path), request_id="r1", run_id=run_id)
