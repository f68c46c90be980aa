"""Shards: where an id belongs depends on the id alone, today and on any machine."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.store.shards import MIN_BUCKETS, Split, hashes_of, stable_hash

ids = st.lists(st.text(max_size=8), max_size=20)


def test_the_hash_is_the_one_that_old_shards_were_made_with() -> None:
    # printf u1 | b2sum -l 64
    assert f"{stable_hash('u1'):016x}" == "92994d683f4e6ad5"


@settings(max_examples=40, deadline=None)
@given(ids, st.integers(1, 9), st.integers(9, 40))
def test_an_id_has_one_shard_whoever_stands_beside_it(
    names: list[str], n_shards: int, n_buckets: int
) -> None:
    split = Split(n_shards, n_buckets)
    shards = split.shards(pd.Series(names, dtype=object)).tolist()
    assert shards == [stable_hash(name) % n_buckets % n_shards for name in names]
    assert shards == [split.shard_of(name) for name in names]
    assert all(0 <= shard < n_shards for shard in shards)


@settings(max_examples=40, deadline=None)
@given(ids, st.integers(1, 16), st.integers(1, 16))
def test_a_shard_is_a_set_of_whole_buckets_however_many_shards_there_are(
    names: list[str], some: int, other: int
) -> None:
    series = pd.Series(names, dtype=object)
    buckets = Split(some, 16).buckets(series)
    np.testing.assert_array_equal(buckets, Split(other, 16).buckets(series))
    table = pd.DataFrame({"bucket": buckets, "shard": Split(some, 16).shards(series)})
    assert (table.groupby("bucket")["shard"].nunique() == 1).all()


def test_many_ids_are_spread_evenly() -> None:
    shards = Split(8, 63).shards(pd.Series([f"user-{num}" for num in range(8_000)]))
    sizes = pd.Series(shards).value_counts()
    # a shard has 7 or 8 of 63 buckets; 5 standard deviations of a fair draw
    assert sizes.between(8_000 * 7 / 63 - 150, 8_000 * 8 / 63 + 150).all()


def test_numbers_and_their_text_are_the_same_id() -> None:
    assert hashes_of(pd.Series([7])).tolist() == hashes_of(pd.Series(["7"])).tolist()


def test_no_ids_have_no_shards() -> None:
    assert Split(3, 16).shards(pd.Series([], dtype="str")).tolist() == []


@pytest.mark.parametrize(("n_ids", "n_shards"), [(0, 1), (1, 1), (10, 1), (11, 2), (30, 3)])
def test_there_are_as_many_shards_as_hold_all_ids_and_at_least_one(
    n_ids: int, n_shards: int
) -> None:
    assert Split.of(n_ids, 10) == Split(n_shards, MIN_BUCKETS)


def test_there_are_many_buckets_a_shard_and_never_fewer_than_shards() -> None:
    assert Split.of(1_000_000, 20_000) == Split(50, 7_813)
    assert Split.of(100, 1) == Split(16, 16)
