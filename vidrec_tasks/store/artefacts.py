"""Artefacts: immutable folders of files, addressed by the hash of what made them.

An artefact is there when its ``_artefact.json`` is there: the files come first, that one last.
"""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import numpy as np
import pandas as pd

from vidrec_tasks.contracts.poured import Poured, Write
from vidrec_tasks.errors import MissingPart, StoreError
from vidrec_tasks.store.codecs import SUFFIXES, Part, decode, decode_rows, encode, to_poured
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

COMMIT = "_artefact.json"
MAPPED_BYTES: Final = 64 * 2**20
"""Size of an array's file from which it is mapped, not read: what is not looked at is not held, and
no second copy is while it is read. Pages that are written to are the reader's own."""


@dataclass(frozen=True)
class Ref:
    """What a receipt says of an artefact.

    Attributes:
        name: its name in a run, with its shard (``profiles.3``).
        key: 20 hex digits of the hash of what made it: its address.
        checksum: 20 hex digits of the hash of its bytes.
        rows: rows of its first table.
        bytes: bytes of its files.
    """

    name: str
    key: str
    checksum: str
    rows: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)


def key_of(made_of: Mapping[str, Any]) -> str:
    """The address of what is made of these names, hashes and settings."""
    return hashlib.sha256(encode(dict(made_of))[1]).hexdigest()[:20]


def kind_of(name: str) -> str:
    """``profiles.3`` is of kind ``profiles``."""
    return name.split(".", 1)[0]


class Artefacts:
    """Reads and writes artefacts in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def find(self, name: str, key: str) -> Ref | None:
        """The artefact at an address, if it was committed."""
        path = self.folder(name, key) / COMMIT
        if not self.store.exists(path):
            return None
        commit = self.store.read_json(path)
        return Ref(name, key, commit["checksum"], commit["rows"], commit["bytes"])

    def write(self, name: str, key: str, parts: Mapping[str, Part]) -> Ref:
        """Write parts and commit them, one encoded after the other.

        Bytes that are there already are kept: an artefact never changes. Other bytes at the same
        address mean that the work is not repeatable; the first ones are kept and a warning says so.

        Raises:
            StoreError: a file cannot be written.
        """
        folder = self.folder(name, key)
        there = None
        tally = Tally()
        for part, value in sorted(parts.items()):
            there = there or self.find(name, key)
            path, made = tally.counted(part, value)
            if there is None:
                self.store.pour(folder / path, made)
            else:
                made.pour(_nowhere)
        there = there or self.find(name, key)
        commit = tally.commit(parts)
        if there is not None:
            if there.checksum != commit["checksum"]:
                log.warning(
                    "%s %s: made again with different bytes; the first ones are kept", name, key
                )
            return there
        self.store.write_json(folder / COMMIT, commit)
        return Ref(name, key, commit["checksum"], commit["rows"], commit["bytes"])

    def read(self, ref: Ref, part: str) -> object:
        """One part of an artefact, of whatever kind; `contracts.parts` tells which.

        Raises:
            StoreError: the artefact is gone.
            MissingPart: it has no such part.
        """
        suffix, path = self._file(ref, part)
        if suffix == SUFFIXES["array"] and self.store.is_local:
            local = self.store.local(path)
            if local.exists() and local.stat().st_size > MAPPED_BYTES:
                return np.load(local, mmap_mode="c", allow_pickle=False)
        return decode(suffix, self.store.read(path))

    def open(self, ref: Ref, part: str) -> BinaryIO:
        """The bytes of a part, to be read a piece at a time and closed.

        Raises:
            StoreError: the artefact or the part is gone.
        """
        return self.store.open(self._file(ref, part)[1])

    def read_json(self, ref: Ref, part: str) -> dict[str, object]:
        """A part that is JSON, of an artefact that is not declared because no job reads it.

        Raises:
            StoreError: the artefact or the part is gone, or the part is something else.
        """
        value = self.read(ref, part)
        if not isinstance(value, dict):
            message = f"store: {ref.name} has in {part!r} no JSON but {type(value).__name__}"
            raise StoreError(message)
        return value

    def read_rows(
        self,
        ref: Ref,
        part: str,
        *,
        column: str | None = None,
        values: Collection[str] = (),
        columns: Sequence[str] | None = None,
        as_text: bool = False,
    ) -> pd.DataFrame:
        """The rows of a frame whose column holds one of the values: a user's, out of a shard's.

        Args: as of `codecs.decode_rows`.

        Raises:
            StoreError: the artefact or the part is gone.
        """
        data = self._encoded(ref, part)[1]
        return decode_rows(data, column, values, columns, as_text=as_text)

    def _encoded(self, ref: Ref, part: str) -> tuple[str, bytes]:
        """The suffix and the bytes of a part."""
        suffix, path = self._file(ref, part)
        return suffix, self.store.read(path)

    def _file(self, ref: Ref, part: str) -> tuple[str, Any]:
        """The suffix of a part, and where its file lies."""
        folder = self.folder(ref.name, ref.key)
        files = self.store.read_json(folder / COMMIT)["files"]
        if part not in files:
            message = f"store: {ref.name} has no part {part!r} (it has {', '.join(files)})"
            raise MissingPart(message)
        return files[part], folder / f"{part}.{files[part]}"

    def folder(self, name: str, key: str) -> Any:
        """Where an artefact lies."""
        kind, _, part = name.partition(".")
        # shards have keys of their own; two parts of one job (models.serving) share theirs
        return self.store.path("artefacts", kind if part.isdigit() else name, key)


class Tally:
    """What is kept of an artefact beside its parts, counted as they are written, by name."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._files: dict[str, str] = {}
        self._size = 0

    def counted(self, part: str, value: Part) -> tuple[str, Poured]:
        """The next part as (name of its file, its bytes), which are counted as they are poured.

        They are to be poured, once, before the next part.
        """
        suffix, made = to_poured(value)
        self._files[part] = suffix
        self._size += made.size
        self._hash.update(f"{part}.{suffix}:{made.size}:".encode())

        def pour(write: Write) -> None:
            def both(data: bytes | memoryview) -> None:
                self._hash.update(data)
                write(data)

            made.pour(both)

        return f"{part}.{suffix}", Poured(made.size, pour)

    def commit(self, parts: Mapping[str, Part]) -> dict[str, Any]:
        """The checksum (20 hex digits), rows of the first table, bytes and files of all parts."""
        return {
            "checksum": self._hash.hexdigest()[:20],
            "rows": next((len(v) for v in parts.values() if isinstance(v, pd.DataFrame)), 0),
            "bytes": self._size,
            "files": dict(self._files),
        }


def _nowhere(_: bytes | memoryview) -> None:
    """Write nothing."""
