import json
import struct
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.publishing import worlds
from vidrec_tasks.publishing.copying import copied, copied_columns
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.store.codecs import decode, decode_rows, encode

ANSWERS, PROFILES = RESULTS["search_results"], RESULTS["user_profiles"]

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.floats(allow_infinity=False, allow_nan=False)


@given(st.lists(st.tuples(texts, texts, numbers, st.none() | numbers), min_size=1, max_size=8))
def test_every_field_comes_back_from_the_bytes(
    drawn: list[tuple[str, str, float, float | None]],
) -> None:
    queries, videos, scores, moments = zip(*drawn, strict=True)
    frame = pd.DataFrame(
        {"query": queries, "rank": range(len(drawn)), "video_id": videos, "score": scores,
         "matched": "title", "at_s": pd.Series(moments, dtype=float)}
    )  # fmt: skip

    rows = unpacked(ANSWERS, frame, {"run_id": "r1"})

    assert [row["query"] for row in rows] == [text.replace("\0", "") for text in queries]
    assert [row["score"] for row in rows] == list(scores)
    assert [row["at_s"] for row in rows] == list(moments)
    assert [row["rank"] for row in rows] == list(range(len(drawn)))
    assert {row["run_id"] for row in rows} == {"r1"}


def test_what_is_no_json_becomes_null_and_the_rest_stays_as_it_stands() -> None:
    frame = worlds.profiles(1).assign(
        behaviour=['{"share": NaN, "n": 1}', '{"a":  1.50}', '{"name": "\\u0000NaN"}']
    )

    rows = unpacked(PROFILES, frame, {"run_id": "r1"})

    assert [row["behaviour"] for row in rows] == [
        '{"n": 1, "share": null}', '{"a":  1.50}', '{"name": "NaN"}',
    ]  # fmt: skip


def test_json_as_the_store_keeps_it_gives_the_bytes_of_the_values() -> None:
    _, data = encode(worlds.profiles(1))
    as_values, as_texts = decode("parquet", data), decode_rows(data, as_text=True)

    assert isinstance(as_texts["evidence"].iloc[0], str)
    assert raw(PROFILES, as_texts) == raw(PROFILES, as_values)


@pytest.mark.parametrize("n_rows", [1, 7])
def test_the_number_of_rows_is_said_with_the_bytes(n_rows: int) -> None:
    frame = worlds.answers(1).iloc[np.zeros(n_rows, dtype=int)]

    assert [n for n, _ in copied(ANSWERS, frame, {"run_id": "r"})] == [n_rows]


def raw(table: sa.Table, frame: pd.DataFrame, fixed: dict[str, Any] | None = None) -> bytes:
    return b"".join(bytes(data) for _, data in copied(table, frame, fixed or {"run_id": "r"}))


def unpacked(table: sa.Table, frame: pd.DataFrame, fixed: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of PostgreSQL's binary format, read field by field."""
    data, names = raw(table, frame, fixed), copied_columns(table, frame, fixed)
    rows, at = [], 0
    while at < len(data):
        assert struct.unpack_from(">h", data, at)[0] == len(names)
        at, row = at + 2, {}
        for name in names:
            (length,) = struct.unpack_from(">i", data, at)
            at += 4
            row[name] = None if length < 0 else as_value(table.c[name], data[at : at + length])
            at += max(length, 0)
        rows.append(row)
    return rows


def as_value(column: Any, field: bytes) -> Any:
    kinds = {"Integer": ">i", "Double": ">d"}
    form = kinds.get(type(column.type).__name__)
    if form:
        return struct.unpack(form, field)[0]
    text = field.decode(errors="replace")
    if isinstance(column.type, sa.JSON):
        json.loads(text)
    return text
