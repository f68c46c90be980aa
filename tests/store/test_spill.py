"""Spill: what is put in chunks comes back by shard, whole, in order, and leaves nothing behind."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store import spill
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.spill import Repeats, Spill


def frame(ids: list[str]) -> pd.DataFrame:
    times = pd.date_range("2026-01-01", periods=len(ids), tz="UTC").as_unit("us")
    return pd.DataFrame({"user_id": pd.Series(ids, dtype=str), "at": times, "n": range(len(ids))})


@settings(max_examples=30, deadline=None)
@given(
    ids=st.lists(st.sampled_from(["a", "b", "é", "user 4", "0"]), max_size=40),
    size=st.integers(1, 11),
    n_shards=st.integers(1, 7),
)
def test_every_row_comes_back_in_its_shard_and_in_order(
    ids: list[str], size: int, n_shards: int
) -> None:
    rows = frame(ids)
    with Spill("user_id") as spilled:
        for first in range(0, len(rows), size):
            spilled.put(rows[first : first + size])
        assert len(spilled.key_hashes) == len(set(ids))
        split = Split(n_shards, 16)
        spilled.split(split)
        for shard in range(n_shards):
            mine = rows[split.shards(rows["user_id"]) == shard].reset_index(drop=True)
            found = spilled.shard(shard)
            if len(mine):
                pd.testing.assert_frame_equal(found, mine)
            assert len(found) == len(mine)


def test_nothing_is_left_on_the_scratch_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Spill("user_id") as spilled:
        spilled.put(frame(["a", "b"]))
        assert len(list(tmp_path.rglob("*.parquet"))) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_full_scratch_disk_is_named_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spill.pq, "ParquetWriter", full)
    with (
        Spill("user_id") as spilled,
        pytest.raises(StoreError, match=r"No space left .* set TMPDIR"),
    ):
        spilled.put(frame(["a"]))


def test_repeated_ids_are_found_over_chunks_and_the_first_read_is_kept() -> None:
    chunks = [
        pd.DataFrame({"event_id": ["a", "", "b"], "row_num": [0, 1, 2]}),
        pd.DataFrame({"event_id": ["", "c", "a"], "row_num": [3, 4, 5]}),
        pd.DataFrame({"event_id": ["a", "b"], "row_num": [6, 7]}),
    ]
    repeats = Repeats("event_id", "row_num")
    for chunk in chunks:
        repeats.note(chunk)
    assert repeats.find(iter(chunks)).tolist() == [5, 6, 7]


def test_ids_whose_hashes_collide_are_not_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = pd.DataFrame({"event_id": ["a", "b"], "row_num": [0, 1]})
    repeats = Repeats("event_id", "row_num")
    monkeypatch.setattr(
        pd.util, "hash_pandas_object", lambda ids, index: pd.Series(np.ones(len(ids), np.uint64))
    )
    repeats.note(chunk)
    assert repeats.find(iter([chunk])).tolist() == []
