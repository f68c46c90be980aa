"""Place: where the store is, and reading and writing there without half-written files.

Only this room builds a path. Leaves the meaning of what lies there to everybody else.
"""

import json
import logging
import os
import uuid
from pathlib import Path
from typing import Any

from upath import UPath

from vidrec_tasks.errors import StoreError

log = logging.getLogger(__name__)


class Place:
    """A folder (local, or an fsspec URL) with atomic writes.

    Args:
        url: a local folder, or a URL that fsspec understands.
        is_read_only: for readers; the place is neither made nor tried by writing.

    Raises:
        StoreError: the place cannot be made or written to.
    """

    def __init__(self, url: str, *, is_read_only: bool = False) -> None:
        self.url = url
        self.root = UPath(url)
        if self.root.protocol in ("", "file"):
            self.root = UPath(Path(str(self.root.path)).absolute())
        if not is_read_only:
            self._prove_writable()

    def __repr__(self) -> str:
        """The place as it is written in settings."""
        return f"Place({self.url!r})"

    def path(self, *parts: str) -> UPath:
        """The path of a name in the store; parts may not climb out of it.

        Raises:
            StoreError: a part is empty, absolute or climbs.
        """
        for part in parts:
            pieces = part.split("/")
            if not part or part.startswith("/") or "\\" in part or ".." in pieces or "\0" in part:
                message = f"store: {part!r} is not a name inside the store"
                raise StoreError(message)
        return self.root.joinpath(*parts)

    def local(self, path: UPath) -> Path:
        """A path that native code can open.

        Raises:
            StoreError: the store is remote.
        """
        if path.protocol not in ("", "file"):
            message = f"store: {path} is remote; native code needs a local store so far"
            raise StoreError(message)
        return Path(str(path))

    def write(self, path: UPath, data: bytes) -> None:
        """Write bytes beside, then rename: readers see the old file or the new one.

        Raises:
            StoreError: the file cannot be written (disk full, no right).
        """
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            _forget(beside)
            message = f"store: cannot write {path} ({error}); check free space and rights"
            raise StoreError(message) from error

    def read(self, path: UPath) -> bytes:
        """The bytes of a file.

        Raises:
            StoreError: the file is missing or unreadable.
        """
        try:
            return bytes(path.read_bytes())
        except OSError as error:
            message = f"store: cannot read {path} ({error})"
            raise StoreError(message) from error

    def write_json(self, path: UPath, value: Any) -> None:
        """Write JSON with sorted keys, so that the same value gives the same bytes."""
        text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
        self.write(path, text.encode())

    def read_json(self, path: UPath) -> Any:
        """Read JSON.

        Raises:
            StoreError: the file is missing or is no JSON.
        """
        try:
            return json.loads(self.read(path))
        except ValueError as error:
            message = f"store: {path} is not JSON ({error})"
            raise StoreError(message) from error

    def _prove_writable(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            message = (
                f"store {self.url}: cannot be written ({error}); "
                "set VIDREC_STORE_URL to a folder that this user may write"
            )
            raise StoreError(message) from error


def _forget(path: UPath) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        log.warning("store: %s was left behind", path)
