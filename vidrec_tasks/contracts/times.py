"""Times: one parser for every form in which exporters write a moment, value by value.

A value is read in one way only. What would lie decades off, or could mean two days, is refused with
the form named: a wrong time is worse than none. Without a zone a time is UTC.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from dateutil import parser as dateutil_parser

from vidrec_tasks.contracts.absence import filled

TIME: Final = "datetime64[us, UTC]"

FIRST_YEAR: Final = 1800
LAST_YEAR: Final = 2200
"""A moment lies between these; beyond the last one, where it may, a time means never."""

LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999: a larger number is milliseconds, which since 1978 have more digits."""
_FIRST_SECOND: Final = 100_000_000
"""Nine digits, in 1973: fewer are a date, a year, a spreadsheet's day or no time at all."""
_UNITS: Final = (
    (LAST_SECOND, 1.0), (LAST_SECOND * 1e3, 1e-3), (LAST_SECOND * 1e6, 1e-6), (float("inf"), 1e-9),
)  # fmt: skip
"""Numbers up to this are in units of so many seconds: seconds, milli-, micro-, nanoseconds."""

_TOO_MANY: Final = 1 << 62
_LONGEST: Final = 40
"""Characters of a number that may be a time."""

_LONGEST_TEXT: Final = 120
"""Characters of a text that may be a time, its zone written out; no longer one is looked at."""

ABSENT: Final = re.compile(r"0000-00-00|0001-01-01")
"""How MySQL and Go write a time that was never set, at the beginning of a text."""

_USUAL: Final = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?(?:Z|[+-]\d\d:\d\d)?"
"""ISO 8601 as most write it."""

_DIGITS = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE]\+?\d+)?\Z")
_GO_CLOCK = re.compile(r"\s+m=[+-][\d.]+\Z")
_ZONE_WORD = re.compile(r"(?:\s*(?:UTC|GMT)|\s+Z)\Z", re.IGNORECASE)
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_FRACTION = re.compile(r"(:\d\d)[.,](\d+)")
_OFFSET = re.compile(r"\s*([+-])(\d{2}):?(\d{2})?\Z")
_MONTH_WORD = re.compile(r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b")
_OTHER_WORD = re.compile(
    r"(?i)\b(?!(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*\b"
    r"|(?:am|pm|utc|gmt|z|t|of|at|st|nd|rd|th)\b)[a-z]+"
)
_ZONE_AND_OFFSET = re.compile(r"(?i)\b(?:GMT|UTC)(?=\s*[+-]\d)")
_TWO_WAYS = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b")
_MONTH_ALONE = re.compile(r"\d{4}[-/.]\d{1,2}\Z")
_NAMED_ZONE = re.compile(r"[A-Za-z]+/[A-Za-z_]+|\b[A-Z]{3,4}\Z")

TWO_DAYS: Final = "is a date whose day and month are ambiguous (write 2026-12-24)"
PARTLY: Final = "is not a complete date (write 2026-12-24)"
YEAR: Final = "is a year alone (write 2026-12-24)"
MONTH: Final = "is a month alone (write 2026-12-24)"
SERIAL: Final = "looks like a spreadsheet's day number (write 2026-12-24)"
ZERO: Final = "is 0, the beginning of 1970 (leave it empty)"
ZONE: Final = "names its time zone in words (write +02:00)"
FAR: Final = f"lies before {FIRST_YEAR} or after {LAST_YEAR}"
FEW_DIGITS: Final = "has too few digits for seconds since 1970"
NO_TIME: Final = "is not a time (ISO 8601 or seconds since 1970)"


class Times(NamedTuple):
    """Parsed times.

    Attributes:
        moments: `TIME`; NaT where nothing was said, or nothing that can be read.
        problems: '' or why a value was refused.
    """

    moments: pd.Series
    problems: pd.Series


def parse_times(values: pd.Series, *, may_be_never: bool = False) -> Times:
    """Read moments.

    Args:
        values: text, numbers, dates or datetimes.
        may_be_never: a moment after `LAST_YEAR` means never, which is missing; else it is refused.
    """
    absent = ~filled(values)
    problems = pd.Series("", index=values.index, dtype=object)
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        moments, problems = _of_datetimes(values)
        return _bounded(moments, problems, may_be_never=may_be_never)
    moments = pd.Series(pd.NaT, index=values.index, dtype=TIME)
    quick = _quickly(values, absent)
    moments[quick.index] = quick
    rest = ~absent & moments.isna()
    if rest.any():
        moments[rest], problems[rest] = _one_by_one(values[rest])
    return _bounded(moments, problems, may_be_never=may_be_never)


def _quickly(values: pd.Series, absent: pd.Series) -> pd.Series:
    """The usual forms, all at once: 15 times as quick as one by one."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        is_usual = values.between(_FIRST_SECOND, 1.7e11) & ~absent  # no compact date is among them
        return _of_seconds(values[is_usual].astype("float64"))
    if not isinstance(values.dtype, pd.StringDtype):
        return pd.Series([], dtype=TIME)
    is_second = values.str.fullmatch(r"\d{9,10}").fillna(False).astype(bool) & ~absent
    seconds = _of_seconds(values[is_second].astype("float64"))
    is_iso = values.str.fullmatch(_USUAL).fillna(False).astype(bool) & ~absent
    is_iso &= ~values.str.startswith("000").fillna(False).astype(bool)  # as `ABSENT`
    read = pd.to_datetime(values[is_iso], errors="coerce", utc=True, format="ISO8601").astype(TIME)
    return pd.concat([part for part in (seconds, read) if len(part)] or [seconds])


def _of_seconds(seconds: pd.Series) -> pd.Series:
    micros = (seconds * 1e6).round().astype("int64")
    return pd.to_datetime(micros, unit="us", utc=True).astype(TIME)


def _one_by_one(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    texts = pd.Series([_as_text(value) for value in values], index=values.index, dtype=object)
    moments = pd.Series(pd.NaT, index=values.index, dtype=TIME)
    problems = pd.Series("", index=values.index, dtype=object)
    absent = pd.Series([bool(ABSENT.match(text)) for text in texts], index=values.index)
    is_number = pd.Series([bool(_DIGITS.match(text)) for text in texts], index=values.index)
    for mine, read in ((is_number, _of_numbers), (~absent & ~is_number, _of_texts)):
        if mine.any():
            moments[mine], problems[mine] = read(texts[mine])
    return moments, problems


def _of_datetimes(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Native datetimes of any unit; those that microseconds cannot hold lie far away."""
    naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if hasattr(values.dt, "tz") and (
        values.dt.tz is not None
    ) else values  # fmt: skip
    held = naive.to_numpy()
    unit_s = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[np.datetime_data(held.dtype)[0]]
    seconds = held.astype("int64").astype("float64") * unit_s
    is_far = values.notna().to_numpy() & (np.abs(seconds) > LAST_SECOND)
    safe = np.where(is_far, np.datetime64("NaT"), held).astype("datetime64[us]")
    moments = pd.Series(safe, index=values.index).dt.tz_localize("UTC").astype(TIME)
    problems = pd.Series("", index=values.index, dtype=object).mask(is_far, FAR)
    return moments, problems


def _bounded(moments: pd.Series, problems: pd.Series, *, may_be_never: bool) -> Times:
    years = moments.dt.year
    late = moments.notna() & (years > LAST_YEAR)
    # people write never as an end or a beginning of a year far away: 9999-12-31, 3000-01-01
    edge = moments.dt.strftime("%m-%d").isin(["12-31", "01-01"])
    never = late & edge & may_be_never
    far = moments.notna() & ((years < FIRST_YEAR) | (late & ~never))
    problems = problems.mask(far, FAR)
    return Times(moments.where(~far & ~late), problems)


def _as_text(value: Any) -> str:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return repr(float(value)) if abs(float(value)) < 1e16 else f"{value:.0f}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value).strip()


def _of_numbers(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    read = [_of_number(text) for text in texts]
    micros = np.array([found or 0 for found, _ in read], dtype=np.int64)
    moments = pd.Series(pd.to_datetime(micros, unit="us", utc=True), index=texts.index).astype(TIME)
    problems = pd.Series([problem for _, problem in read], index=texts.index, dtype=object)
    return moments.where(problems == ""), problems


def _of_number(text: str) -> tuple[int | None, str]:
    """Microseconds since 1970, or why a number is no time."""
    number = float(text)
    if len(text) > _LONGEST:
        return None, FAR
    head, _, tail = text.partition(".")
    whole = text if tail.strip("0") else head  # 20260801.0 is 20260801
    compact = _compact(whole)
    if compact is not None:
        return round(compact.timestamp() * 1_000_000), ""
    if abs(number) < _FIRST_SECOND:
        return None, _too_small(number, whole)
    unit_s = next(unit for upper, unit in _UNITS if abs(number) <= upper)
    if whole.lstrip("+-").isdecimal():  # exact: a float of nanoseconds has lost its last digits
        micros = int(whole) * round(unit_s * 1e9) // 1000
    else:
        micros = round(number * unit_s * 1e6) if abs(number) < 1e19 else _TOO_MANY
    return (micros, "") if abs(micros) <= LAST_SECOND * 1_000_000 else (None, FAR)


def _too_small(number: float, whole: str) -> str:
    if number == 0:
        return ZERO
    if FIRST_YEAR <= number <= LAST_YEAR and len(whole) == 4:
        return YEAR
    return SERIAL if 15_000 <= number <= 90_000 else FEW_DIGITS


def _compact(text: str) -> datetime | None:
    """``20260801`` and ``20260801183000`` where they are days that there are."""
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}.get(len(text))
    if form is None or text[:2] not in ("18", "19", "20", "21"):
        return None
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def _of_texts(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    texts = texts.where(texts.str.len() <= _LONGEST_TEXT, "")
    plain = pd.Series([_plain(text) for text in texts], index=texts.index, dtype=object)
    moments = pd.to_datetime(plain, errors="coerce", utc=True, format="ISO8601").astype(TIME)
    is_short = pd.Series([bool(_MONTH_ALONE.match(t)) for t in texts], index=texts.index)
    moments = moments.where(~is_short)
    problems = pd.Series("", index=texts.index, dtype=object)
    for place in texts.index[moments.isna()]:
        moment, problem = _odd(texts[place])
        if moment is not None:
            moments[place] = pd.Timestamp(moment).tz_convert("UTC")
        problems[place] = problem
    return moments, problems


def _plain(text: str) -> str:
    """Other systems' variants of ISO 8601 as ISO 8601."""
    text = _GO_CLOCK.sub("", text)  # Go appends its monotonic clock
    text = _ZONE_WORD.sub("", text)  # "+0000 UTC" (Go), " UTC" (BigQuery), " GMT", " Z"
    had_zone = _OFFSET.search(text) if ":" in text else None
    zone = ""
    if had_zone:
        zone = f"{had_zone[1]}{had_zone[2]}:{had_zone[3] or '00'}"
        text = text[: had_zone.start()]
    day = _DAY.match(text)
    if day:
        text = f"{day[1]}-{day[2]:0>2}-{day[3]:0>2}{text[day.end() :]}"
    text = _FRACTION.sub(lambda found: f"{found[1]}.{found[2][:6]}", text)
    return text + zone


def _odd(text: str) -> tuple[datetime | None, str]:
    """A moment in words, or why a text is none."""
    if _MONTH_ALONE.match(text):
        return None, MONTH
    if _MONTH_WORD.search(text):
        return _in_words(text)
    if _TWO_WAYS.match(text):
        return None, TWO_DAYS
    if _DAY.match(text) and _NAMED_ZONE.search(text):
        return None, ZONE
    return None, NO_TIME


def _in_words(text: str) -> tuple[datetime | None, str]:
    """A moment whose month is a word (RFC 2822 and others): day and month are told apart."""
    if _OTHER_WORD.search(text):
        return None, ZONE
    # "GMT+0200" is two hours ahead, as JavaScript writes it; dateutil takes it for POSIX's opposite
    text = _ZONE_AND_OFFSET.sub("", text)
    try:  # what is not said is taken from the default: two of them tell whether all of it was said
        one, other = (
            dateutil_parser.parse(text, default=datetime(year, 1, day), tzinfos={"Z": 0})
            for year, day in ((2000, 1), (2004, 2))
        )
    except (ValueError, OverflowError, TypeError):
        return None, NO_TIME
    if one != other:
        return None, PARTLY
    return (one.replace(tzinfo=UTC) if one.tzinfo is None else one), ""
