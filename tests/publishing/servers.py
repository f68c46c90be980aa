"""A real PostgreSQL for the tests: made, started and stopped by them, as an ordinary user."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql")
LONGEST_START_S = 60.0


def find_binaries() -> Path | None:
    """The newest server that Debian has installed, if there is one that can be run."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found or (os.getuid() == 0 and not _as_server()):
        return None
    return found[-1].parent


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: where it is.
        restart: kills it, as a crash would, and starts it again.
    """

    url: str
    restart: Callable[[], None]


@contextmanager
def started(binaries: Path) -> Iterator[str]:
    """The URL of a running server."""
    with running(binaries) as server:
        yield server.url


@contextmanager
def running(binaries: Path, *, largest_file_bytes: int | None = None) -> Iterator[Server]:
    """A server on a socket in a folder of its own.

    Args:
        binaries: from `find_binaries`.
        largest_file_bytes: what a file may grow to, so that writing fails as on a full disk.
    """
    folder = Path(tempfile.mkdtemp(prefix="vidrec-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = (binaries / "pg_ctl", "-D", data, "-w", "-t", int(LONGEST_START_S))
    start = (*control, "-l", folder / "log", "-o", options, "start")
    stop = (*control, "-m", "immediate", "stop")  # by the pid in its own data folder

    def restart() -> None:
        _run(*stop)
        _run(*start)

    try:
        _run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "vidrec",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        _run(*start, largest_file_bytes=largest_file_bytes)
        try:
            yield Server(f"postgresql://vidrec@/postgres?host={folder}", restart)
        finally:
            _run(*stop)
    finally:
        shutil.rmtree(folder)


def _as_server() -> list[str]:
    """A server refuses to run as root."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups"] if setpriv else []


def _run(*command: object, largest_file_bytes: int | None = None) -> None:
    words = [*_as_server(), *map(str, command)]
    if largest_file_bytes is not None:
        prlimit = shutil.which("prlimit") or "prlimit"
        words = [prlimit, f"--fsize={largest_file_bytes}", "--", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
