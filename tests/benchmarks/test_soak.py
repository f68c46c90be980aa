"""Soak: the catalogue changes each day, and growth is told from the nights."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.soak import _figures, change_catalogue
from vidrec_tasks.demo.size import LAST_NIGHT, Size
from vidrec_tasks.demo.world import render_world


def test_a_catalogue_lives(tmp_path: Path) -> None:
    render_world(tmp_path, Size(12, 8, 5, 7, films=3))
    path = tmp_path / "inputs" / "videos.csv"
    before = pd.read_csv(path, dtype=str, keep_default_na=False)
    sizes = [len(before)]
    for num in range(4):
        change_catalogue(tmp_path, LAST_NIGHT - timedelta(days=4 - num), num)
        sizes.append(len(pd.read_csv(path, dtype=str, keep_default_na=False)))
    after = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert [second - first for first, second in pairwise(sizes)] == [1, 0, -1, 0]
    assert (tmp_path / "inputs" / "media" / "n000.mp4").exists()
    changed = after.merge(before, on="video_id", suffixes=("", "_before"))
    assert (changed["title"] != changed["title_before"]).sum() >= 2


def test_growth_is_of_the_last_nights_over_the_middle_ones() -> None:
    nights = [
        {"state": "published", "store_bytes": 100 + 10 * n, "resident_mib": 50.0 + n,
         "processor_seconds": 5.0, "seconds": 6.0, "runs_in_store": min(n + 1, 3),
         "replay_users": n or None, "replay_in_report": n > 0}
        for n in range(9)
    ]  # fmt: skip
    found = _figures(nights, retained=2)
    assert found["ratios"]["store_growth"] == pytest.approx(180 / 130, abs=1e-3)
    assert found["ratios"]["memory_growth"] == pytest.approx(57 / 54, abs=1e-3)
    assert found["ratios"]["seconds_growth"] == 1
    figures = found["figures"]
    assert (figures["published"], figures["runs_in_store"], figures["nights_with_replay"]) == (
        9,
        3,
        8,
    )
