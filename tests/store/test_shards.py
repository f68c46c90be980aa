"""Shards: where an id belongs depends on the id alone, today and on any machine."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.store.shards import n_shards_for, shard_of, stable_hash

ids = st.lists(st.text(max_size=8), max_size=20)


def test_the_hash_is_the_one_that_old_shards_were_made_with() -> None:
    # printf u1 | b2sum -l 64
    assert f"{stable_hash('u1'):016x}" == "92994d683f4e6ad5"


@settings(max_examples=40, deadline=None)
@given(ids, st.integers(1, 9))
def test_an_id_has_one_shard_whoever_stands_beside_it(names: list[str], n_shards: int) -> None:
    shards = shard_of(pd.Series(names, dtype=object), n_shards).tolist()
    assert shards == [stable_hash(name) % n_shards for name in names]
    assert all(0 <= shard < n_shards for shard in shards)


def test_many_ids_are_spread_evenly() -> None:
    shards = shard_of(pd.Series([f"user-{num}" for num in range(8_000)]), 8)
    sizes = pd.Series(shards).value_counts()
    # 5 standard deviations of a fair draw
    assert sizes.between(1_000 - 150, 1_000 + 150).all()


def test_numbers_and_their_text_are_the_same_id() -> None:
    assert shard_of(pd.Series([7]), 5).tolist() == shard_of(pd.Series(["7"]), 5).tolist()


def test_no_ids_have_no_shards() -> None:
    assert shard_of(pd.Series([], dtype="str"), 3).tolist() == []


@pytest.mark.parametrize(("n_ids", "n_shards"), [(0, 1), (1, 1), (10, 1), (11, 2), (30, 3)])
def test_there_are_as_many_shards_as_hold_all_ids_and_at_least_one(
    n_ids: int, n_shards: int
) -> None:
    assert n_shards_for(n_ids, 10) == n_shards
