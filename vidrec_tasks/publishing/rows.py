"""Rows: frames as the rows of a result table, checked against its columns before any is sent."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.tables import Moment

CHUNK_ROWS: Final = 10_000


def rows_of(
    table: sa.Table, frame: pd.DataFrame, fixed: Mapping[str, Any]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a frame in chunks of at most ten thousand.

    Args:
        table: the result table.
        frame: its columns, in any order; others are left out.
        fixed: columns that are the same in every row.

    Raises:
        PublishError: a column is missing, or a value that must be there is not.
    """
    names = columns_of(table, frame, fixed)
    for start in range(0, len(frame), CHUNK_ROWS):
        chunk = frame.iloc[start : start + CHUNK_ROWS]
        values = [_values(table, chunk, name) for name in names]
        yield [{**fixed, **dict(zip(names, row, strict=True))} for row in zip(*values, strict=True)]


def columns_of(table: sa.Table, frame: pd.DataFrame, fixed: Mapping[str, Any]) -> list[str]:
    """The table's columns that a frame has, apart from the fixed ones.

    Raises:
        PublishError: one that must be there is missing.
    """
    names = [column.name for column in table.columns if column.name not in fixed]
    missing = [name for name in names if name not in frame and not table.c[name].nullable]
    if missing:
        message = (
            f"{table.name}: {len(missing)} of {len(names)} columns are missing (first: "
            f"{missing[0]}); run the job that makes them again"
        )
        raise PublishError(message)
    return [name for name in names if name in frame]


def refuse_absent(
    table: sa.Table, chunk: pd.DataFrame, name: str, is_absent: npt.NDArray[np.bool_]
) -> None:
    """Refuse rows without a value that must be there.

    Args:
        table: the result table.
        chunk: rows of it.
        name: the column.
        is_absent: ``(n_rows,)`` where it has no value.

    Raises:
        PublishError: there are such rows; the message names the first by its key.
    """
    if table.c[name].nullable or not is_absent.any():
        return
    row = chunk.iloc[int(is_absent.argmax())]
    keys = [key.name for key in table.primary_key if key.name in chunk]
    first = {key: plain(row[key]) for key in keys}
    message = (
        f"{table.name}: {int(is_absent.sum()):,} of {len(chunk):,} rows have no {name} "
        f"(first: {first}); run the job that makes it again"
    )
    raise PublishError(message)


def _values(table: sa.Table, chunk: pd.DataFrame, name: str) -> list[Any]:
    convert = _converter(table.c[name].type)
    values = [None if _is_absent(value) else convert(value) for value in chunk[name]]
    refuse_absent(table, chunk, name, np.array([value is None for value in values], dtype=bool))
    return values


def _converter(kind: Any) -> Any:
    if isinstance(kind, sa.JSON):  # a text is JSON already, as the store keeps it
        return lambda value: plain(json.loads(value) if isinstance(value, str) else value)
    if isinstance(kind, Moment):
        return lambda value: pd.Timestamp(value).to_pydatetime()
    return {"Integer": int, "Double": float, "Boolean": bool}.get(type(kind).__name__, _text)


def _text(value: Any) -> str:
    return str(value).replace("\0", "")  # PostgreSQL keeps no NUL in a text


def _is_absent(value: Any) -> bool:
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def plain(value: Any) -> Any:
    """A nested value as JSON can hold it: numpy's numbers become Python's, what is no number null.

    Args:
        value: dicts, lists, tuples, arrays, texts, numbers, moments.
    """
    if isinstance(value, Mapping):
        return {_text(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _text(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
