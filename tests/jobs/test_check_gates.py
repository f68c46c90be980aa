from pathlib import Path

import pytest

from tests.jobs.finished_nights import NIGHT, lists, make_night, reader_of, settings_of
from vidrec_tasks.errors import GateError
from vidrec_tasks.evaluation.gates import GATES
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.store.store import Store


def test_a_good_night_passes_every_gate(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    run = make_night(Store(str(tmp_path)), settings)
    receipt = run_job(Order("check_gates", NIGHT), settings)
    assert run.read_json("gates", "gates")["passed"] is True
    assert receipt["counts"]["failed"] == 0
    assert receipt["counts"]["gates"] == len(GATES)
    assert receipt["counts"]["users_with_a_list"] == 3


def test_a_night_with_a_seen_video_is_rejected_in_the_open(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    seen = lists(("carl",), NIGHT).replace({"video_id": {"v2": "v1"}})
    run = make_night(Store(str(tmp_path)), settings, **{"explained.1": {"table": seen}})
    with pytest.raises(GateError, match=r"1 of \d+ failed: seen_videos 1 \(at most 0\)"):
        run_job(Order("check_gates", NIGHT), settings)
    assert run.read_json("gates", "gates")["passed"] is False  # the report can say why
    assert [receipt["job"] for receipt in run.receipts()] == ["validate_inputs", "check_gates"]
    reader = reader_of(settings)
    (row,) = reader.runs()
    assert (row["state"], row["is_current"]) == ("rejected", False)
    failed = [gate["name"] for gate in row["gates"]["gates"] if not gate["passed"]]
    assert failed == ["seen_videos"]
    assert reader.current_run_id() is None
    reader.close()


def test_a_rejected_night_fails_again_when_it_is_tried_again(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    metrics = {"claim_precision": 0.5}
    make_night(Store(str(tmp_path)), settings, metrics={"metrics": metrics})
    for _ in range(2):
        with pytest.raises(GateError, match=r"claim_precision 0.5 \(at least 1\)"):
            run_job(Order("check_gates", NIGHT), settings)
