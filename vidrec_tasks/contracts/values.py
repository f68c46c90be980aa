"""Values: how a column of each kind is read; each gives its values and why some are refused."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.contracts.lists import LONGEST_TEXT, NotAListError, read_list
from vidrec_tasks.contracts.schema import Column
from vidrec_tasks.contracts.times import parse_times

Read = tuple[pd.Series, pd.Series]
"""Values in their type, and '' or what is wrong with each."""


def read_values(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    """Read a column as its kind says.

    Args:
        values: as read: text, numbers, lists, records, dates.
        absent: which of them say nothing.
        column: what they should be.
    """
    return _READERS[column.kind](values, absent, column)


def _read_text(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    problems = _no_problems(values)
    if absent.all():
        return pd.Series("", index=values.index, dtype=str), problems
    if isinstance(values.dtype, pd.StringDtype) and not absent.any():
        stripped = values.str.strip()
        if stripped.str.isascii().all() and not stripped.str.contains("\0", regex=False).any():
            problems[stripped.str.len() > LONGEST_TEXT] = _TOO_LONG
            return stripped.astype(str), problems
    texts = [
        "" if is_absent else as_text(value) for value, is_absent in zip(values, absent, strict=True)
    ]
    if values.dtype == object:
        broken = pd.Series([_is_broken(value) for value in values], index=values.index)
        problems[broken & ~absent] = "is bytes that are not UTF-8"
        nested = [isinstance(value, (dict, list, np.ndarray)) for value in values]
        problems[pd.Series(nested, index=values.index)] = "is a record or a list, not a text"
    problems[[len(text) > LONGEST_TEXT for text in texts]] = _TOO_LONG
    if column.kind == "id":  # without it, two ids could become one
        problems[[_has_zero(value) for value in values]] = "holds a zero byte"
    return pd.Series(texts, index=values.index, dtype=str), problems


def _read_list(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    problems = _no_problems(values)
    lists: list[list[str]] = []
    for place, value, is_absent in zip(values.index, values, absent, strict=True):
        try:
            lists.append([] if is_absent else [_whole(text) for text in read_list(value)])
        except NotAListError as error:
            lists.append([])
            problems[place] = str(error)
    return pd.Series(lists, index=values.index, dtype=object), problems


def _read_number(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    given = values.where(~absent, None)
    # of whole numbers there are ages only, which are often written 16+
    if column.kind == "integer" and not pd.api.types.is_numeric_dtype(given.dtype):
        given = given.map(lambda value: as_text(value).removesuffix("+"), na_action="ignore")
    elif given.dtype == object and any(isinstance(value, bytes) for value in given):
        given = given.map(lambda value: as_text(value) if isinstance(value, bytes) else value)
    if given.dtype.kind == "m":  # a length of time, in whatever unit it is kept
        numbers = given.dt.total_seconds().astype("float64")
    else:
        numbers = _as_numbers(given)
    unreadable = ~absent & ~pd.Series(np.isfinite(numbers.to_numpy()), index=values.index)
    problems = _no_problems(values)
    problems[unreadable] = f"is not a {_NUMBERS[column.kind]}"
    if column.kind == "integer":
        numbers = -(-numbers // 1)  # up: an age of 16.5 keeps out who is 16
    return numbers.where(~unreadable), problems


def _as_numbers(given: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(given, errors="coerce").astype("float64")
    except OverflowError:  # a whole number of hundreds of digits
        small = [v if not isinstance(v, int) or abs(v) < 1 << 1000 else np.inf for v in given]
        values = pd.Series(small, index=given.index, dtype=object)
        return pd.to_numeric(values, errors="coerce").astype("float64")


def _read_time(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    times = parse_times(values.where(~absent, None), may_be_never=column.may_be_never)
    return times.moments, times.problems


def _read_flag(values: pd.Series, absent: pd.Series, column: Column) -> Read:
    texts = pd.Series(
        ["false" if is_absent else as_text(value).lower()
         for value, is_absent in zip(values, absent, strict=True)],
        index=values.index, dtype=str,
    )  # fmt: skip
    truth, falsehood = texts.isin(_TRUE), texts.isin(_FALSE)
    problems = _no_problems(values)
    problems[~truth & ~falsehood] = "is not true or false"
    return truth, problems


_TOO_LONG: Final = f"is longer than {LONGEST_TEXT:,} characters"
_TRUE: Final = ("true", "t", "1", "1.0", "yes", "y", "on")
_FALSE: Final = ("false", "f", "0", "0.0", "no", "n", "off")
_NUMBERS: Final = {"number": "finite number", "integer": "whole number"}
_READERS: Final[dict[str, Callable[[pd.Series, pd.Series, Column], Read]]] = {
    "id": _read_text,
    "text": _read_text,
    "list": _read_list,
    "time": _read_time,
    "number": _read_number,
    "integer": _read_number,
    "flag": _read_flag,
}


def as_text(value: Any) -> str:
    """A value as the contract reads a text or an id: 7 and 7.0 were both written as 7."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating, Decimal)) and is_whole(value):
        value = int(value)
    return _whole(str(value).strip())


def is_whole(number: Decimal | float | np.floating) -> bool:
    """Whether a number has no fraction, however many digits it has."""
    if isinstance(number, Decimal):  # more than 28 digits have no remainder
        return number.is_finite() and number == number.to_integral_value()
    return bool(number % 1 == 0)  # not of NaN and infinity


def _is_broken(value: Any) -> bool:
    if not isinstance(value, bytes):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def _has_zero(value: Any) -> bool:
    return b"\0" in value if isinstance(value, bytes) else isinstance(value, str) and "\0" in value


def _whole(text: str) -> str:
    """The text as it can be kept.

    Zero bytes, which PostgreSQL has in no text, are left out; halves of surrogate pairs (a cut
    emoji), which no file can hold, are replaced.
    """
    if "\0" in text:
        text = text.replace("\0", "").strip()
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _no_problems(values: pd.Series) -> pd.Series:
    return pd.Series("", index=values.index, dtype=object)
