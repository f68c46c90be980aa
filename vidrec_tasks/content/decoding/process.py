"""Decoding: a process of its own, asked one film at a time, timed, ended when it hangs."""

import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import MediaError
from vidrec_tasks.stamps import stamp_of

log = logging.getLogger(__name__)

START_TIMEOUT_S: Final = 60.0
CLEARED: Final = ("env", "MALLOC_PERTURB_=85")
"""glibc fills what is handed out and given back: a decoder that reads what it never wrote finds the
same bytes each time, and no other film's (seen in CineForm; 8% of the processor's time)."""

NEEDED: Final = {
    "decoding": "OpenCV and PyAV",
    "reading": "PyAV and pysubs2",
    "hearing": "faster-whisper, its model (VIDREC_TEXTS__SPEECH_MODEL) and PyAV",
}
"""What a process is for -> what it cannot do without."""

LAST_WORDS_S: Final = 1.0
"""Seconds that a process whose pipe broke has to end by itself, so that its exit says why."""

WALL_SHARE: Final = 8.0
"""Times its limit of processor that a film may wait: for a busy machine, or a slow disk."""

CHANGED: Final = "media file changed while it was read"
WAITED: Final = "did not finish within"
KILLED: Final = "was killed from outside"
UNREAD: Final = "media file cannot be read"
THIS_MACHINE: Final = "this machine failed"


def passing(*doing: str) -> tuple[str, ...]:
    """How reasons begin that say nothing of the film: it is tried again on the next night.

    Args:
        doing: what processes do with a film.
    """
    ends = (f"{what} {end}" for what in doing for end in (WAITED, KILLED))
    return (CHANGED, UNREAD, THIS_MACHINE, *ends)


PASSING: Final = passing("decoding")


class Decoder:
    """One decoding process.

    Args:
        command: what starts it.
        timeout_s: seconds of processor one film may take; it may wait `WALL_SHARE` times as long.
        doing: what it does with a film, in reasons.
    """

    def __init__(
        self, command: Sequence[str], *, timeout_s: float, doing: str = "decoding"
    ) -> None:
        self.timeout_s = timeout_s
        self.doing = doing
        self.is_alive = True
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [*CLEARED, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=Path(__file__).resolve().parents[3],
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._unread = b""

    def __enter__(self) -> "Decoder":
        """Wait until the process is ready.

        Raises:
            MediaError: it does not start.
        """
        try:
            is_ready = self._line(START_TIMEOUT_S) == b"ready"
        except TimeoutError:
            is_ready = False
        if not is_ready:
            last_words = self._last_words()
            self._stop()
            message = (
                f"the {self.doing} process does not start ({last_words or 'it said nothing'}); "
                f"are {NEEDED.get(self.doing, NEEDED['decoding'])} installed with their libraries "
                "(libgl1, libglib2.0-0)?"
            )
            raise MediaError(message)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Decode one film; when it hangs or kills the process, say so in its place."""
        failure = {"key": request["key"]}
        try:
            self._stdin.write(json.dumps(request).encode() + b"\n")
            self._stdin.flush()
            answer: dict[str, Any] = json.loads(self._line(WALL_SHARE * self.timeout_s))
        except TimeoutError:
            self._stop()
            return {
                **failure,
                "failure": f"{self.doing} {WAITED} {WALL_SHARE * self.timeout_s:g} s",
            }
        except (OSError, ValueError):  # the pipe broke, or the answer is none
            return {**failure, "failure": self._why_it_died(request)}
        return answer

    def _why_it_died(self, request: Mapping[str, Any]) -> str:
        ended: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            ended = self._process.wait(LAST_WORDS_S)
        code = self._stop()
        stamp = request.get("stamp")
        try:
            if stamp and stamp_of(os.stat(request["path"])) != list(stamp):
                return CHANGED
        except OSError:
            return CHANGED
        if code == -signal.SIGPROF:
            return f"{self.doing} took more than {self.timeout_s:g} s of processor time"
        if ended == -signal.SIGKILL:  # what holds the process to its limits ends it otherwise
            return f"{self.doing} {KILLED}"
        return f"{self.doing} crashed its process (exit {code})"

    def _line(self, timeout_s: float) -> bytes:
        """The next line of the process; empty when it died.

        Raises:
            TimeoutError: no line came in time.
        """
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._unread:
            if not self._selector.select(max(deadline - time.monotonic(), 0.0)):
                raise TimeoutError
            data = os.read(self._stdout.fileno(), 1 << 16)
            if not data:
                return b""
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        return line

    def _last_words(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _stop(self) -> int:
        self.is_alive = False
        self._selector.close()
        self._process.kill()
        code = self._process.wait()
        for pipe in (self._stdin, self._stdout, self._stderr):
            try:
                pipe.close()
            except OSError:
                log.debug("the decoding process wrote an answer that cannot be read")
        return code

    @property
    def _stdin(self) -> Any:
        return self._process.stdin

    @property
    def _stdout(self) -> Any:
        return self._process.stdout


def ask_all(
    waiting: deque[dict[str, Any]],
    command: Sequence[str],
    take: Callable[[dict[str, Any]], None],
    *,
    timeout_s: float,
    doing: str = "decoding",
    n_processes: int = 1,
) -> None:
    """Ask processes side by side until no request waits, with a new one after each that was lost.

    Args:
        waiting: requests; those that were asked are taken from it.
        command: starts a process.
        take: is given each answer as it comes; what it raises is raised here.
        timeout_s: see `Decoder`.
        doing: likewise.
        n_processes: at the same time.
    """

    def work() -> None:
        while waiting:
            with Decoder(command, timeout_s=timeout_s, doing=doing) as decoder:
                while decoder.is_alive and (request := _next(waiting)):
                    take(decoder.ask(request))

    n_processes = max(min(n_processes, len(waiting)), 1)
    with ThreadPoolExecutor(n_processes) as pool:
        for part in [pool.submit(work) for _ in range(n_processes)]:
            part.result()


def _next(waiting: deque[dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return waiting.popleft()
    except IndexError:  # another process took the last one
        return None
