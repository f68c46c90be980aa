"""Bucketing: chunks and shards change no row, no reject and no statistic."""

from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.worlds import NIGHT
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_USERS = 9


def write_world(folder: Path) -> None:
    (folder / "inputs").mkdir(parents=True)
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num}" for num in range(6)], "title": "t", "duration_s": 60,
            "published_at": "2026-07-01",
        }
    )  # fmt: skip
    videos.to_csv(folder / "inputs" / "videos.csv", index=False)
    rows = [
        (f"u{num * 7 % N_USERS}", f"v{num % 7}", f"2026-08-{1 + num % 28:02d}", "play", num % 60,
         f"e{num % 150}" if num % 3 else "")
        for num in range(200)
    ]  # fmt: skip
    names = ["user_id", "video_id", "event_at", "event_type", "watched_s", "event_id"]
    pd.DataFrame(rows, columns=names).to_csv(folder / "inputs" / "interactions.csv", index=False)


def settings_of(folder: Path, users_per_shard: int, **more: int) -> Settings:
    inputs = {"users_per_shard": users_per_shard, "max_reject_share": 1.0, **more}
    return read_settings({}, store_url=str(folder), inputs=inputs)


def validated(folder: Path, users_per_shard: int, **more: int) -> tuple[Run, dict[str, int]]:
    write_world(folder)
    receipt = run_job(Order("validate_inputs", NIGHT), settings_of(folder, users_per_shard, **more))
    return Runs(Store(str(folder))).of_night(NIGHT), receipt["counts"]


def test_small_blocks_make_the_same_artefacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, counts = validated(tmp_path / "whole", 3)
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 400)
    blocks, counts_too = validated(tmp_path / "blocks", 3)
    assert counts == counts_too
    for name in ("interactions.0", "interactions.1", "interactions.2", "rejects",
                 "watch_statistics"):  # fmt: skip
        mine, other = whole.find(name), blocks.find(name)
        assert mine is not None
        assert other is not None
        assert mine.checksum == other.checksum, name


def test_the_number_of_shards_changes_no_row_no_reject_and_no_statistic(tmp_path: Path) -> None:
    one, counts = validated(tmp_path / "one", 100)
    three, counts_too = validated(tmp_path / "three", 3)
    assert (counts["user_shards"], counts_too["user_shards"]) == (1, 3)
    shards = [three.read_table(f"interactions.{shard}") for shard in range(3)]
    assert min(len(rows) for rows in shards) > 0
    assert sum(rows["user_id"].nunique() for rows in shards) == N_USERS
    together = pd.concat(shards).sort_values(["user_id", "event_at", "row_num"], ignore_index=True)
    pd.testing.assert_frame_equal(together, one.read_table("interactions.0"))
    for name in ("rejects", "watch_statistics"):
        pd.testing.assert_frame_equal(one.read_table(name), three.read_table(name))


def test_an_event_id_is_taken_once_even_over_two_users(tmp_path: Path) -> None:
    run, counts = validated(tmp_path, 3)
    rows = pd.concat([run.read_table(f"interactions.{shard}") for shard in range(3)])
    ids = rows.loc[rows["event_id"] != "", "event_id"]
    assert not ids.duplicated().any()
    rejects = run.read_table("rejects")
    assert (rejects["reason"] == "event_id appears twice").sum() > 10
    assert counts["interactions_accepted"] + counts["interactions_rejected"] == 200


def test_rejects_beyond_the_bound_are_counted_by_reason(tmp_path: Path) -> None:
    every, counts = validated(tmp_path / "every", 100)
    some, counts_too = validated(tmp_path / "some", 100, kept_rejects=10)
    rejects = every.read_table("rejects")
    by_reason = rejects["reason"].value_counts()
    assert len(by_reason) == 2
    assert by_reason.min() > 10
    assert every.ref("rejects").rows == by_reason.sum() == counts["interactions_rejected"]
    assert counts["rejects_left_out"] == 0
    kept = some.read_table("rejects")
    pd.testing.assert_frame_equal(kept, rejects.groupby("reason").head(5).reset_index(drop=True))
    left_out = some.read_table("rejects", "left_out")
    assert dict(zip(left_out["reason"], left_out["n_rows"], strict=True)) == dict(by_reason - 5)
    assert set(left_out["table"]) == {"interactions"}
    assert counts_too == {**counts, "rejects_left_out": by_reason.sum() - 10}


def test_neither_chunks_nor_shards_decide_which_rejects_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = validated(tmp_path / "whole", 100, kept_rejects=15)
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 400)
    split, _ = validated(tmp_path / "split", 3, kept_rejects=15)
    for part in ("table", "left_out"):
        pd.testing.assert_frame_equal(
            whole.read_table("rejects", part), split.read_table("rejects", part)
        )
