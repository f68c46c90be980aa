"""Store: where artefacts are kept, and reading and writing there without half-written files.

A folder of this machine or an object store; `remote` says what is different there.

Only this room builds a path. Leaves the meaning of what lies there to everybody else.
"""

import errno
import io
import json
import logging
import math
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
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

    def scratch(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array in a file of this machine that has no name: gone with the last look at it.

        It lies where `cache` does. Pages that were looked at can be given back.

        Raises:
            StoreError: there is no room for it.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if not size:
            return np.empty(shape, dtype)
        folder = self.local(self.root) if self.is_local else cache_of(self.url)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with tempfile.TemporaryFile(dir=folder) as file:
                if hasattr(os, "posix_fallocate"):  # a full disk would end the process later
                    os.posix_fallocate(file.fileno(), 0, size)
                return np.memmap(file, dtype=dtype, mode="w+", shape=shape)
        except OSError as error:
            message = f"store: no room for {size:,} bytes in {folder} ({error}); free some"
            raise StoreError(message) from error

    def write(self, path: UPath, data: bytes) -> None:
        """Write bytes beside, then rename: readers see the old file or the new one.

        An object store shows an upload when it has ended, so nothing is renamed there.

        Raises:
            StoreError: the file cannot be written (disk full, no right, store out of reach).
        """
        self.pour(path, Poured.of(data))

    def pour(self, path: UPath, made: Poured) -> None:
        """Write bytes as they are made, as `write` does; for an object store they are collected.

        Raises:
            StoreError: as of `write`, or there are more or fewer bytes than ``made`` says.
            Exception: what the making raises; nothing is left of the file then.
        """
        if not self.is_local:
            self._upload(path, made.collect())
            return
        beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                made.pour(file.write)
                if file.tell() != made.size:
                    message = f"store: {path} has {file.tell():,} bytes, {made.size:,} were said"
                    raise StoreError(message)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            _forget(beside)
            message = f"store: cannot write {path} ({error}); check free space and rights"
            raise StoreError(message) from error
        except BaseException:
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

    def json_files(self, folder: UPath) -> list[UPath]:
        """The JSON files of a folder by name, without hidden ones; none where it is not there.

        Raises:
            StoreError: the store cannot be asked: what cannot be listed is not empty.
        """
        if not self.exists(folder):
            return []
        try:
            found = [path for path in folder.iterdir() if path.name.endswith(".json")]
        except self.failures as error:
            message = f"store: cannot list {folder} ({error})"
            raise StoreError(message) from error
        return sorted((path for path in found if path.name[0] != "."), key=lambda path: path.name)

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

    def _upload(self, path: UPath, data: bytes) -> None:
        try:
            path.write_bytes(data)
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


def _forget(path: UPath) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        log.warning("store: %s was left behind", path)
