"""Exports: the current lists as files, shaped as Amazon Personalize's batch output.

One row a user, with what is wrong with it beside it. Rows come from one transaction and so from one
run; one batch of users is in memory at a time. Programs read ids as they are; in a file for a
spreadsheet no cell is a formula.

Sources: Amazon Personalize developer guide, "Batch inference job output examples"; OWASP, "CSV
Injection".
"""

import csv
import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from vidrec_tasks.errors import InputError, PublishError
from vidrec_tasks.publishing.engine import file_of, in_words, make_engine
from vidrec_tasks.publishing.tables import VIEWS, pointer
from vidrec_tasks.store.decoding import Decoded, is_marked, unmarked

NO_LIST: Final = "the user has no list of their own; ask for the fallback"
BATCH: Final = 500
FORMULA: Final = re.compile(
    r"""(^|[;|\t\r\n])(?=(?:[^\S\t\r\n]|")*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])"""
)
"""Where a spreadsheet would begin a formula; in some countries it parts cells at ``;``."""

Row = dict[str, Any]
Writer = Callable[[Path, Iterable[Row]], int]


def export_lists(
    url: str, path: Path, *, form: str = "jsonl", user_ids: Iterable[str] | None = None
) -> dict[str, Any]:
    """Write the current lists to a file, beside and then renamed.

    Args:
        url: of the result tables.
        path: where to.
        form: a name of `WRITERS`; ``spreadsheet`` is ``csv`` with an apostrophe before whatever a
            spreadsheet would run as a formula.
        user_ids: whose lists, in their order; None: all there are, by user id.

    Returns:
        run_id, users, and how many of them carry an error.

    Raises:
        PublishError: there is no such form, no run is published, or the file cannot be written.
    """
    if form not in WRITERS:
        raise PublishError(f"export: unknown format {form!r}; one of {', '.join(WRITERS)}")
    engine = make_engine(url, read_only=True)
    file = file_of(engine)
    if file is not None and not file.exists():
        raise PublishError("export: there are no result tables yet; publish a night first")
    try:
        with in_words(engine, "export the lists"), engine.begin() as connection:
            run_id = connection.execute(sa.select(pointer.c.run_id)).scalar()
            if run_id is None:
                raise PublishError("export: no run is published yet; publish a night first")
            n_errors = 0

            def counted() -> Iterator[Row]:
                nonlocal n_errors
                for row in _rows(connection, user_ids):
                    n_errors += row["error"] is not None
                    yield row

            n_users = _write_beside(path, WRITERS[form], counted())
    finally:
        engine.dispose()
    return {"run_id": run_id, "users": n_users, "errors": n_errors, "path": str(path)}


def read_ids(path: Path) -> list[str]:
    """The ids of a file, one a line, in any encoding that it tells and with any line end.

    Raises:
        InputError: the file cannot be read, or not in its encoding.
    """
    try:
        with path.open("rb") as file:
            text = Decoded(file, str(path))
            lines = text.read().decode().splitlines()
    except OSError as error:
        message = f"export: cannot read {path} ({error.strerror}); name a file of user ids"
        raise InputError(message) from error
    damaged = [line for line in lines if is_marked(line)]
    if damaged:
        message = (
            f"export: {len(damaged)} of {len(lines)} lines of {path} are not "
            f"{text.encoding.upper()} (first: {unmarked(damaged[0])}); save it as UTF-8"
        )
        raise InputError(message)
    return [line.strip().strip('"') for line in lines if line.strip()]


def _rows(connection: sa.Connection, user_ids: Iterable[str] | None) -> Iterator[Row]:
    if user_ids is None:
        yield from _lists(connection)
        return
    asked = iter(user_ids)
    while batch := list(islice(asked, BATCH)):
        found = {row["user_id"]: row for row in _lists(connection, batch)}
        yield from (found.get(user_id) or _failed(user_id) for user_id in batch)


def _lists(connection: sa.Connection, batch: list[str] | None = None) -> Iterator[Row]:
    view = VIEWS["recommendations"]
    chosen = sa.select(view.c.user_id, view.c.video_id, view.c.score)
    if batch is not None:
        chosen = chosen.where(view.c.user_id.in_(batch))
    ordered = chosen.order_by(view.c.user_id, view.c.rank)
    rows = connection.execute(ordered, execution_options={"yield_per": 10_000})
    for user_id, group in groupby(rows, key=lambda row: row.user_id):
        theirs = list(group)
        yield {
            "user_id": user_id,
            "items": [row.video_id for row in theirs],
            "scores": [row.score for row in theirs],
            "error": None,
        }


def _failed(user_id: str) -> Row:
    return {"user_id": user_id, "items": None, "scores": None, "error": NO_LIST}


def _write_beside(path: Path, write: Writer, rows: Iterable[Row]) -> int:
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        n_users = write(beside, rows)
        beside.replace(path)
    except OSError as error:
        message = f"export: cannot write {path} ({error}); check free space and rights"
        raise PublishError(message) from error
    finally:
        beside.unlink(missing_ok=True)
    return n_users


def _write_jsonl(path: Path, rows: Iterable[Row]) -> int:
    n = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            output = {"recommendedItems": row["items"], "scores": row["scores"]}
            record = {
                "input": {"userId": row["user_id"]},
                "output": None if row["error"] else output,
                "error": row["error"],
            }
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            n += 1
    return n


def _write_csv(path: Path, rows: Iterable[Row]) -> int:
    return _write_cells(path, map(_cells, rows))


def _write_spreadsheet(path: Path, rows: Iterable[Row]) -> int:
    return _write_cells(path, ([_inert(cell) for cell in _cells(row)] for row in rows))


def _write_cells(path: Path, rows: Iterable[list[str]]) -> int:
    n = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_SCHEMA.names)
        for cells in rows:
            writer.writerow(cells)
            n += 1
    return n


def _cells(row: Row) -> list[str]:
    """Lists are JSON in their cells: an id may hold any character."""
    lists = [json.dumps(row[name], ensure_ascii=False) if row[name] is not None else ""
             for name in ("items", "scores")]  # fmt: skip
    return [row["user_id"], *lists, row["error"] or ""]


def _inert(cell: str) -> str:
    return FORMULA.sub(r"\1'", cell)


def _write_parquet(path: Path, rows: Iterable[Row]) -> int:
    n, remaining = 0, iter(rows)
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        while batch := list(islice(remaining, 50_000)):
            names = ("user_id", "items", "scores", "error")
            columns = [pa.array([row[name] for row in batch], field.type)
                       for name, field in zip(names, _SCHEMA, strict=True)]  # fmt: skip
            writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))
            n += len(batch)
    return n


_SCHEMA: Final = pa.schema(
    [
        ("userId", pa.string()),
        ("recommendedItems", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float64())),
        ("error", pa.string()),
    ]
)

WRITERS: Final[dict[str, Writer]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "spreadsheet": _write_spreadsheet,
    "parquet": _write_parquet,
}
