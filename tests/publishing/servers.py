"""A real PostgreSQL for the tests: made, started and stopped by them, as an ordinary user."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = Path("/usr/lib/postgresql")
LONGEST_START_S = 60.0


def find_binaries() -> Path | None:
    """The newest server that Debian has installed, if there is one that can be run."""
    found = sorted(BINARIES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found or (os.getuid() == 0 and not _as_server()):
        return None
    return found[-1].parent


@contextmanager
def started(binaries: Path) -> Iterator[str]:
    """The URL of a running server, on a socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="vidrec-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    try:
        _run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "vidrec",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        control = (binaries / "pg_ctl", "-D", data, "-w", "-t", int(LONGEST_START_S))
        _run(*control, "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://vidrec@/postgres?host={folder}"
        finally:
            _run(*control, "-m", "immediate", "stop")  # by the pid in its own data folder
    finally:
        shutil.rmtree(folder)


def _as_server() -> list[str]:
    """A server refuses to run as root."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups"] if setpriv else []


def _run(*command: object) -> None:
    words = [*_as_server(), *map(str, command)]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
