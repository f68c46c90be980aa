"""Staging: the input tables of an import, written beside and put in place together.

What an earlier import wrote may be replaced; what somebody else put there is never touched.
"""

import hashlib
import json
import logging
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vidrec_tasks import columns as c
from vidrec_tasks.errors import InputError, StoreError

log = logging.getLogger(__name__)

MARK: Final = ".import.json"
"""Beside the tables: which of them an import wrote, with the hash of their bytes."""

_TEXT = pa.string()
_LIST = pa.list_(pa.string())
SCHEMAS: Final = {
    "videos": pa.schema(
        {
            c.VIDEO_ID: _TEXT,
            c.TITLE: _TEXT,
            c.DESCRIPTION: _TEXT,
            c.TAGS: _LIST,
            c.CATEGORIES: _LIST,
            c.CREATOR_ID: _TEXT,
            c.LANGUAGE: _TEXT,
            c.DURATION_S: _TEXT,
            c.PUBLISHED_AT: _TEXT,
            c.EXPIRES_AT: _TEXT,
            c.STATUS: _TEXT,
            c.AGE_RATING: _TEXT,
            c.REGIONS: _TEXT,
            c.URI: _TEXT,
            c.UPDATED_AT: _TEXT,
        }
    ),
    "interactions": pa.schema(
        {
            c.USER_ID: _TEXT,
            c.VIDEO_ID: _TEXT,
            c.EVENT_AT: _TEXT,
            c.EVENT_TYPE: _TEXT,
            c.WATCHED_S: _TEXT,
            c.VALUE: _TEXT,
            c.SURFACE: _TEXT,
        }
    ),
    "users": pa.schema(
        {
            c.USER_ID: _TEXT,
            c.REGION: _TEXT,
            c.LANGUAGE: _TEXT,
            c.MAX_AGE_RATING: _TEXT,
            c.OPTED_OUT: _TEXT,
        }
    ),
}
"""The columns an import fills; absent ones are empty. Text, because the contracts parse it."""


class Staging:
    """Collects rows of the input tables, and puts all of them in place or none.

    Args:
        into: the folder of the input tables.

    Raises:
        InputError: a table is there that no import wrote, or that was changed since.
    """

    def __init__(self, into: Path) -> None:
        self.into = into
        self.counts: dict[str, int] = {}
        self._token = uuid.uuid4().hex
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._earlier = _refuse_foreign(into)

    def __enter__(self) -> "Staging":
        """Stage; leave with an error and nothing has changed."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close what is open and remove what was not put in place."""
        for writer in self._writers.values():
            writer.close()
        for table in SCHEMAS:
            self._beside(table).unlink(missing_ok=True)

    def add(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows to a table; columns it does not know are an error in the caller.

        Raises:
            StoreError: the disk is full or may not be written.
        """
        schema = SCHEMAS[table]
        columns = {name: _as_array(rows, name, schema.field(name).type) for name in schema.names}
        try:
            if table not in self._writers:
                self.into.mkdir(parents=True, exist_ok=True)
                path = self._beside(table)
                self._writers[table] = pq.ParquetWriter(path, schema, compression="zstd")
            self._writers[table].write_table(pa.table(columns, schema=schema))
        except OSError as error:
            message = f"inputs: cannot write {table} ({error}); check free space and rights"
            raise StoreError(message) from error
        self.counts[table] = self.counts.get(table, 0) + len(rows)

    def put_in_place(self, preset: str, source: Path) -> None:
        """Let the staged tables be the inputs, instead of those of an earlier import."""
        for writer in self._writers.values():
            writer.close()
        new = {f"{table}.parquet": _hash(self._beside(table)) for table in sorted(self._writers)}
        # The mark first, with old and new hashes: a crash between two renames can be repeated.
        both = {name: [*self._earlier.get(name, []), digest] for name, digest in new.items()}
        self._write_mark(preset, source, {**self._earlier, **both})
        for table in self._writers:
            self._beside(table).replace(self.into / f"{table}.parquet")
        for name in sorted(set(self._earlier) - set(new)):
            (self.into / name).unlink(missing_ok=True)
            log.info("inputs: %s of an earlier import was removed, %s has none", name, preset)
        self._write_mark(preset, source, {name: [digest] for name, digest in new.items()})
        self._writers = {}

    def _write_mark(self, preset: str, source: Path, tables: dict[str, list[str]]) -> None:
        mark = {"preset": preset, "from": str(source), "tables": tables}
        beside = self.into / f"{MARK}.{self._token}"
        beside.write_text(json.dumps(mark, indent=1, sort_keys=True))
        beside.replace(self.into / MARK)

    def _beside(self, table: str) -> Path:
        return self.into / f".{table}.parquet.{self._token}"


def _refuse_foreign(into: Path) -> dict[str, list[str]]:
    """The files of an earlier import with the hashes they may have; refuses all others."""
    mark = into / MARK
    earlier: dict[str, list[str]] = json.loads(mark.read_text())["tables"] if mark.exists() else {}
    for path in _present(into):
        if path.name not in earlier:
            message = (
                f"inputs: {path} is there and was not written by an import; move it away, "
                "or import into another store (VIDREC_STORE_URL)"
            )
            raise InputError(message)
        if _hash(path) not in earlier[path.name]:
            message = (
                f"inputs: {path} was changed since it was imported; move it away to replace it"
            )
            raise InputError(message)
    if earlier:
        log.info("inputs: replacing %s of an earlier import", ", ".join(sorted(earlier)))
    return earlier


def _present(into: Path) -> list[Path]:
    """What stands for a table that an import fills, in any of the kinds that are read."""
    there = sorted(into.iterdir()) if into.exists() else []
    return [path for path in there if path.name.split(".")[0] in SCHEMAS]


def _hash(path: Path) -> str:
    if path.is_dir():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_array(rows: pd.DataFrame, name: str, kind: pa.DataType) -> pa.Array:
    if name not in rows:
        return pa.nulls(len(rows), kind)
    if kind == _TEXT and isinstance(rows[name].dtype, pd.StringDtype):
        return pa.array(rows[name], type=kind, from_pandas=True)  # text already, as from csv
    cells = [as_cell(value) for value in rows[name].tolist()]
    if kind == _TEXT:  # a list of regions, say: the contract reads it as JSON
        cells = [json.dumps(cell) if isinstance(cell, list) else cell for cell in cells]
    return pa.array(cells, type=kind)


def as_cell(value: Any) -> Any:
    """A value as Arrow takes it: a list stays one, all else is text, or None if it is missing."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return value
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # an id that a reader took for a number: 7.0 was written as 7
    return value if isinstance(value, str) else str(value)
