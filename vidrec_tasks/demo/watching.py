"""Watching: says what a night is doing while another process does it, from its receipts."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import StoreError
from vidrec_tasks.night import NIGHT
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

POLL_S: Final = 0.5
QUIET_S: Final = 20.0
"""Seconds without a receipt after which a line says that the night goes on."""
N_COUNTS: Final = 4

Write = Callable[[str], None]


def watch(night: date, pid: int, write: Write, *, poll_s: float = POLL_S) -> None:
    """Print each receipt of a night's run as it appears, until a process ends.

    Args:
        night: whose newest run is watched.
        pid: the process that runs it; receipts from before this call are not printed.
        write: takes a line.
        poll_s: seconds between two looks.
    """
    store = Store(read_settings().store_url)
    begun = datetime.now(UTC)
    known: set[tuple[str, str, str]] = set()
    quiet_since = time.monotonic()
    goes_on = True
    while goes_on:
        goes_on = is_alive(pid)  # first: what was written before the end is read after it
        for receipt in _new_receipts(store, night, begun, known):
            write(receipt_line(receipt, seconds=_seconds_since(begun)))
            quiet_since = time.monotonic()
        if time.monotonic() - quiet_since > QUIET_S:
            write(f"{_seconds_since(begun):5.0f} s  …")
            quiet_since = time.monotonic()
        if goes_on:
            time.sleep(poll_s)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def receipt_line(receipt: Mapping[str, Any], *, seconds: float) -> str:
    """A receipt as one short line.

    Args:
        receipt: as jobs write it.
        seconds: since the watching began.
    """
    job, shard = receipt["job"], receipt["shard"]
    number = NIGHT.index(job) + 1 if job in NIGHT else 0
    name = f"{job}[{shard}]" if shard else job
    counts = [f"{_number(n)} {key}" for key, n in _numbers(receipt).items() if n]
    outcome = "reused" if receipt["reused"] else ", ".join(counts[:N_COUNTS])
    took = f"{receipt['seconds']:.1f} s"
    return f"{seconds:5.0f} s  {number:2d}/{len(NIGHT)} {name:<26} {took:>7}  {outcome}".rstrip()


def _new_receipts(
    store: Store, night: date, begun: datetime, known: set[tuple[str, str, str]]
) -> list[dict[str, Any]]:
    """Receipts of jobs that began after a moment and were not given before."""
    runs = Runs(store)
    try:
        pinned = runs.pinned(night)
        run = runs.find(pinned["run_id"]) if pinned else None
        receipts = run.receipts() if run else []
    except StoreError:
        return []  # a file was replaced between two reads: the next look finds it
    fresh = []
    for receipt in receipts:
        key = (receipt["job"], receipt["shard"], receipt["started_at"])
        if key not in known and datetime.fromisoformat(receipt["started_at"]) >= begun:
            known.add(key)
            fresh.append(receipt)
    return fresh


def _numbers(receipt: Mapping[str, Any]) -> dict[str, float]:
    counts = receipt["counts"].items()
    return {key: n for key, n in counts if isinstance(n, int | float) and not isinstance(n, bool)}


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _seconds_since(begun: datetime) -> float:
    return (datetime.now(UTC) - begun).total_seconds()
