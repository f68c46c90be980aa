"""Catalogue: videos from items under other names, and from events where there are no items."""

import logging
from collections.abc import Sequence
from typing import Final

import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.importing.staging import as_cell

log = logging.getLogger(__name__)

LIST_SEPARATORS: Final = ("|", ";", ",")
"""What separates the parts of a list kept as text: the first of these that occurs."""


class Events:
    """What passed by while events were carried over: videos and when each was first met."""

    def __init__(self) -> None:
        self.first_at: dict[str, pd.Timestamp] = {}

    def note(self, rows: pd.DataFrame) -> None:
        """Note the videos of some interactions (video_id, event_at as text)."""
        moments = as_times(rows[c.EVENT_AT])
        known = rows[c.VIDEO_ID].notna()
        firsts = moments[known].groupby(rows[c.VIDEO_ID][known]).min()
        for video, moment in firsts.items():
            name = str(as_cell(video))
            earlier = self.first_at.get(name, pd.NaT)
            self.first_at[name] = moment if pd.isna(earlier) else min(moment, earlier)

    def videos(self) -> pd.DataFrame:
        """A catalogue of ids alone, for data that come without items."""
        log.warning("no items among the files: %d videos have an id alone", len(self.first_at))
        return pd.DataFrame({c.VIDEO_ID: sorted(self.first_at)}, dtype=object)

    def published(self, video_ids: pd.Series, created: pd.Series) -> tuple[pd.Series, int]:
        """When videos became visible: as said, but never after their first event.

        A system that re-imports its items stamps them anew; events before the stamp prove that it
        is not when they became visible.

        Returns:
            The moments (missing where nothing was said), and how many were moved to the first
            event.
        """
        said = as_times(created)
        first = as_times(video_ids.map(lambda video: self.first_at.get(str(as_cell(video)))))
        is_late = (said.notna() & first.notna() & (said > first)).to_numpy()
        return said.where(~is_late, first), int(is_late.sum())


def first_of(rows: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """The first of these columns that is there, in any case; else nothing."""
    by_lower = {str(name).lower(): name for name in reversed(list(rows.columns))}
    for name in names:
        if name.lower() in by_lower:
            return rows[by_lower[name.lower()]]
    return pd.Series(None, index=rows.index, dtype=object)


def as_lists(values: pd.Series, separators: Sequence[str] = LIST_SEPARATORS) -> list[list[str]]:
    """Lists, native or as text with one of the separators between parts."""
    return [_as_list(value, separators) for value in values]


def as_times(values: pd.Series) -> pd.Series:
    """Moments (UTC) from seconds, milliseconds or ISO 8601; missing where it is neither."""
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    seconds = numbers.where(numbers.abs() < 1e11, numbers / 1000)
    seconds = seconds.where(seconds.between(0, 253_402_300_799))
    times = pd.to_datetime(seconds, unit="s", utc=True).astype("datetime64[us, UTC]")
    is_text = numbers.isna() & values.notna()
    if is_text.any():
        texts = pd.to_datetime(
            values[is_text].astype(str), errors="coerce", utc=True, format="ISO8601"
        )
        times = times.where(~is_text, texts.astype("datetime64[us, UTC]"))
    return times


def _as_list(value: object, separators: Sequence[str]) -> list[str]:
    if isinstance(value, str):
        separator = next((mark for mark in separators if mark in value), None)
        parts = value.split(separator) if separator else [value]
        return [part.strip() for part in parts if part.strip()]
    if value is None or isinstance(value, float):
        return []
    return [str(part) for part in value if part is not None] if hasattr(value, "__iter__") else []
