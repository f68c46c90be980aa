"""Store: where artefacts are kept, and reading and writing there without half-written files.

A folder of this machine or an object store; `remote` says what is different there.

Only this room builds a path. Leaves the meaning of what lies there to everybody else.
"""

import io
import json
import logging
import os
import uuid
from pathlib import Path
from typing import Any, BinaryIO

from upath import UPath

from vidrec_tasks.contracts.poured import Poured
from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.remote import LOCAL, cache_of, failures_of, options_of

log = logging.getLogger(__name__)


class Store:
    """A folder (local, or an fsspec URL) with atomic writes.

    Args:
        url: a local folder, or a URL that fsspec understands.
        is_read_only: for readers; the store is neither made nor tried by writing.

    Raises:
        StoreError: the store cannot be made or written to.
    """

    def __init__(self, url: str, *, is_read_only: bool = False) -> None:
        self.url = url
        self.root = _open(url)
        self.is_local = self.root.protocol in LOCAL
        if self.is_local:
            self.root = UPath(Path(str(self.root.path)).absolute())
        self.failures = failures_of(self.root.protocol)
        if not is_read_only:
            self._prove_writable()

    def __repr__(self) -> str:
        """The store as it is written in settings."""
        return f"Store({self.url!r})"

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
        if path.protocol not in LOCAL:
            message = (
                f"store: {path} is remote, and this needs a folder of this machine; "
                "set VIDREC_STORE_URL to one"
            )
            raise StoreError(message)
        return Path(str(path))

    def cache(self, name: str) -> Path:
        """A folder of this machine for what native code opens and can be made again.

        It lies in the store itself where that is local, so that workers on one disk share it.
        """
        return self.local(self.path(name)) if self.is_local else cache_of(self.url) / name

    def write(self, path: UPath, data: bytes) -> None:
        """Write bytes beside, then rename: readers see the old file or the new one.

        An object store shows an upload when it has ended, so nothing is renamed there.

        Raises:
            StoreError: the file cannot be written (disk full, no right, store out of reach).
        """
        self.pour(path, Poured(len(data), lambda write: write(data)))

    def pour(self, path: UPath, poured: Poured) -> None:
        """Write bytes as they are made, as `write` does; an object store gets them at once.

        Raises:
            StoreError: as of `write`, or what was made is of another length than was said.
        """
        if not self.is_local:
            self._upload(path, poured)
            return
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                poured.pour(file.write)
                _check_length(path, file.tell(), poured)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            _forget(beside)
            message = f"store: cannot write {path} ({error}); check free space and rights"
            raise StoreError(message) from error
        except BaseException:  # of what makes the bytes
            _forget(beside)
            raise

    def read(self, path: UPath) -> bytes:
        """The bytes of a file.

        Raises:
            StoreError: the file is missing or unreadable.
        """
        try:
            return bytes(path.read_bytes())
        except self.failures as error:
            message = f"store: cannot read {path} ({error})"
            raise StoreError(message) from error

    def open(self, path: UPath) -> BinaryIO:
        """The bytes of a file as a stream, to be closed; those of a remote file are read at once.

        Raises:
            StoreError: the file is missing or unreadable.
        """
        if not self.is_local:
            return io.BytesIO(self.read(path))
        try:
            return self.local(path).open("rb")
        except OSError as error:
            message = f"store: cannot read {path} ({error})"
            raise StoreError(message) from error

    def exists(self, path: UPath) -> bool:
        """Whether a file is there, asked by its name: no listing is believed.

        Raises:
            StoreError: the store cannot be asked.
        """
        try:
            return bool(path.exists())
        except self.failures as error:
            message = f"store: cannot look for {path} ({error})"
            raise StoreError(message) from error

    def create(self, path: UPath, data: bytes) -> bool:
        """Write a file unless it is there already; returns whether this call made it.

        Raises:
            StoreError: the file cannot be written.
        """
        is_made = False
        try:
            if self.is_local:
                path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                is_made = self.is_local
                file.write(data)
        except FileExistsError:
            return False
        except self.failures as error:
            if is_made:  # a full disk lets a file be made and not written
                _forget(path)
            message = f"store: cannot write {path} ({error}); check free space and rights"
            raise StoreError(message) from error
        return True

    def move(self, path: UPath, to: UPath) -> None:
        """Put a file in the place of another; on an object store by a copy.

        Raises:
            StoreError: it cannot be moved; ``to`` is as it was, or the new one already.
        """
        if self.is_local:
            path.replace(to)
            return
        self.write(to, self.read(path))
        path.unlink(missing_ok=True)

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

    def _upload(self, path: UPath, poured: Poured) -> None:
        made = io.BytesIO()
        poured.pour(made.write)
        _check_length(path, made.tell(), poured)
        try:
            path.write_bytes(made.getvalue())
        except self.failures as error:
            message = f"store: cannot write {path} ({error}); does the object store answer?"
            raise StoreError(message) from error

    def _prove_writable(self) -> None:
        try:
            if self.is_local:
                self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except self.failures as error:
            message = (
                f"store {self.url}: cannot be written ({error}); "
                "set VIDREC_STORE_URL to a folder that this user may write, or to an existing "
                "bucket, "
                "with AWS_ENDPOINT_URL and keys for it"
            )
            raise StoreError(message) from error


def _open(url: str) -> UPath:
    try:
        return UPath(url, **options_of(url))
    except ImportError as error:
        message = f"store {url}: {error}; pip install -r requirements-cluster.txt"
        raise StoreError(message) from error


def _check_length(path: UPath, length: int, poured: Poured) -> None:
    if length != poured.size:
        message = f"store: {path} would have {length:,} bytes, {poured.size:,} were said"
        raise StoreError(message)


def _forget(path: UPath) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        log.warning("store: %s was left behind", path)
