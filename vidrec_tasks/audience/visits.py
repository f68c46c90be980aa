"""Visits: the events of one user around one video, collapsed to one row with one moment.

A log writes a play, a completion and a like for what was one visit. Leaves weighing to
`interactions`. Nothing at or after the night is read.
"""

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    DURATION_S,
    EVENT_AT,
    EVENT_TYPE,
    EVENT_TYPES,
    ROW_NUM,
    USER_ID,
    VALUE,
    VIDEO_ID,
    VIDEO_NUM,
    WATCHED_S,
    WATCHED_SHARE,
)

GAP_S: Final = 1800.0
"""Seconds without an event after which a visit ends, at least; or 1.5 times the video's length."""

COMPLETED_SHARE: Final = 0.95
"""Share watched, at least, where the log says complete."""

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def gather_visits(interactions: pd.DataFrame, videos: pd.DataFrame, *, night: date) -> pd.DataFrame:
    """Collapse the events before a night into visits.

    Args:
        interactions: validated events of any users; impressions are left out.
        videos: the catalogue, sorted by video_id; a video's row is its video_num.
        night: events at or after its 00:00 UTC do not exist.

    Returns:
        One row a visit, in the order of user_id, event_at, row_num: user_id, video_id, video_num,
        event_at and row_num of its last event (all a visit says is known only then), duration_s
        (NaN unknown), watched_s (NaN unknown), watched_share (in [0, 1], NaN unknown), value (mean
        rating, NaN none) and a count for each event type.
    """
    events, video_nums = _existing(interactions, videos, night)
    duration_s = videos[DURATION_S].to_numpy(np.float64)[video_nums]
    duration_s = np.where(duration_s > 0, duration_s, np.nan)
    visit_nums = _number_visits(events, video_nums, duration_s)
    last = np.flatnonzero(np.diff(visit_nums, append=-1))
    visits = events.iloc[last][[USER_ID, VIDEO_ID, EVENT_AT, ROW_NUM]].reset_index(drop=True)
    visits[VIDEO_NUM] = video_nums[last]
    visits[DURATION_S] = duration_s[last]
    counts = _count_types(events, visit_nums, len(last))
    for name, count in counts.items():
        visits[name] = count
    watched_s = _watched_s(events, visit_nums, len(last))
    visits[WATCHED_S] = watched_s
    visits[WATCHED_SHARE] = _share(watched_s, duration_s[last], counts["complete"])
    visits[VALUE] = _mean_rating(events, visit_nums, counts["rating"])
    return visits.sort_values([USER_ID, EVENT_AT, ROW_NUM], kind="stable").reset_index(drop=True)


def _existing(
    interactions: pd.DataFrame, videos: pd.DataFrame, night: date
) -> tuple[pd.DataFrame, Ints]:
    """The events that count, ordered by user, video and time, and their video_num."""
    before = interactions[EVENT_AT] < pd.Timestamp(night, tz="UTC")
    events = interactions[before & (interactions[EVENT_TYPE] != "impression")]
    nums = pd.Index(videos[VIDEO_ID]).get_indexer(pd.Index(events[VIDEO_ID])).astype(np.int64)
    events, nums = events[nums >= 0], nums[nums >= 0]
    users = pd.factorize(events[USER_ID], sort=True)[0]
    moments = events[EVENT_AT].dt.as_unit("us").astype("int64").to_numpy()
    order = np.lexsort((events[ROW_NUM].to_numpy(), moments, nums, users))
    return events.iloc[order].reset_index(drop=True), nums[order]


def _number_visits(events: pd.DataFrame, video_nums: Ints, duration_s: Doubles) -> Ints:
    users = pd.factorize(events[USER_ID])[0]
    seconds = events[EVENT_AT].dt.as_unit("ms").astype("int64").to_numpy() / 1000
    longest = np.fmax(GAP_S, 1.5 * duration_s)
    begins = np.ones(len(events), dtype=bool)
    begins[1:] = (np.diff(users) != 0) | (np.diff(video_nums) != 0)
    begins[1:] |= np.diff(seconds) > longest[1:]
    return np.cumsum(begins) - 1


def _count_types(events: pd.DataFrame, visit_nums: Ints, n_visits: int) -> dict[str, Ints]:
    types = events[EVENT_TYPE].to_numpy(dtype=object)
    return {
        name: np.bincount(visit_nums[types == name], minlength=n_visits)
        for name in EVENT_TYPES
        if name != "impression"
    }


def _watched_s(events: pd.DataFrame, visit_nums: Ints, n_visits: int) -> Doubles:
    """Seconds watched a visit: plays add up, other events repeat what a play said."""
    seconds = events[WATCHED_S].to_numpy(np.float64)
    known = ~np.isnan(seconds)
    is_play = known & (events[EVENT_TYPE].to_numpy(dtype=object) == "play")
    played = np.bincount(visit_nums[is_play], seconds[is_play], n_visits)
    reported = np.full(n_visits, np.nan)
    np.fmax.at(reported, visit_nums[known], seconds[known])
    return np.where(np.isnan(reported), np.nan, np.fmax(reported, played))


def _share(watched_s: Doubles, duration_s: Doubles, n_complete: Ints) -> Doubles:
    share = np.minimum(watched_s, duration_s) / duration_s  # a quotient first may overflow
    share = np.where((n_complete > 0) & np.isnan(watched_s), 1.0, share)
    return np.where(n_complete > 0, np.fmax(share, COMPLETED_SHARE), share)


def _mean_rating(events: pd.DataFrame, visit_nums: Ints, n_ratings: Ints) -> Doubles:
    rated = (events[EVENT_TYPE] == "rating").to_numpy() & events[VALUE].notna().to_numpy()
    values = events[VALUE].to_numpy(np.float64)[rated]
    n_known = np.bincount(visit_nums[rated], minlength=len(n_ratings))
    total = np.bincount(visit_nums[rated], values, len(n_ratings))
    return np.where(n_known > 0, total / np.maximum(n_known, 1), np.nan)
