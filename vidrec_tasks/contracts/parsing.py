"""Parsing: turn a frame as it was read into the types of its contract, row by row, losing nothing.

A row that does not fit goes to rejects with a reason; a table whose columns do not fit is an error.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import ROW_NUM, UPDATED_AT
from vidrec_tasks.contracts.absence import count_words, filled
from vidrec_tasks.contracts.rejects import no_rejects, reject
from vidrec_tasks.contracts.schema import Column, Table
from vidrec_tasks.contracts.values import read_values
from vidrec_tasks.errors import ContractError

_NAMED: Final = 50
"""Columns that an error names."""


@dataclass(frozen=True)
class Parsed:
    """Rows that fit their contract, and those that do not.

    Attributes:
        rows: the contract's columns in its types, plus row_num.
        rejects: columns table, row_num, reason, sample.
        lost: key, row_num and updated_at (where the table has it) of rejected rows whose key could
            be read.
        null_words: column -> values that are a word for nothing (``NULL``), read as nothing.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=no_rejects)
    null_words: dict[str, int] = field(default_factory=dict)
    lost: pd.DataFrame = field(default_factory=pd.DataFrame)


def repeated(names: Sequence[str]) -> list[str]:
    """The names that stand there more than once, sorted."""
    return sorted(name for name, n in Counter(names).items() if n > 1)


def check_columns(names: list[str], table: Table, *, origin: str) -> None:
    """Refuse a table that lacks a required column, or has one twice.

    Raises:
        ContractError: names the column, what was found and the nearest name.
    """
    twice = repeated(names)
    if twice:
        message = (
            f"{table.name} ({origin}): {len(twice)} column names appear twice (first: "
            f"{twice[0]!r}); it is unclear which one counts, so remove one"
        )
        raise ContractError(message)
    missing = [name for name in table.required if name not in names]
    if not missing:
        return
    near = get_close_matches(missing[0], names, n=1, cutoff=0.5)
    hint = f"; rename '{near[0]}'?" if near else ""
    found = ", ".join(map(repr, names[:_NAMED])) or "none"
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    message = (
        f"{table.name} ({origin}): {len(missing)} of {len(table.required)} required columns are "
        f"missing (first: {missing[0]}); found {found}{more}{hint}"
    )
    raise ContractError(message)


def with_plain_names(rows: pd.DataFrame, table: Table, *, origin: str) -> pd.DataFrame:
    """Rows whose columns have the contract's names where they differ in case or blanks alone.

    Raises:
        ContractError: two columns come to one name.
    """
    ours = {column.name for column in table.columns}
    plain = {name: str(name).strip().lower() for name in rows.columns}
    renamed = {name: new if new in ours else name for name, new in plain.items()}
    names = list(renamed.values())
    twice = repeated(list(map(str, names)))
    if twice:
        message = (
            f"{table.name} ({origin}): {len(twice)} column names appear twice but for case or "
            f"blanks (first: {twice[0]!r}); it is unclear which one counts, so remove one"
        )
        raise ContractError(message)
    return rows.rename(columns=renamed)


def parse(
    raw: pd.DataFrame,
    table: Table,
    *,
    scales: Mapping[str, float] = MappingProxyType({}),
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> Parsed:
    """Parse rows under a contract.

    Args:
        raw: values as read (text or native), with row_num; extra columns are ignored.
        table: the contract.
        scales: column -> what its numbers are multiplied with to be in the contract's unit.
        defaults: column -> what an absent value becomes, in place of the contract's default.

    Returns:
        Every row of ``raw`` either in rows or in rejects.
    """
    reasons = pd.Series("", index=raw.index, dtype=object)
    parsed: dict[str, Any] = {}
    null_words = {}
    for column in table.columns:
        if column.name in raw:
            values = raw[column.name]
            null_words[column.name] = count_words(values)
        else:
            values = pd.Series(None, index=raw.index, dtype=object)
        if column.name in defaults:
            column = replace(column, default=defaults[column.name])
        parsed[column.name], problems = _parse_column(values, column, scales.get(column.name, 1.0))
        reasons = reasons.where((reasons != "") | (problems == ""), problems)
    rows = pd.DataFrame(parsed, index=raw.index)
    rows[ROW_NUM] = raw[ROW_NUM]
    kept = rows[reasons == ""].reset_index(drop=True)
    found = {name: n for name, n in null_words.items() if n}
    dated = [UPDATED_AT] if UPDATED_AT in rows else []
    bad = rows.loc[reasons != "", [*table.key, ROW_NUM, *dated]]
    lost = bad[(bad[list(table.key)] != "").all(axis=1)]
    return Parsed(kept, reject(raw, table.name, reasons), found, lost)


def _parse_column(values: pd.Series, column: Column, scale: float) -> tuple[pd.Series, pd.Series]:
    """The column in its type, and '' or a reason a row."""
    absent = ~filled(values)
    parsed, wrong = read_values(values, absent, column)
    parsed = parsed if scale == 1.0 else parsed * scale
    problems = wrong.where(wrong == "", f"{column.name} " + wrong.astype(str))
    if column.required:
        if column.kind == "time":
            absent |= parsed.isna() & (wrong == "")  # a word for no time, such as 0001-01-01
        problems[absent] = f"{column.name} is missing"
    elif column.default is not None:
        parsed = parsed.where(~absent, column.default)
    for bad, reason in _out_of_bounds(parsed, column, ~absent & (wrong == "")):
        problems[bad] = reason
    if column.kind == "integer":
        parsed = parsed.fillna(0).astype("int64")
    if column.kind == "flag":
        parsed = parsed.astype(bool)
    return parsed, problems


def unknown_reason(name: str, known: Sequence[str]) -> str:
    """Why a row is rejected whose column holds none of the words that are known."""
    return f"{name} is unknown (known: {', '.join(known)})"


def _out_of_bounds(
    parsed: pd.Series, column: Column, given: pd.Series
) -> list[tuple[pd.Series, str]]:
    found = []
    if column.minimum is not None:
        found.append((given & (parsed < column.minimum), f"{column.name} < {column.minimum:g}"))
    if column.maximum is not None:
        found.append((given & (parsed > column.maximum), f"{column.name} > {column.maximum:g}"))
    if column.one_of:
        reason = unknown_reason(column.name, column.one_of)
        found.append((given & ~parsed.isin(column.one_of), reason))
    return found
