"""Shaping: rows of tables as the templates want them: cards, parts of a score, spelled values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import EVIDENCE, SCORE_COMPONENTS, VIDEO_ID
from vidrec_ui.catalogue import Catalogue

Page = dict[str, Any]

PER_PAGE: Final = 50


def card(
    row: Mapping[str, Any], catalogue: Catalogue, *, key: str = VIDEO_ID, at_s: float | None = None
) -> dict[str, Any]:
    """A row that names a video, with its title, picture, parts of the score and evidence."""
    video_id = row[key]
    second = None if at_s is None or pd.isna(at_s) else float(at_s)
    return {
        **row,
        "video_id": video_id,
        "title": catalogue.title(video_id),
        "thumbnail": catalogue.thumbnail(video_id, second),
        "at_s": second,
        "components": components(row.get(SCORE_COMPONENTS) or {}),
        "evidence": [(name, spelled(value)) for name, value in (row.get(EVIDENCE) or {}).items()],
    }


def components(parts: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parts of a score, largest first, with their share of all that was added or taken."""
    total = sum(abs(value) for value in parts.values()) or 1.0
    ordered = sorted(parts.items(), key=lambda item: -abs(item[1]))
    return [
        {"name": name, "value": value, "percent": round(100 * abs(value) / total, 1)}
        for name, value in ordered
    ]


def spelled(value: Any) -> str:
    """A value of a cell in words."""
    if isinstance(value, list | tuple):
        return ", ".join(spelled(inner) for inner in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {spelled(inner)}" for name, inner in value.items())
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def has_value(value: Any) -> bool:
    """Whether a cell holds a value."""
    if isinstance(value, list | tuple):
        return bool(value)
    return value is not None and value is not pd.NaT and not pd.isna(value) and value != ""


def minute(moment: Any) -> str:
    """A moment to the minute, '' for none."""
    return "" if moment is None or moment is pd.NaT else f"{moment:%Y-%m-%d %H:%M}"


def split_page(rows: Sequence[Any], n: int) -> tuple[list[Any], Any]:
    """Of n + 1 rows the first n, and the one that the next page begins with (None: the last)."""
    return list(rows[:n]), rows[n] if len(rows) > n else None
