"""Erasing inputs: users leave the files of the input tables; every other byte stays as it is."""

import csv
import io
import json
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from vidrec_tasks.columns import USER_ID
from vidrec_tasks.errors import InputError, StoreError
from vidrec_tasks.store.decoding import AUTO, BLOCK_BYTES, HEAD_BYTES, encoding_of
from vidrec_tasks.store.delimited import SEP_LINE, separator_of
from vidrec_tasks.store.parquet import open_parquet, read_batches
from vidrec_tasks.store.sought import USER_TABLES, Sought, as_id
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import TableFile, all_files

BATCH_ROWS: Final = 100_000


def user_files(store: Store) -> Iterator[tuple[str, TableFile]]:
    """Yield (table, file) of the tables about users, also of one that is there twice."""
    for table in USER_TABLES:
        for file in all_files(store, table):
            yield table, file


def count_in_file(file: TableFile, sought: Sought, encoding: str = AUTO) -> int:
    """Rows of a file about the users.

    Args:
        file: of an input table.
        sought: the users.
        encoding: of text files, as the setting names it.

    Raises:
        StoreError: the file cannot be read.
    """
    return _sift(file, sought, None, encoding)


def erase_from_file(file: TableFile, sought: Sought, encoding: str = AUTO) -> int:
    """Remove rows about the users: written beside, then renamed; arguments as of `count_in_file`.

    Returns:
        Rows removed; without any the file is not touched.

    Raises:
        StoreError: the file cannot be read or written; it is as it was.
    """
    removed = count_in_file(file, sought, encoding)  # first: it names a file that cannot be read
    is_all_about = _is_all_about(file, sought, encoding)
    if not removed and not is_all_about:
        return 0
    try:
        return _erase(file, sought, encoding, is_all_about=is_all_about) or removed
    except OSError as error:
        message = (
            f"inputs: {file.name} cannot be written without the users "
            f"({error.strerror or error}); it is as it was; check rights and free space of its "
            "folder, then forget the users again"
        )
        raise StoreError(message) from error


def _erase(file: TableFile, sought: Sought, encoding: str, *, is_all_about: bool) -> int:
    path = file.path
    if is_all_about:  # its folder's name is the user's id
        path.unlink()
        _remove_empty(path.parent)
        return 0
    if hasattr(path, "is_symlink") and path.is_symlink():
        path = path.resolve()  # the rows lie there, not in the link
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("wb") as into:
            with _compressed(into, file.compression) as compressed:
                removed = _sift(file, sought, compressed, encoding)
            into.flush()
            os.fsync(into.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return removed


def _remove_empty(folder: Any) -> None:
    """Remove the folders of a partition that holds nothing but what Spark leaves beside."""
    while "=" in folder.name and all(path.name[0] in "._" for path in folder.iterdir()):
        for path in list(folder.iterdir()):
            path.unlink()
        folder.rmdir()
        folder = folder.parent


@contextmanager
def _compressed(into: Any, compression: str) -> Iterator[Any]:
    if not compression:
        yield into
        return
    kept_open = _KeptOpen(into)  # the stream closes what it writes to, before it is synchronised
    with pa.CompressedOutputStream(pa.PythonFile(kept_open, mode="w"), compression) as compressed:
        yield compressed


class _KeptOpen:
    closed = False

    def __init__(self, file: Any) -> None:
        self.write, self.flush = file.write, file.flush

    def close(self) -> None:
        """Nothing: the file is closed by who opened it."""


def _is_all_about(file: TableFile, sought: Sought, encoding: str) -> bool:
    """Whether the folder says the user, and no column of the file itself, which counts more."""
    if as_id(dict(file.partition).get(USER_ID)) not in sought.ids:
        return False
    return not _names_users(file, encoding)


def _names_users(file: TableFile, encoding: str) -> bool:
    with file.opened() as opened:
        if file.form == "parquet":
            return _position_of(open_parquet(opened).schema_arrow.names) is not None
        lines = _Lines(opened, encoding)
        if file.form == "jsonl":
            return f'"{USER_ID}"' in next(lines, "")
        return _header_of(lines)[1] is not None


def _sift(file: TableFile, sought: Sought, into: Any, encoding: str) -> int:
    """Copy what is not about the users into a file, if there is one; returns the other rows."""
    try:
        is_all_about = _is_all_about(file, sought, encoding)
        with file.opened() as opened, _long_fields():
            if is_all_about:
                return _n_rows(opened, file.form)
            return _SIFTERS[file.form](opened, sought, into, encoding)
    except InputError as error:  # a row is too large: its size is told, nothing is quoted
        message = f"inputs: {file.name} cannot be searched for users: {error}"
        raise StoreError(message) from error
    except (OSError, EOFError, csv.Error, pa.ArrowInvalid, UnicodeError) as error:
        message = (
            f"inputs: {file.name} cannot be searched for users ({type(error).__name__}); "
            "export it again, then forget the users again"
        )
        raise StoreError(message) from None  # what was read may be quoted in the error


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let a field be as long as the night reads one; Python's own limit is 131,072 characters."""
    before = csv.field_size_limit(BLOCK_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _n_rows(file: Any, form: str) -> int:
    if form == "parquet":
        return int(open_parquet(file).metadata.num_rows)
    return sum(1 for _ in _Lines(file)) - (form == "csv")


def _header_of(lines: "_Lines") -> tuple[Any, int | None, int]:
    """A reader after the header, the position of the user's id, and how many fields it has."""
    first = next(lines, "")
    if SEP_LINE.match(first.removeprefix("\ufeff")):
        first = next(lines, "")
    separator = separator_of(first.removeprefix("\ufeff").strip("\r\n"), (USER_ID,))
    lines.put_back(first)
    reader = csv.reader(lines, delimiter=separator)
    header = [name.removeprefix("\ufeff") for name in next(reader, [])]
    return reader, _position_of(header), len(header)


def _position_of(names: Sequence[str]) -> int | None:
    """Where the user's id stands, however its name is written."""
    plain = [name.strip().lower() for name in names]
    return plain.index(USER_ID) if USER_ID in plain else None


def _sift_csv(file: Any, sought: Sought, into: Any, encoding: str) -> int:
    lines = _Lines(file, encoding)
    reader, position, n_fields = _header_of(lines)
    _keep(into, lines.take())
    n_removed = 0
    for fields in reader:
        raw = lines.take()
        is_torn = position is None or len(fields) != n_fields
        has_position = position is not None and position < len(fields)
        if (has_position and sought.in_fields(fields, position)) or (
            is_torn and sought.in_fields(fields, None)
        ):
            n_removed += 1
        else:
            _keep(into, raw)
    return n_removed


def _sift_jsonl(file: Any, sought: Sought, into: Any, encoding: str) -> int:
    n_removed = 0
    lines = _Lines(file, encoding)
    for line in lines:
        raw = lines.take()
        if _is_about(line, sought):
            n_removed += 1
        else:
            _keep(into, raw)
    return n_removed


def _is_about(line: str, sought: Sought) -> bool:
    text = line.removeprefix("\ufeff")
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return sought.in_text(text) or sought.in_record(text)
    if not isinstance(row, dict):
        return False
    ids = [value for name, value in row.items() if name.strip().lower() == USER_ID]
    return any(as_id(value) in sought.ids for value in ids)


def _sift_parquet(file: Any, sought: Sought, into: Any, encoding: str) -> int:
    parquet = open_parquet(file)
    position = _position_of(parquet.schema_arrow.names)
    if position is None:
        return 0
    n_removed = 0
    schema = parquet.schema_arrow
    with pq.ParquetWriter(into or pa.BufferOutputStream(), schema, compression="zstd") as writer:
        for batch in read_batches(parquet, file, "its table", n_rows=BATCH_ROWS):
            keep = [as_id(value) not in sought.ids for value in batch[position].to_pylist()]
            n_removed += len(keep) - sum(keep)
            if into is not None:
                writer.write_batch(batch.filter(pa.array(keep, pa.bool_())))
    return n_removed


class _Lines:
    """Lines of a text file as they stand, in any encoding and with any line end.

    Remembers the bytes that a record was made of; bytes that are no text go through it unchanged.
    """

    def __init__(self, file: Any, encoding: str = AUTO) -> None:
        head = file.read(HEAD_BYTES)
        told, n_bom = encoding_of(head)
        self._encoding = told if n_bom or encoding == AUTO else encoding
        raw: Any = io.BufferedReader(_Again(head, file))
        self._file = io.TextIOWrapper(raw, self._encoding, errors="surrogateescape", newline="")
        self._taken: list[str] = []
        self._back: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else next(self._file)
        self._taken.append(line)
        return line

    def put_back(self, line: str) -> None:
        """Let the line that was read last be the next one."""
        self._taken.pop()
        self._back.append(line)

    def take(self) -> bytes:
        """The bytes of the record that was read last."""
        taken, self._taken = "".join(self._taken), []
        return taken.encode(self._encoding, "surrogateescape")


class _Again(io.RawIOBase):
    """A file whose beginning was read, from its beginning."""

    def __init__(self, head: bytes, file: Any) -> None:
        self._head, self._rest = head, file

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; 0 at the end."""
        part = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _keep(into: Any, data: bytes) -> None:
    if into is not None:
        into.write(data)


_SIFTERS: Final[dict[str, Callable[[Any, Sought, Any, str], int]]] = {
    "csv": _sift_csv,
    "jsonl": _sift_jsonl,
    "parquet": _sift_parquet,
}
