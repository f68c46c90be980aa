from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.contracts.inputs import INTERACTIONS, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import check_columns, parse
from vidrec_tasks.errors import ContractError


def events(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    good = {
        "user_id": ["u1"] * n,
        "video_id": ["v1"] * n,
        "event_at": ["2026-09-01T10:00:00Z"] * n,
        "event_type": ["play"] * n,
        "watched_s": ["3"] * n,
        "row_num": list(range(n)),
    }
    return pd.DataFrame({**good, **columns})


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("user_id", "", "user_id is missing"),
        ("video_id", None, "video_id is missing"),
        ("event_at", "yesterday", "event_at is not a time"),
        ("event_at", "1e30", "event_at lies before 1800 or after 2200"),
        ("event_at", "-5", "event_at has too few digits"),
        ("event_at", "24/12/2026", "event_at is a date whose day and month are ambiguous"),
        ("event_at", "2026", "event_at is a year alone"),
        ("event_at", "46235", "event_at looks like a spreadsheet's day number"),
        ("event_at", "NULL", "event_at is missing"),
        ("event_at", "0001-01-01 00:00:00 +0000 UTC", "event_at is missing"),
        ("user_id", "null", "user_id is missing"),
        ("user_id", b"u\xfc", "user_id is bytes that are not UTF-8"),
        ("user_id", "u\0", "user_id holds a zero byte"),
        ("video_id", b"v\0", "video_id holds a zero byte"),
        ("event_type", "dance", "event_type is unknown (known: impression, play, complete,"),
        ("watched_s", "-3", "watched_s < 0"),
        ("watched_s", "inf", "watched_s is not a finite number"),
        ("watched_s", "much", "watched_s is not a finite number"),
    ],
)
def test_a_bad_value_sends_its_row_to_rejects_with_the_reason(
    column: str, value: object, reason: str
) -> None:
    parsed = parse(events(**{column: [value, "u1" if column == "user_id" else None]}), INTERACTIONS)
    assert parsed.rejects.iloc[0]["reason"].startswith(reason)
    assert parsed.rejects.iloc[0]["row_num"] == 0


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("{[1]}", ""),  # a text within brackets, as `{a}` is: Python cannot make a set of it
        ("{{}}", ""),
        ("[" + "1," * 600_000 + "]", "tags has a part that is too long"),
        ('[{"\\ud800": 1, "b": 2}]', "tags is a list of records without a name (one of name,"),
        ('[{"k17": 1, "b": 2}]', "tags is a list of records without a name (one of name,"),
    ],
)
def test_a_list_that_nobody_can_read_costs_its_row_alone(tags: str, reason: str) -> None:
    raw = pd.DataFrame({"video_id": ["v1"], "title": ["t"], "tags": [tags], "row_num": [0]})
    parsed = parse(raw, VIDEOS)
    assert len(parsed.rows) + len(parsed.rejects) == 1
    assert "".join(parsed.rejects["reason"]).startswith(reason)
    assert "k17" not in "".join(parsed.rejects["reason"])


@pytest.mark.parametrize("column", ["user_id", "event_id"])
@pytest.mark.parametrize("letter", ["u", "é"])
def test_a_text_that_is_monstrous_sends_its_row_to_rejects(column: str, letter: str) -> None:
    parsed = parse(events(**{column: [letter * (1 << 20), letter * ((1 << 20) + 1)]}), INTERACTIONS)
    assert parsed.rejects["reason"].tolist() == [f"{column} is longer than 1,048,576 characters"]
    assert parsed.rejects["row_num"].tolist() == [1]
    assert parsed.rejects["sample"].str.len().tolist() == [200]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-09-01T10:00:00Z",
        "2026-09-01 12:00:00+02:00",
        "1788256800",
        1788256800,
        1788256800000,
        "2026-09-01T10:00:00",
        pd.Timestamp("2026-09-01 10:00", tz="UTC"),
    ],
)
def test_a_time_is_read_in_any_of_its_ways(moment: object) -> None:
    parsed = parse(events(event_at=[moment]), INTERACTIONS)
    assert parsed.rows["event_at"].to_list() == [pd.Timestamp("2026-09-01 10:00", tz="UTC")]


def test_ids_that_a_reader_took_for_numbers_are_written_as_they_were() -> None:
    parsed = parse(events(user_id=[7.0], video_id=[31]), INTERACTIONS)
    assert parsed.rows[["user_id", "video_id"]].iloc[0].to_list() == ["7", "31"]


def test_lists_are_read_from_text_and_from_lists() -> None:
    raw = pd.DataFrame({"video_id": ["a", "b"], "tags": ["x| y|x|", ["p", "q"]], "row_num": [0, 1]})
    assert parse(raw, VIDEOS).rows["tags"].to_list() == [["x", "y"], ["p", "q"]]


def test_absent_values_take_their_defaults() -> None:
    row = parse(pd.DataFrame({"video_id": ["a"], "row_num": [0]}), VIDEOS).rows.iloc[0]
    assert (row["status"], row["age_rating"], row["title"], row["tags"]) == ("active", 0, "", [])


@pytest.mark.parametrize(
    ("text", "flag"), [("true", True), ("0", False), ("Yes", True), ("", False)]
)
def test_a_flag_is_read_in_any_of_its_ways(text: str, flag: bool) -> None:
    raw = pd.DataFrame({"user_id": ["u"], "opted_out": [text], "row_num": [0]})
    assert parse(raw, USERS).rows["opted_out"].to_list() == [flag]


def test_a_missing_column_is_named_with_its_neighbour() -> None:
    with pytest.raises(ContractError, match=r"first: user_id.*rename 'user'\?"):
        check_columns(["user", "video_id", "event_at", "event_type"], INTERACTIONS, origin="x.csv")


@pytest.mark.parametrize("name", ["video_id", "title", "tags"])
def test_half_of_an_emoji_is_replaced_and_costs_nobody_a_night(name: str) -> None:
    raw = pd.DataFrame({"video_id": ["v1"], name: ["cut \ud83d here"]}, dtype=object)
    raw["row_num"] = 0
    (value,) = parse(raw, VIDEOS).rows[name]
    assert value == (["cut \ufffd here"] if name == "tags" else "cut \ufffd here")


@pytest.mark.parametrize("dtype", ["str", object])
def test_a_zero_byte_is_left_out_of_a_text(dtype: Any) -> None:
    raw = pd.DataFrame({"video_id": ["v1", "v2"], "title": ["\0cats \0", "\0"]}, dtype=dtype)
    raw = raw.assign(row_num=[0, 1], tags=pd.Series([["a\0b"], ["\0"]], dtype=object))
    rows = parse(raw, VIDEOS).rows
    assert rows["title"].to_list() == ["cats", ""]
    assert rows["tags"].to_list()[0] == ["ab"]
    assert "\0" not in str(rows["tags"].to_list())


anything = (
    st.none()
    | st.text(max_size=20)
    | st.text(st.characters(categories=["Cs", "Ll"]), max_size=5)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.integers(-(10**18), 10**18)
)


@given(
    st.lists(st.tuples(anything, anything, anything, anything, anything), min_size=1, max_size=8)
)
@settings(max_examples=150, deadline=None)
def test_every_row_is_either_accepted_or_rejected_whatever_it_holds(
    rows: list[tuple[object, ...]],
) -> None:
    names = ["user_id", "video_id", "event_at", "event_type", "watched_s"]
    raw = pd.DataFrame(rows, columns=names, dtype=object)
    raw["row_num"] = range(len(raw))
    parsed = parse(raw, INTERACTIONS)
    assert sorted([*parsed.rows["row_num"], *parsed.rejects["row_num"]]) == list(range(len(raw)))
    assert (parsed.rejects["reason"] != "").all()
