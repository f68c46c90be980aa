"""What tests of several rooms put into a store and read out of it."""

from typing import Any

import pandas as pd

from vidrec_tasks.columns import EVENT_TYPES
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS
from vidrec_tasks.store.runs import RunRecord

UNKNOWN = f"event_type is unknown (known: {', '.join(EVENT_TYPES)})"
"""Why a row with another word there is rejected."""


def record_of(run_id: str = "2026-09-01-aaaaaaaa", **more: Any) -> RunRecord:
    """A run's record, its night taken from its id; of one shard unless more is said."""
    usual = {
        "night": run_id[:10], "inputs": "in", "settings_digest": "s", "code": "c",
        "n_user_shards": 1, "n_video_shards": 1, "catalogue_as_of": "current",
    }  # fmt: skip
    return RunRecord(run_id, **{**usual, **more})


def tables_of(url: str, run_id: str | None = None) -> dict[str, pd.DataFrame]:
    """Every result table: its rows of a run, or of the one that readers see."""
    reader = Reader(url)
    try:
        return {name: reader.table(name, run_id) for name in RESULTS}
    finally:
        reader.close()
