"""Inputs: finds the files of an input table and reads them in chunks, losing no row.

A table is ``inputs/<table>.<ext>`` or a folder ``inputs/<table>/`` of such files, read in the
order of their names; ``ext`` is parquet, csv or jsonl. Leaves meaning to `contracts`.
"""

import codecs
import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from vidrec_tasks.columns import ROW_NUM
from vidrec_tasks.contracts.rejects import one_line
from vidrec_tasks.errors import InputError
from vidrec_tasks.store.place import Place

EXTENSIONS: Final = ("parquet", "csv", "jsonl")
CHUNK_ROWS: Final = 500_000
BLOCK_BYTES: Final = 32 << 20
"""Bytes of a CSV file that are read at once, some 500,000 interactions."""


@dataclass
class Chunk:
    """Some rows of an input file.

    Attributes:
        rows: values as read, with row_num counted over all files of the table.
        torn: ``(row_num, reason, sample)`` of lines that are no row at all.
        origin: the file's name.
    """

    rows: pd.DataFrame
    origin: str
    torn: list[tuple[int, str, str]] = field(default_factory=list)


def input_files(place: Place, table: str) -> list[Any]:
    """The files of a table, in reading order; none if there is no such table.

    Raises:
        InputError: the table is there twice.
    """
    folder = place.path("inputs")
    single = [folder / f"{table}.{extension}" for extension in EXTENSIONS]
    found = [path for path in single if path.exists()]
    many = folder / table
    inside: list[Any] = []
    if many.exists():
        inside = [path for path in many.iterdir() if path.suffix.lstrip(".") in EXTENSIONS]
        inside = sorted((path for path in inside if path.name[0] != "."), key=lambda p: p.name)
    if len(found) + bool(inside) > 1:
        names = [path.name for path in found] + ([f"{table}/"] if inside else [])
        message = f"{table}: is there {len(names)} times ({', '.join(names)}); keep one"
        raise InputError(message)
    return found or inside


def fingerprint(paths: list[Any]) -> str:
    """Hash (hex) of the names and bytes of files."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_chunks(paths: list[Any], *, table: str) -> Iterator[Chunk]:
    """Read files in chunks of at most half a million rows.

    Raises:
        InputError: a file cannot be read as what its name says; the message names it.
    """
    n_rows = 0
    for path in paths:
        try:
            for chunk in _READERS[path.suffix](path):
                numbers = np.arange(n_rows, n_rows + len(chunk.rows) + len(chunk.torn))
                torn_places = [place for place, _, _ in chunk.torn]
                chunk.rows[ROW_NUM] = np.delete(numbers, torn_places)
                chunk.torn = [(int(numbers[n]), why, one_line(row)) for n, why, row in chunk.torn]
                n_rows += len(numbers)
                yield chunk
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            first_line = str(error).splitlines()[0]
            message = f"{table}: {path.name} cannot be read ({first_line}); export it again"
            raise InputError(message) from error


def _read_parquet(path: Any) -> Iterator[Chunk]:
    with path.open("rb") as file:
        parquet = pq.ParquetFile(file)
        if parquet.metadata.num_rows == 0:
            yield Chunk(parquet.schema_arrow.empty_table().to_pandas(), path.name)
        for batch in parquet.iter_batches(batch_size=CHUNK_ROWS):
            batch.validate(full=True)  # damaged text passes the reader and fails far from it
            yield Chunk(batch.to_pandas(), path.name)


def _read_csv(path: Any) -> Iterator[Chunk]:
    """CSV as text; a line with too many or too few fields is torn, not lost."""
    torn: list[tuple[int, str, str]] = []

    def keep(row: Any) -> str:
        why = f"line has {row.actual_columns} fields, not {row.expected_columns}"
        # Line numbers count the header from 1; places count rows from 0.
        torn.append(((row.number or 0) - 2, why, row.text or ""))
        return "skip"

    with path.open("rb") as file:
        header = _header(path, file)
        file.seek(0)
        reader = pa_csv.open_csv(
            pa.PythonFile(_Utf8(file), mode="r"),
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
                quoted_strings_can_be_null=True,
            ),
        )
        first, is_read = 0, False
        for batch in reader:
            mine = _torn_within(torn, first, len(batch))
            del torn[: len(mine)]
            places = [(place - first, why, text) for place, why, text in mine]
            yield Chunk(_texts_of(batch), path.name, places)
            first, is_read = first + len(batch) + len(mine), True
        if torn or not is_read:
            rows = _texts_of(reader.schema.empty_table())
            yield Chunk(rows, path.name, [(place - first, why, text) for place, why, text in torn])


def _torn_within(
    torn: list[tuple[int, str, str]], first: int, n_rows: int
) -> list[tuple[int, str, str]]:
    """The torn lines before the last of some rows; the reader may be a block ahead of them."""
    n = 0
    while n < len(torn) and torn[n][0] < first + n_rows + n:
        n += 1
    return torn[:n]


def _texts_of(table: Any) -> pd.DataFrame:
    columns = zip(table.schema.names, table.columns, strict=True)
    return pd.DataFrame({name: column.to_pandas() for name, column in columns})


class _Utf8:
    """A file whose bytes that are no UTF-8 read as replacement characters.

    The CSV reader hands a torn line over as text, and loses one that it cannot decode.
    """

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = b""
        self._is_over = False

    def read(self, n: int = -1) -> bytes:
        """At most ``n`` bytes, all that are left by default; empty at the end."""
        while not self._is_over and (n < 0 or len(self._waiting) < n):
            raw = self._file.read(BLOCK_BYTES)
            self._is_over = not raw
            self._waiting += self._decoder.decode(raw, final=self._is_over).encode()
        end = len(self._waiting) if n < 0 else n
        taken, self._waiting = self._waiting[:end], self._waiting[end:]
        return taken

    def close(self) -> None:
        """Nothing: the file is closed by who opened it."""


def _header(path: Any, file: Any) -> list[str]:
    first = file.readline().decode("utf-8-sig", errors="replace").rstrip("\r\n")
    if not first:
        message = f"{path.name} is empty: not even a header; export it again"
        raise InputError(message)
    return next(csv.reader([first]))


def _read_jsonl(path: Any) -> Iterator[Chunk]:
    rows: list[dict[str, Any]] = []
    torn: list[tuple[int, str, str]] = []
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                problem = "" if isinstance(row, dict) else "line is no JSON object"
            except ValueError:
                row, problem = None, "line is no JSON"
            if problem:
                text = line.decode("utf-8", "replace").strip()
                torn.append((len(rows) + len(torn), problem, text))
            else:
                rows.append(row)
            if len(rows) + len(torn) >= CHUNK_ROWS:
                yield Chunk(pd.DataFrame(rows, dtype=object), path.name, torn)
                rows, torn = [], []
    if rows or torn:
        yield Chunk(pd.DataFrame(rows, dtype=object), path.name, torn)


_READERS: Final = {".parquet": _read_parquet, ".csv": _read_csv, ".jsonl": _read_jsonl}
