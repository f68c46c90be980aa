"""Peak memory of a job: of its own span, children included, or unknown."""

import subprocess
import sys
from pathlib import Path

import pytest

from vidrec_tasks.running import memory
from vidrec_tasks.running.memory import Watch

MIB = 2**20

pytestmark = pytest.mark.skipif(
    not memory.CLEAR_FILE.exists(), reason="the system has no /proc/self/clear_refs"
)


def hold(mib: int) -> float:
    watch = Watch.begin()
    held = b"\1" * (mib * MIB)
    found = watch.peak_mib()
    assert found is not None
    assert len(held) == mib * MIB
    return found


def test_what_a_job_held_counts_and_not_what_one_before_it_held() -> None:
    plain = hold(1)
    large = hold(300)
    after = hold(1)

    assert large > plain + 250
    assert after < large - 250


CHILD = """
import subprocess, sys
from vidrec_tasks.running.memory import Watch
watch = Watch.begin()
subprocess.run([sys.executable, "-c", "held = b'1' * (400 << 20)"], check=True)
sys.stdout.write(f"{watch.peak_mib()} {Watch.begin().peak_mib()}")
"""


def test_a_child_that_is_the_largest_counts_in_its_own_span_alone() -> None:
    # in a process of its own, whose children before are none
    said = subprocess.run([sys.executable, "-c", CHILD], check=True, stdout=subprocess.PIPE)
    found, later = map(float, said.stdout.split())

    assert found > 400
    assert later < 300


def test_a_system_that_does_not_say_has_no_peak(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "STATUS_FILE", tmp_path / "none")

    assert Watch.begin().peak_mib() is None


def test_without_leave_to_begin_anew_the_peak_of_the_process_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = hold(300)
    monkeypatch.setattr(memory, "CLEAR_FILE", tmp_path / "no folder" / "clear_refs")

    assert hold(1) > before - 10
