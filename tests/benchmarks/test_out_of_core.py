"""The skewed log, and how its figures are put together."""

from pathlib import Path

import pandas as pd

from benchmarks.out_of_core import HEAVY_USER, HEAVY_VIDEO, write_inputs


def test_one_user_and_one_video_are_as_heavy_as_they_say(tmp_path: Path) -> None:
    assert write_inputs(tmp_path, 20_000, 500, 50, "parquet") > 0
    log = pd.read_parquet(tmp_path / "inputs" / "interactions")
    assert len(log) == 20_000
    assert abs((log["user_id"] == "u00000000").mean() - HEAVY_USER) < 0.01
    assert abs((log["video_id"] == "v0000000").mean() - HEAVY_VIDEO) < 0.05
    assert log["event_id"].is_unique
    assert log["event_at"].is_monotonic_increasing


def test_csv_holds_what_parquet_holds(tmp_path: Path) -> None:
    for kind in ("parquet", "csv"):
        write_inputs(tmp_path / kind, 1_000, 20, 10, kind)
    table = pd.read_parquet(tmp_path / "parquet" / "inputs" / "interactions" / "00000.parquet")
    text = pd.read_csv(tmp_path / "csv" / "inputs" / "interactions" / "00000.csv")
    assert text["video_id"].tolist() == table["video_id"].tolist()
    assert pd.to_datetime(text["event_at"]).tolist() == table["event_at"].tolist()
