"""Processes of a test, each in a session of its own: all of it is ended, and nothing else."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path


class Process:
    """A program with its log and all that it starts.

    Args:
        name: what its log is called.
        command: program and arguments.
        environment: everything it is given.
        folder: where it starts.
        log: where its output goes; appended to.
        stop_signal: what asks it to end.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        folder: Path,
        log: Path,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        with log.open("ab") as output:
            self._started = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.pid = self._started.pid

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self._started.poll() is None

    def all_pids(self) -> list[int]:
        """It and every process below it, also those that began a session of their own."""
        return [self.pid, *descendants(self.pid)]

    def wait(self, timeout_s: float) -> int:
        """Wait for its end; returns its exit code."""
        return self._started.wait(timeout_s)

    def kill(self) -> None:
        """End all of it at once, as the loss of a machine would."""
        for pid in self.all_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._started.wait(30)

    def stop(self, timeout_s: float = 20.0) -> None:
        """Ask it to end; what has not ended then is killed."""
        below = self.all_pids()
        with suppress(ProcessLookupError):
            os.kill(self.pid, self.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            self._started.wait(timeout_s)
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._started.wait(30)

    def tail(self, n_chars: int = 4000) -> str:
        """The last of what it wrote."""
        return self.log.read_text(errors="replace")[-n_chars:]


def descendants(pid: int) -> list[int]:
    """Every process below a process."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found, to_see = [], [pid]
    while to_see:
        below = children.get(to_see.pop(), [])
        found += below
        to_see += below
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # "pid (name) state parent …": the name may hold spaces and brackets
                rest = (folder / "stat").read_text().rpartition(")")[2].split()
                yield int(folder.name), int(rest[1])


def wait_until(ready: Callable[[], bool], timeout_s: float, what: str, pause_s: float) -> None:
    """Wait for something to become true.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            message = f"{what}: not within {timeout_s:.0f} s"
            raise TimeoutError(message)
        time.sleep(pause_s)
