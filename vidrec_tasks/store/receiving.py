"""Receiving: puts the files of a tar archive into ``inputs/`` of the store.

For a store that its owner cannot reach with a file manager: a volume of containers, or a bucket.
The files then belong to who runs the jobs, which an erasure of users needs.
"""

import os
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, NamedTuple

from vidrec_tasks.errors import InputError, StoreError
from vidrec_tasks.store.store import Store

FOLDER: Final = "inputs"


class Received(NamedTuple):
    """How many files, and how many bytes in them."""

    n_files: int
    n_bytes: int


def receive_inputs(store: Store, archive: BinaryIO) -> Received:
    """Unpack an archive; every file is written beside and renamed, and keeps its time.

    Args:
        store: the store.
        archive: a tar, compressed or not, read once from its beginning; names are those below
            ``inputs/``.

    Raises:
        InputError: it is no archive, holds no file, or a name in it leads elsewhere or is no file.
        StoreError: a file cannot be written; those before it were.
    """
    n_files = n_bytes = 0
    try:
        for name, member, content in _files(archive):
            _write(store, name, member, content)
            n_files += 1
            n_bytes += member.size
    except (tarfile.TarError, EOFError) as error:
        message = (
            f"inputs: this is no whole tar archive ({error}; {n_files} files before that are in "
            "the store); make it with: tar -C FOLDER -c ."
        )
        raise InputError(message) from error
    if not n_files:
        message = "inputs: the archive holds no file; make it with: tar -C FOLDER -c ."
        raise InputError(message)
    return Received(n_files, n_bytes)


def _files(archive: BinaryIO) -> Iterator[tuple[str, tarfile.TarInfo, Any]]:
    """Yield (name below inputs/, what tar knows of it, its content)."""
    with tarfile.open(fileobj=archive, mode="r|*") as opened:
        for member in opened:
            if not member.isdir():
                yield _name_of(member), member, opened.extractfile(member)


def _name_of(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if not member.isreg():
        message = (
            f"inputs: {member.name!r} in the archive is a link or a device; pack the files that "
            "links lead to (tar --dereference --hard-dereference)"
        )
        raise InputError(message)
    if member.issparse():
        message = (
            f"inputs: {member.name!r} in the archive is sparse, and could be far longer than the "
            "archive; pack without --sparse"
        )
        raise InputError(message)
    if path.is_absolute() or ".." in path.parts:
        message = (
            f"inputs: {member.name!r} in the archive lies outside the folder; pack from inside it "
            "(tar -C FOLDER -c .)"
        )
        raise InputError(message)
    return str(path)


def _write(store: Store, name: str, member: tarfile.TarInfo, content: Any) -> None:
    path = store.path(FOLDER, name)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}") if store.is_local else path
    try:
        if store.is_local:
            path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        if store.is_local:  # a media file is known by its time
            os.utime(str(beside), (member.mtime, member.mtime))
            beside.replace(path)
    except store.failures as error:
        message = f"store: cannot write {path} ({error}); check free space and rights"
        raise StoreError(message) from error
    finally:
        if store.is_local:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
