"""Table files: where the files of an input table lie, and what their names say.

A table is ``inputs/<table>.<ext>``, or a folder ``inputs/<table>/`` of such files, in folders of
their own or not, read in the order of their names; a folder ``key=value`` is a column. What is
there and cannot be read is refused by name. Leaves what is in a file to `inputs`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa

from vidrec_tasks.errors import InputError
from vidrec_tasks.store.store import Store

FORMS: Final = {
    "parquet": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
}
"""Ending -> how its files are read."""
COMPRESSIONS: Final = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}
"""Ending -> how text files are compressed."""
READ: Final = ".parquet, .csv, .tsv or .jsonl (the last three also .gz, .zst, .bz2)"
NOTHING: Final = "__HIVE_DEFAULT_PARTITION__"
"""How Hive writes a missing value in a folder's name."""


@dataclass(frozen=True)
class TableFile:
    """One file of a table.

    Attributes:
        path: where it is.
        name: its path below ``inputs``, for messages and order.
        form: ``parquet``, ``csv`` or ``jsonl``.
        compression: as pyarrow names it; '' for none.
        partition: column -> value, from the folders ``key=value`` that it lies in.
    """

    path: Any
    name: str
    form: str
    compression: str
    partition: tuple[tuple[str, str], ...] = ()

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file's bytes, decompressed; they are read from the beginning to the end."""
        with self.path.open("rb") as file:
            if not self.compression:
                yield file
                return
            with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), self.compression) as read:
                yield read


def as_table_file(path: Any, *, name: str = "") -> TableFile | None:
    """What a path's ending says; None where it is none that is read."""
    parts = path.name.lower().split(".")
    compression = COMPRESSIONS.get(parts[-1], "") if len(parts) > 2 else ""
    form = FORMS.get(parts[-2 if compression else -1], "") if len(parts) > 1 else ""
    if not form or (compression and form == "parquet"):
        return None
    return TableFile(path, name or path.name, form, compression)


def input_files(store: Store, table: str) -> list[TableFile]:
    """The files of a table, in reading order; none if there is no such table.

    Raises:
        InputError: the table is there twice, or a file of it is of a kind that is not read.
    """
    single, inside, others = _look(store, table)
    folders = dict.fromkeys(f"{file.name.split('/')[0]}/" for file in inside)
    if len(single) + len(folders) > 1:
        names = [*(file.name for file in single), *folders]
        message = f"{table}: is there {len(names)} times ({', '.join(names)}); keep one"
        raise InputError(message)
    if others:
        message = (
            f"{table}: {len(others)} of {len(others) + len(single) + len(inside)} files are of a "
            f"kind that is not read (first: {others[0]}); name it {table} and write {READ}, or "
            "move them away"
        )
        raise InputError(message)
    return single or inside


def all_files(store: Store, table: str) -> list[TableFile]:
    """Every file of a table that can be read, also where it is there twice."""
    single, inside, _ = _look(store, table)
    return [*single, *inside]


def _look(store: Store, table: str) -> tuple[list[TableFile], list[TableFile], list[str]]:
    """The files beside each other, those in the table's folder, and the names of all others."""
    folder = store.path("inputs")
    single: list[TableFile] = []
    inside: list[TableFile] = []
    others: list[str] = []
    for path in sorted(folder.iterdir(), key=lambda p: p.name) if folder.exists() else ():
        stem = path.name.split(".")[0]
        if stem.casefold() != table:
            continue
        if stem != table:  # Users.csv: a table that is nearly there may forbid something
            others.append(path.name)
            continue
        if path.is_dir():  # users/, or users.parquet/ as Spark calls its folders
            _walk(path, path.name, (), inside, others)
            continue
        file = as_table_file(path)
        if file is None:
            others.append(path.name)
        else:
            single.append(file)
    return single, inside, others


def _walk(
    folder: Any,
    name: str,
    partition: tuple[tuple[str, str], ...],
    found: list[TableFile],
    others: list[str],
) -> None:
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name[0] in "._":  # hidden, or what Spark and Hive leave beside: _SUCCESS, .crc
            continue
        inner = f"{name}/{path.name}"
        if path.is_dir():
            _walk(path, inner, (*partition, *_column_of(path.name)), found, others)
            continue
        file = as_table_file(path, name=inner)
        if file is None:
            others.append(inner)
        else:
            found.append(TableFile(file.path, inner, file.form, file.compression, partition))


def _column_of(name: str) -> tuple[tuple[str, str], ...]:
    key, is_column, value = name.partition("=")
    if not is_column:
        return ()
    return ((key, "" if value == NOTHING else unquote(value)),)
