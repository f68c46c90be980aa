"""Codecs: what goes in comes out, in the same bytes each time; no object is ever pickled."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.codecs import decode, decode_rows, encode, from_texts, shared_from_texts


def back(value: Any) -> Any:
    return decode(*encode(value))


@pytest.mark.parametrize(
    ("value", "suffix"),
    [(pd.DataFrame({"a": [1]}), "parquet"), (np.ones(2), "npy"), (b"x", "bin"), ({}, "json"),
     ([], "json")],
)  # fmt: skip
def test_a_value_has_the_suffix_of_its_kind(value: Any, suffix: str) -> None:
    assert encode(value)[0] == suffix


columns = {
    "text": st.lists(st.text(max_size=5), min_size=3, max_size=3),
    "whole": st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=3),
    "real": st.lists(st.floats(), min_size=3, max_size=3),
    "flag": st.lists(st.booleans(), min_size=3, max_size=3),
    "nested": st.lists(
        st.none()
        | st.lists(st.text(max_size=3), max_size=3)
        | st.dictionaries(st.text(max_size=3), st.integers(-9, 9), max_size=3),
        min_size=3,
        max_size=3,
    ),
}


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(columns))
def test_any_frame_comes_back_as_it_was(values: dict[str, list[Any]]) -> None:
    frame = pd.DataFrame(
        {
            "text": pd.Series(values["text"], dtype="str"),
            "whole": pd.Series(values["whole"], dtype="int64"),
            "real": pd.Series(values["real"], dtype="float64"),
            "flag": pd.Series(values["flag"], dtype=bool),
            "nested": pd.Series(values["nested"], dtype=object),
        }
    )
    pd.testing.assert_frame_equal(back(frame), frame)


def test_types_are_kept_even_where_there_are_no_rows() -> None:
    frame = pd.DataFrame(
        {
            "id": pd.Series(dtype="str"),
            "weight": pd.Series(dtype="float32"),
            "at": pd.Series(dtype="datetime64[us, UTC]"),
            "is_cold": pd.Series(dtype=bool),
        }
    )
    pd.testing.assert_frame_equal(back(frame), frame)


def test_a_frame_comes_back_without_its_old_row_names() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]]
    assert back(frame).index.tolist() == [0, 1]
    assert back(frame)["a"].tolist() == [3, 1]


def test_tuples_and_numpy_values_inside_a_cell_become_lists_and_numbers() -> None:
    cells = [("a", np.float32(0.5)), [np.int64(3), np.bool_(True)], {"x": np.array([1, 2])}]
    frame = pd.DataFrame({"cited": pd.Series(cells, dtype=object)})
    assert back(frame)["cited"].tolist() == [["a", 0.5], [3, True], {"x": [1, 2]}]


def test_encoding_does_not_change_the_frame() -> None:
    frame = pd.DataFrame({"topics": [["a"], ["b"]]})
    encode(frame)
    assert frame["topics"].tolist() == [["a"], ["b"]]


def test_the_order_of_keys_does_not_change_the_bytes() -> None:
    assert encode({"a": 1, "b": [2]}) == encode({"b": [2], "a": 1})
    cells = [{"a": 1, "b": 2}], [{"b": 2, "a": 1}]
    first, second = (encode(pd.DataFrame({"x": cell})) for cell in cells)
    assert first == second


def test_times_inside_json_are_text() -> None:
    moment = pd.Timestamp("2026-09-01T12:00", tz="UTC")
    assert back({"at": moment}) == {"at": "2026-09-01T12:00:00+00:00"}


@pytest.mark.parametrize("value", [{1, 2}, date(2026, 9, 1), object(), b"x", pd.NaT])
def test_a_value_of_unknown_kind_inside_json_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(StoreError, match=f"a {type(value).__name__} inside JSON"):
        encode({"x": [value]})
    with pytest.raises(StoreError, match=f"a {type(value).__name__} inside JSON"):
        encode(pd.DataFrame({"x": [[value]]}))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16", "U5"])
def test_an_array_keeps_its_type_and_shape(dtype: str) -> None:
    matrix = np.arange(6).reshape(2, 3).astype(dtype)
    found = back(matrix)
    np.testing.assert_array_equal(found, matrix)
    assert (found.dtype, found.shape) == (matrix.dtype, matrix.shape)


def test_an_array_without_rows_keeps_its_width() -> None:
    assert back(np.zeros((0, 384), dtype=np.float32)).shape == (0, 384)


def test_how_an_array_lies_in_memory_does_not_change_its_bytes() -> None:
    matrix = np.arange(12.0).reshape(3, 4)
    assert encode(np.asfortranarray(matrix)) == encode(matrix)
    assert encode(matrix[:, ::2]) == encode(matrix[:, ::2].copy())


def test_a_pickled_array_is_never_opened(tmp_path: Any) -> None:
    np.save(tmp_path / "bad.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        decode("npy", (tmp_path / "bad.npy").read_bytes())


def test_equal_texts_are_decoded_once_and_mean_what_they_mean_alone() -> None:
    texts = pd.Series(['["a"]', "[]", None, '["a"]'], dtype="str")
    shared = shared_from_texts(texts)
    assert shared == list(from_texts(texts))
    assert shared[0] is shared[3]


@pytest.mark.parametrize(("values", "rows"), [(["b"], [2]), (["b", "c", "x"], [2, 3]), ([], [])])
def test_rows_are_those_whose_column_holds_one_of_the_values(
    values: list[str], rows: list[int]
) -> None:
    data = encode(pd.DataFrame({"id": ["a", "b", "c"], "n": [1, 2, 3]}))[1]
    assert decode_rows(data, "id", values)["n"].tolist() == rows
