"""Watching a night whose receipts another process writes."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stores import record_of
from vidrec_tasks.demo.watching import is_alive, receipt_line, watch
from vidrec_tasks.night import NIGHT as NIGHT_JOBS
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("VIDREC_STORE_URL", str(tmp_path))
    return Runs(Store(str(tmp_path))).open(record_of("2026-09-01-1234abcd"))


def receipt(job: str, *, minutes: float, shard: str = "", **more: Any) -> dict[str, Any]:
    began = datetime.now(UTC) + timedelta(minutes=minutes)
    return {
        "job": job, "shard": shard, "started_at": began.isoformat(), "seconds": 2.25,
        "reused": False, "counts": {"videos": 1200, "decoded": 0, "state": "fine"}, **more,
    }  # fmt: skip


def test_receipts_of_this_run_are_printed_once_and_older_ones_never(run: Run) -> None:
    run.write_receipt("validate_inputs", "", receipt("validate_inputs", minutes=-5))
    run.write_receipt("extract_keyframes", "0", receipt("extract_keyframes", minutes=5, shard="0"))
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
    lines: list[str] = []
    watch(NIGHT, process.pid, lines.append, poll_s=0.05)
    process.wait()
    assert len(lines) == 1
    assert "extract_keyframes[0]" in lines[0]


def test_what_was_written_just_before_the_end_is_still_printed(run: Run) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    run.write_receipt("publish_lists", "", receipt("publish_lists", minutes=5))
    lines: list[str] = []
    watch(NIGHT, ended.pid, lines.append)
    assert len(lines) == 1


def test_a_night_that_never_opened_prints_nothing(run: Run) -> None:
    lines: list[str] = []
    watch(NIGHT - timedelta(days=9), 2**22 + 1, lines.append)
    assert lines == []


def test_a_process_that_nobody_waited_for_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_alive(process.pid)
    assert process.stdin is not None
    process.stdin.close()
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while is_alive(process.pid) and datetime.now(UTC) < deadline:
        pass
    assert not is_alive(process.pid)
    process.wait()


def test_a_line_says_job_place_seconds_and_what_there_was() -> None:
    said = receipt_line(receipt("extract_keyframes", minutes=0, shard="3"), seconds=12.3)
    assert said == f"   12 s   2/{len(NIGHT_JOBS)} extract_keyframes[3]         2.2 s  1,200 videos"


def test_a_reused_task_says_so() -> None:
    said = receipt_line(receipt("embed_videos", minutes=0, reused=True), seconds=1)
    assert said.endswith("reused")
