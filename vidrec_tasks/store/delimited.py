"""Delimited: separated text as chunks of text rows; the separator is told by the header.

A line with too many or too few fields, or with bytes that are no text, is torn, not lost.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from vidrec_tasks.contracts.parsing import repeated
from vidrec_tasks.errors import InputError
from vidrec_tasks.store import decoding
from vidrec_tasks.store.decoding import AUTO, MARKS, Decoded, too_long, unmarked

SEPARATORS: Final = (",", ";", "\t", "|")
SEP_LINE: Final = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""Excel's own first line."""
NOT_TEXT: Final = "line has bytes that are invalid in its encoding"

MOST_COLUMNS: Final = 10_000
"""Columns of a table: beyond, every pass over its header takes minutes."""

_LONG: Final = "straddling object"
"""How Arrow says that a row does not end within a block."""

Torn = tuple[int, str, str]
"""Store in the chunk from 0, reason, sample."""


class Rows(NamedTuple):
    """Some rows of a file.

    Attributes:
        rows: every value as text, None where it is empty.
        torn: lines that are no row.
    """

    rows: pd.DataFrame
    torn: list[Torn]


def read_delimited(
    file: Any,
    name: str,
    *,
    known: Collection[str] = (),
    separator: str = AUTO,
    has_quotes: bool = True,
    encoding: str = AUTO,
) -> Iterator[Rows]:
    """Read separated text with a header in chunks.

    Args:
        file: opened for bytes, at its beginning.
        name: for messages.
        known: column names by which the separator is told.
        separator: between fields; ``auto``: the one that splits the header into most known names.
        has_quotes: whether a field may be quoted (and then hold line breaks).
        encoding: see `Decoded`.

    Raises:
        InputError: there is no header, a column is there twice, a row is longer than a block, or
            the file is of another encoding.
    """
    text = Decoded(file, name, encoding=encoding)
    declared = SEP_LINE.match(text.head)
    if declared:
        text.skip(declared.end())
        separator = declared[1] if separator == AUTO else separator
    first = text.head.split("\n", 1)[0].rstrip("\r").removeprefix("\ufeff")
    if not first.strip():
        message = f"{name} is empty: not even a header; export it again"
        raise InputError(message)
    if separator == AUTO:
        separator = separator_of(first, known)
    header = _fields(first, separator, has_quotes=has_quotes)
    refuse_twice(header, name)
    n_before = 0
    try:
        for rows in _rows_of(text, header, separator, has_quotes):
            n_before += len(rows.rows) + len(rows.torn)
            yield rows
    except pa.ArrowInvalid as error:
        if _LONG not in str(error):
            raise
        raise too_long(name, n_before) from error
    text.check()


def _rows_of(text: Decoded, header: list[str], separator: str, has_quotes: bool) -> Iterator[Rows]:
    torn: list[Torn] = []
    reader = pa_csv.open_csv(
        pa.PythonFile(text, mode="r"), **_options(header, separator, has_quotes, torn)
    )
    n_before, is_read = 0, False
    for batch in reader:
        mine = _torn_within(torn, n_before, len(batch))
        del torn[: len(mine)]
        torn_here = [(position - n_before, why, line) for position, why, line in mine]
        yield _without_marked(_texts_of(batch, header), torn_here, text)
        n_before, is_read = n_before + len(batch) + len(mine), True
    if torn or not is_read:
        rows = _texts_of(reader.schema.empty_table(), header)
        yield Rows(rows, [(position - n_before, why, line) for position, why, line in torn])


def refuse_twice(names: Sequence[str], origin: str) -> None:
    """Refuse a header with a name that stands there twice, or with far too many of them.

    Raises:
        InputError: names it, or says how many.
    """
    if len(names) > MOST_COLUMNS:
        message = (
            f"{origin}: has {len(names):,} columns, {MOST_COLUMNS:,} are the most (first: "
            f"{names[0][:80]!r}); export those alone that docs/TABLES.md names"
        )
        raise InputError(message)
    twice = repeated(names)
    if twice:
        message = (
            f"{origin}: {len(twice)} column names appear twice (first: {twice[0]!r}); which "
            "one counts cannot be told, rename or remove the other"
        )
        raise InputError(message)


def separator_of(header: str, known: Collection[str]) -> str:
    """The separator that splits a header into most known names, then into most fields."""

    def worth(separator: str) -> tuple[int, int]:
        names = _fields(header, separator, has_quotes=True)
        return sum(name in known for name in names), len(names)

    return max(SEPARATORS, key=worth)  # of equal ones the first


def _fields(line: str, separator: str, *, has_quotes: bool) -> list[str]:
    try:
        fields = next(csv.reader([line], delimiter=separator)) if has_quotes else None
    except csv.Error:  # a line end of another kind within it
        fields = None
    fields = line.split(separator) if fields is None else fields
    return [field.strip() for field in fields]


def _options(
    header: list[str], separator: str, has_quotes: bool, torn: list[Torn]
) -> dict[str, Any]:
    def keep(row: Any) -> str:
        line = row.text or ""
        why = f"line has {row.actual_columns} fields, not {row.expected_columns}"
        # Line numbers count the header from 1; places count rows from 0.
        torn.append(((row.number or 0) - 2, why, unmarked(line)))
        return "skip"

    places = [f"{num}" for num in range(len(header))]
    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False, block_size=decoding.BLOCK_BYTES, column_names=places, skip_rows=1
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=separator,
            quote_char='"' if has_quotes else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=keep,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    }


def _torn_within(torn: list[Torn], first: int, n_rows: int) -> list[Torn]:
    """The torn lines before the last of some rows; the reader may be a block ahead of them."""
    n = 0
    while n < len(torn) and torn[n][0] < first + n_rows + n:
        n += 1
    return torn[:n]


def _texts_of(table: Any, header: list[str]) -> pd.DataFrame:
    columns = zip(header, table.columns, strict=True)
    return pd.DataFrame({name: column.to_pandas() for name, column in columns})


def _without_marked(rows: pd.DataFrame, torn: list[Torn], text: Decoded) -> Rows:
    """Rows with bytes that are no text become torn lines."""
    if not text.n_damaged:
        return Rows(rows, torn)
    marked = pd.Series(False, index=rows.index)
    for name in rows.columns:
        found = pc.match_substring_regex(pa.array(rows[name], pa.string()), MARKS)
        marked |= pd.Series(found.to_pandas().fillna(False).to_numpy(bool), index=rows.index)
    if not marked.any():
        return Rows(rows, torn)
    taken = {position for position, _, _ in torn}
    free = [position for position in range(len(rows) + len(torn)) if position not in taken]
    for position, row in zip(
        [free[num] for num in rows.index[marked]], rows[marked].to_dict("records"), strict=True
    ):
        sample = ", ".join(f"{n}={unmarked(v)}" for n, v in row.items() if isinstance(v, str))
        torn = [*torn, (position, NOT_TEXT, sample)]
    return Rows(rows[~marked].reset_index(drop=True), sorted(torn))
