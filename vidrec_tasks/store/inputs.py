"""Inputs: reads the files of an input table in chunks, losing no row.

Where the files lie is told by `table_files`, what separates fields by `delimited`. Leaves meaning
to `contracts`.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from vidrec_tasks.columns import ROW_NUM
from vidrec_tasks.contracts.rejects import one_line
from vidrec_tasks.contracts.values import is_whole
from vidrec_tasks.errors import InputError
from vidrec_tasks.store import decoding
from vidrec_tasks.store.decoding import AUTO, Decoded, is_marked, too_long, unmarked
from vidrec_tasks.store.delimited import (
    NOT_TEXT,
    Torn,
    read_delimited,
    refuse_twice,
)
from vidrec_tasks.store.parquet import CHUNK_BYTES, open_parquet, read_tables
from vidrec_tasks.store.table_files import TableFile

CHUNK_ROWS: Final = 500_000
CHUNK_CELLS: Final = 20_000_000
"""Rows times columns of a chunk of JSON Lines, whose rows may each have keys of their own."""
MOST_NAMES: Final = 1_000
"""Keys of JSON Lines that become columns; beyond, only those that the table knows."""


@dataclass
class Chunk:
    """Some rows of an input file.

    Attributes:
        rows: values as read, with row_num counted over all files of the table.
        torn: ``(row_num, reason, sample)`` of lines that are no row at all.
        texts: row_num and the whole text of each of these.
        origin: the file's name.
    """

    rows: pd.DataFrame
    origin: str
    torn: list[Torn] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)


def fingerprint(files: Sequence[TableFile]) -> str:
    """Hash (hex) of the names and bytes of files.

    Raises:
        InputError: a file cannot be read; the message names it.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0")
        try:
            with file.path.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
        except OSError as error:
            message = f"{file.name} cannot be read ({error.strerror or error}); check its rights"
            raise InputError(message) from error
    return digest.hexdigest()


_UNREADABLE: Final = (
    OSError, EOFError, pa.ArrowException, csv.Error, ValueError, ArithmeticError, LookupError,
)  # fmt: skip
"""What a file from outside may bring about in what reads it."""


def read_chunks(
    files: Sequence[TableFile],
    *,
    table: str,
    known: Collection[str] = (),
    encoding: str = AUTO,
) -> Iterator[Chunk]:
    """Read files in chunks of at most half a million rows.

    Args:
        files: from `table_files.input_files`.
        table: for messages.
        known: column names by which a separator is told.
        encoding: of text files; see `decoding.Decoded`.

    Raises:
        InputError: a file cannot be read as what its name says; the message names it.
    """
    n_rows = 0
    for file in files:
        try:
            for chunk in _READERS[file.form](file, known, encoding):
                numbers = np.arange(n_rows, n_rows + len(chunk.rows) + len(chunk.torn))
                torn_positions = [position for position, _, _ in chunk.torn]
                chunk.rows = _with_partition(chunk.rows, file)
                chunk.rows[ROW_NUM] = np.delete(numbers, torn_positions)
                chunk.texts = [(int(numbers[n]), row) for n, _, row in chunk.torn]
                chunk.torn = [(int(numbers[n]), why, one_line(row)) for n, why, row in chunk.torn]
                n_rows += len(numbers)
                yield chunk
        except _UNREADABLE as error:
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            message = f"{table}: {file.name} cannot be read ({first_line}); export it again"
            raise InputError(message) from error


def _with_partition(rows: pd.DataFrame, file: TableFile) -> pd.DataFrame:
    """The columns that the folders' names say; a column of the file itself counts more."""
    of_folders = {key: value or None for key, value in file.partition if key not in rows}
    return rows.assign(**of_folders) if of_folders else rows


def _read_parquet(file: TableFile, known: Collection[str], encoding: str) -> Iterator[Chunk]:
    with file.opened() as opened:
        parquet = open_parquet(opened)
        refuse_twice(parquet.schema_arrow.names, file.name)
        if parquet.metadata.num_rows == 0:
            yield Chunk(parquet.schema_arrow.empty_table().to_pandas(), file.name)
        for rows in read_tables(opened, file.name, n_rows=CHUNK_ROWS):
            rows.validate(full=True)  # damaged text passes the reader and fails far from it
            columns = zip(rows.schema.names, rows.columns, strict=True)
            yield Chunk(pd.DataFrame({n: _values_of(c) for n, c in columns}), file.name)


def _values_of(column: Any) -> pd.Series:
    """A column without what pandas would lose: large ids, text that is not declared to be text."""
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return column.cast(pa.string()).to_pandas()
        except pa.ArrowInvalid:  # some is no UTF-8: the contract rejects it row by row
            return pd.Series(column.to_pylist(), dtype=object)
    # with a gap among them pandas makes numbers floats, and 17-digit ids lose their last digits
    if pa.types.is_integer(kind) and column.null_count:
        return pd.Series(column.to_pylist(), dtype=object)
    if pa.types.is_date(kind):  # Python's dates end at the year 9999
        return column.cast(pa.timestamp("s")).to_pandas()
    if pa.types.is_timestamp(kind) and kind.tz:  # pandas knows fewer names of zones than Arrow
        return column.cast(pa.timestamp(kind.unit, "UTC")).to_pandas()
    if pa.types.is_decimal(kind):
        plain = [int(v) if v is not None and is_whole(v) else v for v in column.to_pylist()]
        return pd.Series(plain, dtype=object)
    return column.to_pandas()


def _read_csv(file: TableFile, known: Collection[str], encoding: str) -> Iterator[Chunk]:
    with file.opened() as opened:
        for rows, torn in read_delimited(opened, file.name, known=known, encoding=encoding):
            yield Chunk(rows, file.name, torn)


def _read_jsonl(file: TableFile, known: Collection[str], encoding: str) -> Iterator[Chunk]:
    rows: list[dict[str, Any]] = []
    torn: list[Torn] = []
    names: dict[str, None] = {}  # of all lines up to here: a chunk may hold odd ones alone
    n_chars = 0
    with file.opened() as opened:
        text = Decoded(opened, file.name, encoding=encoding)
        if text.head.lstrip().startswith("["):
            message = f"{file.name} is one JSON list; write one object a line (jq -c '.[]' does it)"
            raise InputError(message)
        for line in _lines_of(text, file.name):
            row, problem = _object_of(line)
            if problem:
                torn.append((len(rows) + len(torn), problem, unmarked(line)))
            else:
                rows.append(row)
                names |= _new_names(row, names, known)
            n_chars += len(line)
            is_large = n_chars >= CHUNK_BYTES or len(rows) * len(names) >= CHUNK_CELLS
            if len(rows) + len(torn) >= CHUNK_ROWS or is_large:
                yield Chunk(pd.DataFrame(rows, columns=[*names], dtype=object), file.name, torn)
                rows, torn, n_chars = [], [], 0
        text.check()
    yield Chunk(pd.DataFrame(rows, columns=[*names], dtype=object), file.name, torn)


def _new_names(
    row: dict[str, Any], names: dict[str, None], known: Collection[str]
) -> dict[str, None]:
    new = [key for key in row if key not in names]
    if new and len(names) + len(new) > MOST_NAMES:
        new = [key for key in new if key.strip().lower() in known]
    return dict.fromkeys(new)


def _lines_of(text: Decoded, name: str) -> Iterator[str]:
    """Lines that are not empty.

    Raises:
        InputError: one is longer than a row of separated text may be.
    """
    begun: list[bytes] = []  # pieces of a line: joined once, or a long one is copied for each
    n_begun = n_before = 0
    while block := text.read(1 << 20):
        first, *others = block.split(b"\n")
        begun.append(first)
        n_begun += len(first)
        if n_begun > decoding.BLOCK_BYTES:
            raise too_long(name, n_before)
        if others:
            *whole, rest = others
            lines = [b"".join(begun), *whole]
            begun, n_begun, n_before = [rest], len(rest), n_before + len(lines)
            yield from (line.decode() for line in lines if line.strip())
    if (last := b"".join(begun)).strip():
        yield last.decode()


def _object_of(line: str) -> tuple[dict[str, Any], str]:
    if is_marked(line):
        return {}, NOT_TEXT
    try:
        row = json.loads(line)
    except ValueError:
        return {}, "line is not JSON"
    except RecursionError:
        return {}, "line is nested too deep"
    return (row, "") if isinstance(row, dict) else ({}, "line is not a JSON object")


_READERS: Final[dict[str, Callable[[TableFile, Collection[str], str], Iterator[Chunk]]]] = {
    "parquet": _read_parquet,
    "csv": _read_csv,
    "jsonl": _read_jsonl,
}
