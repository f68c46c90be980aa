"""Parsing: turn a frame as it was read into the types of its contract, row by row, losing nothing.

A row that does not fit goes to rejects with a reason; a table whose columns do not fit is an error.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import REASON, ROW_NUM, SAMPLE, TABLE
from vidrec_tasks.contracts.schema import Column, Table
from vidrec_tasks.errors import ContractError

log = logging.getLogger(__name__)

TIME: Final = "datetime64[us, UTC]"
SAMPLE_LENGTH: Final = 200
MILLISECONDS_FROM: Final = 1e11
"""Numbers above this are milliseconds since 1970: as seconds they would lie past the year 5000."""
LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999."""


@dataclass
class Parsed:
    """Rows that fit their contract, and those that do not.

    Attributes:
        rows: the contract's columns in its types, plus row_num.
        rejects: columns table, row_num, reason, sample.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=lambda: no_rejects())


def no_rejects() -> pd.DataFrame:
    """An empty rejects table."""
    return pd.DataFrame(
        {
            TABLE: pd.Series(dtype=str),
            ROW_NUM: pd.Series(dtype="int64"),
            REASON: pd.Series(dtype=str),
            SAMPLE: pd.Series(dtype=str),
        }
    )


def reject(raw: pd.DataFrame, table: str, reasons: pd.Series) -> pd.DataFrame:
    """Rejects for the rows of ``raw`` (with row_num) whose reason is not empty."""
    bad = raw[reasons != ""]
    if bad.empty:
        return no_rejects()
    samples = bad.drop(columns=ROW_NUM).to_dict("records")
    return pd.DataFrame(
        {
            TABLE: table,
            ROW_NUM: bad[ROW_NUM].to_numpy(np.int64),
            REASON: reasons[reasons != ""].to_numpy(),
            SAMPLE: [sample_of(row) for row in samples],
        }
    ).astype({TABLE: str, REASON: str, SAMPLE: str})


def sample_of(row: Mapping[Any, Any]) -> str:
    """A row as one short printable line."""
    return one_line(", ".join(f"{n}={value}" for n, value in row.items() if _is_filled(value)))


def one_line(text: str) -> str:
    """The beginning of a text, with a blank for what is not printable."""
    return "".join(ch if ch.isprintable() else " " for ch in text[:SAMPLE_LENGTH])


def check_columns(names: list[str], table: Table, *, origin: str) -> None:
    """Refuse a table that lacks a required column.

    Raises:
        ContractError: names the column, what was found and the nearest name.
    """
    missing = [name for name in table.required if name not in names]
    if not missing:
        return
    near = get_close_matches(missing[0], names, n=1, cutoff=0.5)
    hint = f"; rename '{near[0]}'?" if near else ""
    message = (
        f"{table.name} ({origin}): {len(missing)} of {len(table.required)} required columns are "
        f"missing (first: {missing[0]}); found {', '.join(map(repr, names)) or 'none'}{hint}"
    )
    raise ContractError(message)


def parse(raw: pd.DataFrame, table: Table) -> Parsed:
    """Parse rows under a contract.

    Args:
        raw: values as read (text or native), with row_num; extra columns are ignored.
        table: the contract.

    Returns:
        Every row of ``raw`` either in rows or in rejects.
    """
    reasons = pd.Series("", index=raw.index, dtype=object)
    parsed: dict[str, Any] = {}
    for column in table.columns:
        values = raw[column.name] if column.name in raw else pd.Series(None, index=raw.index)
        parsed[column.name], problems = _parse_column(values, column)
        reasons = reasons.where((reasons != "") | (problems == ""), problems)
    rows = pd.DataFrame(parsed, index=raw.index)
    rows[ROW_NUM] = raw[ROW_NUM]
    kept = rows[reasons == ""].reset_index(drop=True)
    return Parsed(kept, reject(raw, table.name, reasons))


def _parse_column(values: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """The column in its type, and '' or a reason a row."""
    absent = ~_filled(values)
    parsed, unreadable = _PARSERS[column.kind](values, absent)
    problems = pd.Series("", index=values.index, dtype=object)
    problems[unreadable] = f"{column.name} is not a {_NAMES[column.kind]}"
    if column.required:
        problems[absent] = f"{column.name} is missing"
    elif column.default is not None:
        parsed = parsed.where(~absent, column.default)
    for bad, reason in _out_of_bounds(parsed, column, ~absent & ~unreadable):
        problems[bad] = reason
    if column.kind == "integer":
        parsed = parsed.fillna(0).astype("int64")
    if column.kind == "flag":
        parsed = parsed.astype(bool)
    return parsed, problems


def _out_of_bounds(
    parsed: pd.Series, column: Column, given: pd.Series
) -> list[tuple[pd.Series, str]]:
    found = []
    if column.minimum is not None:
        found.append((given & (parsed < column.minimum), f"{column.name} < {column.minimum:g}"))
    if column.maximum is not None:
        found.append((given & (parsed > column.maximum), f"{column.name} > {column.maximum:g}"))
    if column.one_of:
        found.append((given & ~parsed.isin(column.one_of), f"{column.name} is unknown"))
    return found


def _parse_text(values: pd.Series, absent: pd.Series) -> tuple[pd.Series, pd.Series]:
    texts = [
        "" if is_absent else _as_text(value)
        for value, is_absent in zip(values, absent, strict=True)
    ]
    return pd.Series(texts, index=values.index, dtype=str), _never(values)


def _parse_list(values: pd.Series, absent: pd.Series) -> tuple[pd.Series, pd.Series]:
    lists = [
        [] if is_absent else _as_list(value)
        for value, is_absent in zip(values, absent, strict=True)
    ]
    return pd.Series(lists, index=values.index, dtype=object), _never(values)


def _parse_number(values: pd.Series, absent: pd.Series) -> tuple[pd.Series, pd.Series]:
    numbers = pd.to_numeric(values.where(~absent, None), errors="coerce").astype("float64")
    unreadable = ~absent & ~pd.Series(np.isfinite(numbers.to_numpy()), index=values.index)
    return numbers.where(~unreadable), unreadable


def _parse_time(values: pd.Series, absent: pd.Series) -> tuple[pd.Series, pd.Series]:
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        return pd.to_datetime(values, utc=True).astype(TIME), _never(values)
    numbers = pd.to_numeric(values.where(~absent, None), errors="coerce").astype("float64")
    seconds = numbers.where(numbers.abs() < MILLISECONDS_FROM, numbers / 1000)
    in_range = seconds.between(0, LAST_SECOND)
    micros = (seconds.where(in_range, 0) * 1e6).round().astype("int64")
    times = pd.to_datetime(micros, unit="us", utc=True).astype(TIME)
    is_text = ~absent & numbers.isna()
    if is_text.any():
        texts = _texts(values[is_text])
        read = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601").astype(TIME)
        times[is_text] = read
    good = (~absent & numbers.notna() & in_range) | (is_text & times.notna())
    return times.where(good), ~absent & ~good


def _parse_flag(values: pd.Series, absent: pd.Series) -> tuple[pd.Series, pd.Series]:
    texts = _texts(values.where(~absent, "false")).str.strip().str.lower()
    truth = texts.isin(["true", "t", "1", "1.0", "yes", "y"])
    falsehood = texts.isin(["false", "f", "0", "0.0", "no", "n"])
    return truth, ~truth & ~falsehood


_PARSERS: Final = {
    "id": _parse_text,
    "text": _parse_text,
    "list": _parse_list,
    "time": _parse_time,
    "number": _parse_number,
    "integer": _parse_number,
    "flag": _parse_flag,
}
_NAMES: Final = {
    "id": "id",
    "text": "text",
    "list": "list",
    "time": "time (ISO 8601 or seconds since 1970)",
    "number": "finite number",
    "integer": "whole number",
    "flag": "true or false",
}


def _never(values: pd.Series) -> pd.Series:
    return pd.Series(False, index=values.index)


def _filled(values: pd.Series) -> pd.Series:
    if values.dtype == object:
        return pd.Series([_is_filled(value) for value in values], index=values.index, dtype=bool)
    filled = values.notna()
    if pd.api.types.is_string_dtype(values.dtype):
        filled &= values.fillna("").str.strip() != ""
    return filled


def _is_filled(value: Any) -> bool:
    if value is None or isinstance(value, (list, np.ndarray)):
        return value is not None
    if isinstance(value, str):
        return value.strip() != ""
    return not (isinstance(value, float) and np.isnan(value)) and value is not pd.NaT


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # ids that a reader took for numbers: 7.0 was written as 7
    return _whole(str(value).strip())


def _texts(values: pd.Series) -> pd.Series:
    return (values.map(_as_text) if values.dtype == object else values).astype(str)


def _as_list(value: Any) -> list[str]:
    parts: list[Any]
    if isinstance(value, str):
        parts = value.split("|")
    else:
        parts = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]
    texts = [_whole(str(part).strip()) for part in parts if part is not None]
    return list(dict.fromkeys(text for text in texts if text))


def _whole(text: str) -> str:
    """The text with halves of surrogate pairs (a cut emoji) replaced: no file can hold them."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
