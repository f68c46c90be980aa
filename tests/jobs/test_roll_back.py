from pathlib import Path

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
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.store import Store


def test_readers_see_the_night_before(tmp_path: Path) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    first, second = make_night(store, settings, NIGHT), make_night(store, settings, LATER)
    publish(settings, NIGHT)
    publish(settings, LATER)
    said = run_by_hand("roll_back", settings, request_id="r1")
    assert said == {"run_id": first.run_id, "night": "2026-09-01", "before": second.run_id,
                    "rows_erased_again": 0}  # fmt: skip
    reader = reader_of(settings)
    assert reader.current_run_id() == first.run_id
    assert run_by_hand("roll_back", settings, request_id="r2", run_id=second.run_id)
    assert reader.current_run_id() == second.run_id
    reader.close()


def test_who_was_erased_since_stays_erased(tmp_path: Path) -> None:
    settings, store = settings_of(tmp_path), Store(str(tmp_path))
    make_night(store, settings, NIGHT)
    make_night(store, settings, LATER)
    publish(settings, NIGHT)
    publish(settings, LATER)
    Ledger(store).add([GONE])  # the tables come from a backup that still knows the user
    said = run_by_hand("roll_back", settings, request_id="r1")
    assert said["rows_erased_again"] == 3
    reader = reader_of(settings)
    assert reader.list_for(GONE).is_fallback
    assert reader.sample_users(9) == ["bea", "carl"]
    reader.close()


@pytest.mark.parametrize("run_id", [None, "2026-01-01-00000000"])
def test_there_is_nowhere_to_go_before_the_first_night(tmp_path: Path, run_id: str | None) -> None:
    with pytest.raises(PublishError, match="there are none"):
        run_by_hand("roll_back", settings_of(tmp_path), request_id="r1", run_id=run_id)
