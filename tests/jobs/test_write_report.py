from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.stores import record_of
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store_url=str(tmp_path))


@pytest.fixture
def run(settings: Settings) -> Run:
    """A run of which only the inputs were read."""
    return open_run(settings, NIGHT)


def open_run(settings: Settings, night: date, **more: Any) -> Run:
    run = Runs(Store(settings.store_url)).open(record_of(f"{night}-aaaaaaaa"))
    keep(run, "videos", table=pd.DataFrame({"video_id": ["v1"], "title": ["A cat"]}))
    rejects = {"table": ["videos"], "row_num": [1], "reason": ["no id"], "sample": ["x"]}
    keep(run, "rejects", table=pd.DataFrame(rejects), **more)
    receipt(run, "validate_inputs", interactions_read=9, interactions_accepted=8)
    return run


def keep(run: Run, name: str, **parts: Any) -> None:
    run.remember(run.artefacts.write(name, run.run_id, parts))


def receipt(run: Run, job: str, **counts: int) -> None:
    said = {"job": job, "shard": "", "started_at": "2026-09-02T02:00:00", "seconds": 1.25}
    run.write_receipt(job, "", {**said, "reused": False, "counts": counts})


def write(settings: Settings) -> str:
    run_job(Order("write_report", NIGHT), settings)
    return (Path(settings.store_url) / "reports" / "2026-09-02.html").read_text()


def html_of(run: Run) -> str:
    html = run.parts("report").binary("html")
    return html.decode()


def test_a_night_that_stopped_has_a_report_that_says_where(settings: Settings, run: Run) -> None:
    html = write(settings)
    assert "stopped at <code>extract_keyframes</code>" in html
    assert "no id" in html
    assert ">accepted<" in html


def test_rejects_that_are_not_kept_are_counted_in_the_report(settings: Settings) -> None:
    left_out = pd.DataFrame({"table": ["videos"], "reason": ["no id"], "n_rows": [41_998]})
    open_run(settings, NIGHT, left_out=left_out)
    assert "41,999" in write(settings)


def test_times_of_running_stand_in_the_copy_only(settings: Settings, run: Run) -> None:
    assert "1.25" in write(settings)
    assert "1.25" not in html_of(run)


def test_the_report_grows_with_the_night(settings: Settings, run: Run) -> None:
    write(settings)
    keep(run, "metrics", metrics={"coverage": 0.75})
    gate = {"name": "list_share", "value": 0.1, "bound": 0.9, "direction": "at_least",
            "passed": False, "meaning": "m"}  # fmt: skip
    keep(run, "gates", gates={"gates": [gate], "passed": False})
    assert "rejected" in write(settings)
    assert "0.75" in html_of(run)


def test_the_report_begins_with_what_the_lists_are_worth(settings: Settings, run: Run) -> None:
    ratio = {"value": 1.5, "low": 1.25, "high": 2.0, "n_users": 40.0}
    metrics = {"ndcg@10.served": {"value": 0.3, "low": 0.2, "high": 0.4, "n_users": 40.0},
               "lift": {"best": "item_knn", "ndcg@10": ratio}}  # fmt: skip
    keep(run, "metrics", metrics=metrics)
    said = "NDCG@10 0.300, 1.50 times [1.25, 2.00] the best simple list"
    assert said in write(settings)


def test_a_second_report_of_the_same_night_is_the_same_bytes(settings: Settings, run: Run) -> None:
    write(settings)
    first = run.ref("report")
    write(settings)
    assert run.ref("report") == first


def test_earlier_nights_stand_beside_it(settings: Settings) -> None:
    keep(open_run(settings, date(2026, 9, 1)), "metrics", metrics={"coverage": 0.5})
    keep(open_run(settings, NIGHT), "metrics", metrics={"coverage": 0.75})
    html = write(settings)
    assert "Over the last 2 nights" in html
    assert "2026-09-01: 0.5" in html


def test_a_later_night_is_not_known(settings: Settings) -> None:
    keep(open_run(settings, date(2026, 9, 3)), "metrics", metrics={"coverage": 0.5})
    keep(open_run(settings, NIGHT), "metrics", metrics={"coverage": 0.75})
    assert "2026-09-03" not in write(settings)


def test_sample_lists_have_pictures_inside(settings: Settings, run: Run) -> None:
    store = Store(settings.store_url)
    store.write(store.path("features", "keyframes", "w/s/0.jpg"), b"\xff\xd8\xff picture")
    row = {
        "user_id": "u1",
        "rank": 1,
        "video_id": "v1",
        "score": 1.0,
        "source": "tower",
        "reason_code": "new_for_you",
        "explanation": "Because.",
        "explanation_verified": True,
    }
    keep(run, "explained.0", table=pd.DataFrame([row]))
    keep(run, "portraits.0", table=pd.DataFrame([{"user_id": "u1", "portrait": "Likes cats."}]))
    frame = {"video_id": "v1", "frame_num": 0, "at_s": 1.0, "path": "w/s/0.jpg"}
    keep(run, "frames", table=pd.DataFrame([frame]))
    html = write(settings)
    for word in ("Likes cats.", "A cat", "Because.", "data:image/jpeg;base64,"):
        assert word in html, word
