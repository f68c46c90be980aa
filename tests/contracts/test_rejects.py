"""Rejects of a table: all are counted, the first of each reason are kept, whatever they come in."""

from random import Random

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.contracts.rejects import Rejects

Found = list[str]
"""The reason of each rejected row, by row_num."""


def rows_of(found: Found) -> pd.DataFrame:
    names = {"table": "videos", "row_num": range(len(found)), "reason": found, "sample": "s"}
    return pd.DataFrame(names)


def kept_of(found: Found, n_kept: int) -> Rejects:
    return Rejects("videos", n_kept).plus(rows_of(found))


def test_what_fits_is_kept_whole() -> None:
    rejects = kept_of(["a", "b", "a"], 3)
    pd.testing.assert_frame_equal(rejects.rows, rows_of(["a", "b", "a"]))
    assert rejects.left_out.empty


def test_a_rare_reason_is_not_crowded_out() -> None:
    rejects = kept_of(["a"] * 50 + ["b"], 10)
    assert rejects.rows["row_num"].tolist() == [*range(9), 50]
    assert rejects.left_out.to_dict("list") == {
        "table": ["videos"],
        "reason": ["a"],
        "n_rows": [41],
    }


def test_none_are_none() -> None:
    assert Rejects("videos", 10).rows.empty
    assert Rejects("videos", 10).left_out.empty


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from("aaaabc"), max_size=60), st.integers(10, 20), st.integers(1, 9),
    st.randoms(),
)  # fmt: skip
def test_no_part_and_no_order_decides_and_nothing_is_lost(
    found: Found, n_kept: int, size: int, random: Random
) -> None:
    whole, every = kept_of(found, n_kept), rows_of(found)
    parts = [every.iloc[first : first + size] for first in range(0, len(found), size)]
    random.shuffle(parts)
    parted = Rejects("videos", n_kept)
    for part in parts:
        parted = parted.plus(part)
        assert sum(map(len, parted.parts)) <= 2 * n_kept
    pd.testing.assert_frame_equal(parted.rows, whole.rows)
    assert len(whole.rows) == min(n_kept, len(found))
    left_out = dict(zip(parted.left_out["reason"], parted.left_out["n_rows"], strict=True))
    kept = whole.rows["reason"].value_counts()
    assert {name: int(kept.get(name, 0)) + left_out.get(name, 0) for name in set(found)} == {
        name: found.count(name) for name in set(found)
    }
