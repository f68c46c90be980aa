"""Catalogue: videos from items under other names, and from events where there are no items."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.contracts.absence import filled, is_filled
from vidrec_tasks.contracts.lists import NotAListError, read_list
from vidrec_tasks.contracts.times import parse_times
from vidrec_tasks.importing.staging import as_cell

log = logging.getLogger(__name__)


RESTRICTIONS: Final = {
    c.AGE_RATING: ("age_rating", "age_limit", "min_age", "minimum_age", "content_age_rating"),
    c.EXPIRES_AT: ("expires_at", "expiration_timestamp", "expiration", "available_until"),
    c.REGIONS: ("regions", "allowed_regions", "available_regions", "available_countries"),
    c.STATUS: ("status",),
}
"""What keeps a video from somebody, in our word and in others'; it is carried over by every preset,
and what cannot be read of it keeps the video out."""

RESTRICTING: Final = tuple(name for names in RESTRICTIONS.values() for name in names)


USER_RESTRICTIONS: Final = {
    c.MAX_AGE_RATING: ("max_age_rating", "max_age", "age_limit", "parental_limit"),
    c.OPTED_OUT: ("opted_out", "opt_out", "optout", "is_opted_out", "do_not_track"),
}
"""What a user may not be shown or does not want, in our word and in others'."""

USER_RESTRICTING: Final = tuple(name for names in USER_RESTRICTIONS.values() for name in names)


def restrictions(
    rows: pd.DataFrame, known: Mapping[str, Sequence[str]] = RESTRICTIONS
) -> dict[str, pd.Series]:
    """The restrictions that items (or, by `USER_RESTRICTIONS`, users) carry, in our words."""
    there = {str(name).strip().lower() for name in rows.columns}
    return {
        ours: first_of(rows, theirs) for ours, theirs in known.items() if there.intersection(theirs)
    }


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
        is not when they became visible. What cannot be read stays as it is written, for the
        contract to name.

        Returns:
            The moments (missing where nothing was said), and how many were moved to the first
            event.
        """
        stated = as_times(created)
        first = as_times(video_ids.map(lambda video: self.first_at.get(str(as_cell(video)))))
        is_late = (stated.notna() & first.notna() & (stated > first)).to_numpy()
        moments = stated.where(~is_late, first).astype(object)
        unread = stated.isna() & filled(created)
        return moments.where(~unread, created.astype(object)), int(is_late.sum())


def first_of(rows: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Of these columns, in any case, the first that says something, row by row; else nothing."""
    by_lower = {str(name).strip().lower(): name for name in reversed(list(rows.columns))}
    found = pd.Series(None, index=rows.index, dtype=object)
    for name in names:
        if name.lower() in by_lower:
            values = rows[by_lower[name.lower()]]
            has_value = filled(found)
            found = found.where(has_value, values) if has_value.any() else values
    return found


def as_lists(values: pd.Series, separators: Sequence[str] = ()) -> list[list[str]]:
    """Lists, native or as text; with separators named, text is split at these alone."""
    return [_as_list(value, separators) for value in values]


def as_times(values: pd.Series) -> pd.Series:
    """Moments (UTC) in every form that the contracts read; missing where it is none of them."""
    return parse_times(values).moments


def _as_list(value: object, separators: Sequence[str]) -> list[str]:
    if isinstance(value, str) and separators:
        separator = next((mark for mark in separators if mark in value), None)
        parts = value.split(separator) if separator else [value]
        return [part.strip() for part in parts if part.strip()]
    if not is_filled(value):
        return []
    try:
        return read_list(value)
    except NotAListError:
        return []
