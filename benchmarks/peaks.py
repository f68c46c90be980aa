"""Largest resident memory of processes, from ``VmHWM`` (proc(5)).

``getrusage`` says it too, but Linux carries its figure over from the parent through fork and exec,
so that a small process of a large one looks large (decision 0043).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vidrec_tasks.running.memory import peak_kib

SAMPLE_S: Final = 0.05


def high_water_kib(pid: int) -> int:
    """Largest resident memory of a process since it began; 0 if it has ended."""
    return peak_kib(Path(f"/proc/{pid}/status")) or 0


def own_peak_gib() -> float:
    """That of this process, in GiB."""
    return high_water_kib(os.getpid()) / 2**20


@contextmanager
def watched_children() -> Iterator[dict[int, int]]:
    """Process id -> most KiB resident, of the children there were meanwhile (sampled)."""
    peaks: dict[int, int] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            for pid in _children():
                peaks[pid] = max(peaks.get(pid, 0), high_water_kib(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        done.set()
        watcher.join()


def _children() -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        try:
            found += [int(pid) for pid in (thread / "children").read_text().split()]
        except OSError:  # the thread is gone
            continue
    return found
