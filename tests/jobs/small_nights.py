"""A whole night over a few rows, with everything that is not asked about made small."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings, read_settings

NIGHT = date(2026, 9, 1)
NEXT = date(2026, 9, 2)

VIDEOS = pd.DataFrame(
    [
        ("v1", "Sourdough for beginners", "How to feed a starter", "baking|bread", "food", "oven",
         "en", 600, "2026-08-01"),
        ("v2", "Croissants at home", "Butter and patience", "baking|pastry", "food", "oven", "en",
         900, "2026-08-03"),
        ("v3", "Focaccia in an hour", "A flat bread with oil", "baking|bread", "food", "table",
         "en", 420, "2026-08-05"),
        ("v4", "Night sky with binoculars", "What to see in August", "astronomy|sky", "science",
         "dome", "en", 700, "2026-08-01"),
        ("v5", "Rings of Saturn", "A small telescope", "astronomy|planets", "science", "dome",
         "en", 650, "2026-08-04"),
        ("v6", "Why the Moon has phases", "Light and shadow", "astronomy|moon", "science", "dome",
         "en", 300, "2026-08-30"),
    ],
    columns=["video_id", "title", "description", "tags", "categories", "creator_id", "language",
             "duration_s", "published_at"],
)  # fmt: skip

EVENTS = pd.DataFrame(
    [
        ("u1", "v1", "2026-08-20T18:00:00Z", "play", 590),
        ("u1", "v2", "2026-08-21T18:00:00Z", "play", 850),
        ("u2", "v4", "2026-08-20T20:00:00Z", "play", 700),
        ("u2", "v5", "2026-08-22T20:00:00Z", "like", None),
        ("u3", "v3", "2026-08-22T09:00:00Z", "play", 400),
        ("u3", "v1", "2026-08-30T09:00:00Z", "play", 600),
        ("u4", "v5", "2026-08-24T21:00:00Z", "play", 610),
    ],
    columns=["user_id", "video_id", "event_at", "event_type", "watched_s"],
)


def settings_of(folder: Path, **groups: Mapping[str, Any]) -> Settings:
    """Small models and no language model; ``groups`` change groups of settings."""
    small = {
        "recommending": {"max_epochs": 2, "dim": 8},
        "language": {"max_sentences": 0},
        "evaluation": {"n_bootstrap": 50},
    }
    named = {name: {**small.get(name, {}), **groups.get(name, {})} for name in {*small, *groups}}
    return read_settings({}, store_url=str(folder), threads=1, **named)


def write(folder: Path, **tables: pd.DataFrame | str | None) -> None:
    """Input tables as CSV; a text stands as it is, None removes the table."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        path = inputs / f"{name}.csv"
        if table is None:
            path.unlink(missing_ok=True)
        elif isinstance(table, str):
            path.write_text(table)
        else:
            table.to_csv(path, index=False)


def run(folder: Path, night: date = NIGHT, **groups: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of a night's jobs, by job and name."""
    receipts = run_night(night, settings_of(folder, **groups), refresh=True)
    return {receipt["job"]: receipt["counts"] for receipt in receipts}


def table_of(folder: Path, name: str) -> pd.DataFrame:
    """A result table of what readers see."""
    reader = Reader(f"sqlite:///{folder}/results.sqlite")
    try:
        rows = reader.table(name)
        return rows[rows["run_id"] == reader.current_run_id()]
    finally:
        reader.close()


def lists_of(folder: Path) -> dict[str, Sequence[str]]:
    """user_id -> the videos of the list that readers see."""
    rows = table_of(folder, "recommendations").sort_values(["user_id", "rank"])
    return {str(user): list(group) for user, group in rows.groupby("user_id")["video_id"]}
