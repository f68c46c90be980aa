"""Times: every form that exporters write, and a reason for what could mean something else."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.contracts.times import parse_times

TEN = "2026-08-20 10:00:00"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-08-20T10:00:00Z", TEN),
        ("2026-08-20 10:00:00 +0000 UTC", TEN),
        ("2026-08-20 10:00:00.5 +0000 UTC m=+0.1", "2026-08-20 10:00:00.5"),
        ("2026-08-20 10:00:00 UTC", TEN),
        ("2026-08-20T12:00:00,0+0200", TEN),
        ("2026-08-20 15:30:00+05:30", TEN),
        ("2026/8/20 10:00", TEN),
        ("20260820T100000Z", TEN),
        ("20260820", "2026-08-20"),
        ("20260820.0", "2026-08-20"),
        ("20260820100000", TEN),
        ("20260820100000500", "2026-08-20 10:00:00.5"),
        ("1787220000", TEN),
        ("1787220000.5", "2026-08-20 10:00:00.5"),
        ("1787220000500", "2026-08-20 10:00:00.5"),
        ("1787220000123456", "2026-08-20 10:00:00.123456"),
        ("1787220000123456789", "2026-08-20 10:00:00.123456"),
        ("1.78722e9", TEN),
        ("-1000000000", "1938-04-24 22:13:20"),
        ("Thu, 20 Aug 2026 10:00:00 GMT", TEN),
        ("Thu Aug 20 2026 12:00:00 GMT+0200", TEN),
        ("Thu Aug 20 2026 05:00:00 GMT-0500", TEN),
        ("20-Aug-2026 10:00", TEN),
        ("Aug 20, 2026 10:00 AM", TEN),
        ("Aug 20, 2026 6:00 PM", "2026-08-20 18:00:00"),
        ("2026-08-20T10:00:00.123456789012Z", "2026-08-20 10:00:00.123456"),
        (1787220000, TEN),
        (date(2026, 8, 20), "2026-08-20"),
        (datetime(2026, 8, 20, 10), TEN),
        (b"2026-08-20T10:00:00Z", TEN),
        (pd.Timestamp("2026-08-20 12:00", tz="Europe/Berlin"), TEN),
    ],
)
def test_a_form_is_read(written: object, expected: str) -> None:
    for values in ([written], [written, "2026-01-01T00:00:00.123456789Z", None, "nonsense"]):
        times = parse_times(pd.Series(values, dtype=object))
        assert times.problems[0] == ""
        assert times.moments[0] == pd.Timestamp(expected, tz="UTC")


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("24/12/2026", "day and month are ambiguous"),
        ("01.08.2026", "day and month are ambiguous"),
        ("2026", "a year alone"),
        ("2026-08", "a month alone"),
        ("Aug 2026", "is not a complete date"),
        ("1 Aug", "is not a complete date"),
        ("46235", "a spreadsheet's day number"),
        ("0", "is 0"),
        ("12345", "too few digits"),
        ("2026-08-20 10:00:00 PST", "names its time zone in words"),
        ("2026-08-20 10:00:00 Europe/Berlin", "names its time zone in words"),
        ("9999-12-31", "lies before 1800 or after 2200"),
        ("1" * 5_000, "lies before 1800 or after 2200"),
        ("1e30", "lies before 1800 or after 2200"),
        ("1066-10-14", "lies before 1800 or after 2200"),
        ("2026-13-40", "is not a time"),
        ("12:30", "is not a time"),
        ("x" + " " * 1_000_000 + "x", "is not a time"),
        ("2026-01-01 " + "a" * 1_000_000, "is not a time"),
        (True, "is not a time"),
    ],
)
def test_what_could_mean_something_else_is_refused_by_its_form(
    written: object, problem: str
) -> None:
    times = parse_times(pd.Series([written], dtype=object))
    assert problem in times.problems[0]
    assert times.moments.isna().all()


@pytest.mark.parametrize(
    "written",
    ["", None, "NULL", "0001-01-01 00:00:00 +0000 UTC", "0000-00-00 00:00:00",
     "0001-01-01T00:00:00Z", float("nan")],
)  # fmt: skip
def test_nothing_is_no_time_and_no_problem(written: object) -> None:
    for dtype in (object, "str"):
        times = parse_times(pd.Series([written], dtype=dtype))
        assert times.moments.isna().all()
        assert times.problems.tolist() == [""]


@pytest.mark.parametrize(
    "written",
    ["9999-12-31", "253402300799", "32503680000", "9999-12-31T23:59:59Z", "3000-01-01"],
)
def test_never_is_a_time_that_may_be_never(written: str) -> None:
    times = parse_times(pd.Series([written]), may_be_never=True)
    assert (times.moments.isna().all(), times.problems.tolist()) == (True, [""])
    assert parse_times(pd.Series(["2612-01-21"]), may_be_never=True).problems[0] != ""


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_native_times_of_any_unit_are_read_and_far_ones_refused(unit: str) -> None:
    near = np.array(["2026-08-20T10:00:00"], dtype=f"datetime64[{unit}]")
    assert parse_times(pd.Series(near)).moments[0] == pd.Timestamp(TEN, tz="UTC")
    if unit != "ns":
        far = np.array([2**60], dtype="int64").astype(f"datetime64[{unit}]")
        assert "lies before" in parse_times(pd.Series(far)).problems[0]


def test_many_values_are_read_as_each_alone() -> None:
    forms = [
        "2026-08-20T10:00:00Z",
        "1787220000",
        "20 Aug 2026",
        "20260820",
        "x",
        "",
        "1787220000500",
    ]
    together = parse_times(pd.Series(forms * 50, dtype="str"))
    for num, form in enumerate(forms):
        alone = parse_times(pd.Series([form], dtype="str"))
        assert together.problems[num] == alone.problems[0]
        assert pd.isna(alone.moments[0]) or together.moments[num] == alone.moments[0]
