"""The sandbox: what every process holds to that opens files from outside.

It reads one JSON request a line and writes one JSON answer a line. It limits its own memory and the
seconds a file may take, so a hostile file costs this process and nothing else; `process` starts it,
times it and replaces it.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from av.error import FFmpegError

from vidrec_tasks.content.decoding.process import THIS_MACHINE, UNREAD
from vidrec_tasks.errors import MediaError
from vidrec_tasks.stamps import refuse_changed

ORPHAN_SHARE: Final = 12.0
"""Time limits after which a process whose parent is gone ends itself, in the middle of a film: more
than `process.WALL_SHARE`."""

_NEW_USER_AND_NETWORK: Final = 0x10000000 | 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET of Linux: a network of its own, in which there is nothing."""


@contextlib.contextmanager
def opened(path: Path, stamp: list[int]) -> Iterator[BinaryIO]:
    """The file that was hashed, open; it is decoded whatever its name leads to meanwhile.

    Raises:
        ChangedError: it is another file now, or was written to while it was read.
        MediaError: it is no file.
        OSError: it cannot be opened.
    """
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(number, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            message = "is not a file"
            raise MediaError(message)
        refuse_changed(number, stamp)
        try:
            yield file
        finally:  # whatever was found of a file that changed is not said of the one that was hashed
            refuse_changed(number, stamp)


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def failure_of(error: Exception, what: str) -> str:
    """Why a film gave nothing: for itself, or because this machine could not read or run.

    Args:
        error: that was raised.
        what: begins the reason that lies in the film.
    """
    if isinstance(error, OSError) and not isinstance(error, FFmpegError):
        return f"{UNREAD} ({error.strerror or type(error).__name__})"
    if "cuda" in str(error).casefold():
        return f"{THIS_MACHINE} ({first_line(error)})"
    return f"{what}: {first_line(error)}"


def leave_network() -> bool:
    """Take this process, which has one thread, out of the network; False where that is refused."""
    try:
        return ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER_AND_NETWORK) == 0
    except (OSError, AttributeError):  # no such call on this system
        return False


def serve(answer_of: Callable[[dict[str, Any]], dict[str, Any]], *, megabytes: int) -> None:
    """Answer requests until standard input ends.

    Args:
        answer_of: the answer of a request; its ``timeout_s`` is of processor's time.
        megabytes: memory that files may take beyond what this process has taken already.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # native code that prints spoils no answer
    np.ones((256, 256)) @ np.ones((256, 256))  # what OpenBLAS keeps for itself is no film's
    _limit_memory(megabytes)
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, ORPHAN_SHARE * request["timeout_s"])
        signal.setitimer(signal.ITIMER_PROF, request["timeout_s"])  # processor, not the clock
        answer = answer_of(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory(megabytes: int) -> None:
    """Let files take so much beyond what Python and its libraries take (about 0.5 GiB)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = _addressed() + (megabytes << 20)
    with contextlib.suppress(ValueError, OSError):  # a lower hard limit is set already
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _addressed() -> int:
    """Bytes this process addresses now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0
