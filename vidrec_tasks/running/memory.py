"""Peak memory of a job: the largest resident set of the process that runs it, or of its children.

Linux alone says it of a span: ``/proc/self/clear_refs`` starts the count anew (proc(5)), so that
jobs which follow each other in one process do not inherit each other's peak. Where the file cannot
be written, the peak is the process's since it began; elsewhere it is not known.
"""

import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vidrec_tasks.hardware import return_memory

CLEAR_FILE: Final = Path("/proc/self/clear_refs")
STATUS_FILE: Final = Path("/proc/self/status")
_CLEAR_PEAK: Final = "5"
_PEAK_LINE: Final = "VmHWM:"


@dataclass(frozen=True)
class Watch:
    """What was known when a job began.

    Attributes:
        child_kib: largest resident memory of a child that had ended by then.
    """

    child_kib: int

    @classmethod
    def begin(cls) -> "Watch":
        """Count from now; what earlier jobs of the process freed is given back before."""
        return_memory()
        with suppress(OSError):
            CLEAR_FILE.write_text(_CLEAR_PEAK)
        return cls(_ended_child_kib())

    def peak_mib(self) -> float | None:
        """Largest resident memory since then, in MiB; None where the system does not say.

        A child counts, if it ended meanwhile and was larger than all that had ended before.
        """
        own = peak_kib(STATUS_FILE)
        if own is None:
            return None
        child = _ended_child_kib()
        return round(max(own, child if child > self.child_kib else 0) / 2**10, 1)


def peak_kib(status: Path) -> int | None:
    """Largest resident memory of the process of a ``/proc/<pid>/status``; None: it is not told."""
    try:
        lines = status.read_text("utf-8").splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith(_PEAK_LINE)), None)
    return None if found is None else int(found.split()[1])


def _ended_child_kib() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
