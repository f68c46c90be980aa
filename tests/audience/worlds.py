"""Tiny catalogues and logs in the types of their contracts, for one night."""

from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.contracts.inputs import INTERACTIONS, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import parse
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.settings import AudienceSettings

NIGHT = date(2026, 9, 10)
"""A Thursday."""
MIDNIGHT = pd.Timestamp(NIGHT, tz="UTC")
SETTINGS = AudienceSettings()


def event(user: str, video: str, hours: float, kind: str = "play", **more: Any) -> dict[str, Any]:
    """An event some hours before the night; below 0 after it."""
    moment = MIDNIGHT - pd.Timedelta(seconds=round(hours * 3600))
    return {"user_id": user, "video_id": video, "event_at": moment, "event_type": kind, **more}


def log(*events: dict[str, Any]) -> pd.DataFrame:
    """Validated interactions in the order of their rows."""
    names = [column.name for column in INTERACTIONS.columns]
    return _parsed(pd.DataFrame(list(events), columns=names), INTERACTIONS)


def catalogue(**videos: dict[str, Any]) -> pd.DataFrame:
    """``video_id={column: value}``, sorted by video_id; a minute long if nothing is said."""
    rows = [{"video_id": name, "duration_s": 60.0, **videos[name]} for name in sorted(videos)]
    names = [column.name for column in VIDEOS.columns]
    return _parsed(pd.DataFrame(rows, columns=names), VIDEOS)


def users(**rows: dict[str, Any]) -> pd.DataFrame:
    """``user_id={column: value}``."""
    names = [column.name for column in USERS.columns]
    table = pd.DataFrame([{"user_id": name, **rows[name]} for name in rows], columns=names)
    return _parsed(table, USERS)


def _parsed(raw: pd.DataFrame, table: Table) -> pd.DataFrame:
    parsed = parse(raw.assign(row_num=range(len(raw))), table)
    assert parsed.rejects.empty, parsed.rejects.to_string()
    return parsed.rows
