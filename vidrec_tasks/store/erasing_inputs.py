"""Erasing inputs: users leave the files of the input tables; every other byte stays as it is."""

import csv
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from vidrec_tasks.columns import USER_ID
from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.inputs import EXTENSIONS
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.sought import USER_TABLES, Sought, as_id

BATCH_ROWS: Final = 100_000


def user_files(place: Place) -> Iterator[tuple[str, Any]]:
    """Yield (table, file) of the tables about users, also of one that is there twice."""
    folder = place.path("inputs")
    for table in USER_TABLES:
        many = folder / table
        inside = sorted(many.iterdir(), key=lambda p: p.name) if many.exists() else []
        single = [folder / f"{table}.{extension}" for extension in EXTENSIONS]
        for path in [*single, *inside]:
            if path.suffix.lstrip(".") in EXTENSIONS and path.exists():
                yield table, path


def count_in_file(path: Any, sought: Sought) -> int:
    """Rows of a file about the users.

    Raises:
        StoreError: the file cannot be read.
    """
    return _sift(path, sought, None)


def erase_from_file(path: Any, sought: Sought) -> int:
    """Remove rows about the users: written beside, then renamed.

    Returns:
        Rows removed; without any the file is not touched.

    Raises:
        StoreError: the file cannot be read or written; it is as it was.
    """
    if not count_in_file(path, sought):
        return 0
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("wb") as file:
            removed = _sift(path, sought, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return removed


def _sift(path: Any, sought: Sought, into: Any) -> int:
    """Copy what is not about the users into a file, if there is one; returns the other rows."""
    try:
        with path.open("rb") as file:
            return _SIFTERS[path.suffix](file, sought, into)
    except (OSError, csv.Error, pa.ArrowInvalid) as error:
        message = (
            f"inputs: {path.name} cannot be searched for users ({type(error).__name__}); "
            "export it again, then forget the users again"
        )
        raise StoreError(message) from None  # what was read may be quoted in the error


def _sift_csv(file: Any, sought: Sought, into: Any) -> int:
    lines = _Lines(file)
    reader = csv.reader(lines)
    header = [name.removeprefix("\ufeff").strip() for name in next(reader, [])]
    _keep(into, lines.take())
    place = header.index(USER_ID) if USER_ID in header else None
    n_removed = 0
    for fields in reader:
        raw = lines.take()
        is_torn = place is None or len(fields) != len(header)
        asked = fields if is_torn or place is None else [fields[place]]
        if any(as_id(field) in sought.ids for field in asked):
            n_removed += 1
        else:
            _keep(into, raw)
    return n_removed


def _sift_jsonl(file: Any, sought: Sought, into: Any) -> int:
    n_removed = 0
    for line in file:
        if _is_about(line, sought):
            n_removed += 1
        else:
            _keep(into, line)
    return n_removed


def _is_about(line: bytes, sought: Sought) -> bool:
    text = line.decode("utf-8", "replace")
    try:
        row = json.loads(text)
    except ValueError:
        return sought.in_text(text)
    return isinstance(row, dict) and as_id(row.get(USER_ID)) in sought.ids


def _sift_parquet(file: Any, sought: Sought, into: Any) -> int:
    parquet = pq.ParquetFile(file)
    if USER_ID not in parquet.schema_arrow.names:
        return 0
    n_removed = 0
    schema = parquet.schema_arrow
    with pq.ParquetWriter(into or pa.BufferOutputStream(), schema, compression="zstd") as writer:
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            keep = [as_id(value) not in sought.ids for value in batch[USER_ID].to_pylist()]
            n_removed += len(keep) - sum(keep)
            if into is not None:
                writer.write_batch(batch.filter(pa.array(keep, pa.bool_())))
    return n_removed


class _Lines:
    """Lines for a CSV reader, which remembers the bytes that a record was made of."""

    def __init__(self, file: Iterable[bytes]) -> None:
        self._file = iter(file)
        self._taken: list[bytes] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self._taken.append(line)
        return line.decode("utf-8", "replace")

    def take(self) -> bytes:
        """The bytes of the record that was read last."""
        taken, self._taken = b"".join(self._taken), []
        return taken


def _keep(into: Any, data: bytes) -> None:
    if into is not None:
        into.write(data)


_SIFTERS: Final[dict[str, Callable[[Any, Sought, Any], int]]] = {
    ".csv": _sift_csv,
    ".jsonl": _sift_jsonl,
    ".parquet": _sift_parquet,
}
