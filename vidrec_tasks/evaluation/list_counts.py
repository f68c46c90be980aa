"""List counts: what is wrong with a shard of lists, recounted from the tables alone.

Shares no code with whoever makes the lists, so that one mistake cannot hide in both. Counts of
shards add up; leaves bounds and verdicts to `gates`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    EXPIRES_AT,
    GROUP_ID,
    IS_WATCHED,
    MAX_AGE_RATING,
    N_INTERACTIONS,
    OPTED_OUT,
    RANK,
    REGION,
    REGIONS,
    SCORE,
    SCORE_COMPONENTS,
    STATUS,
    USER_ID,
    VIDEO_ID,
)

MAX_SUM_ERROR: Final = 1e-4
"""Relative: components are summed in single precision."""


@dataclass(frozen=True)
class ListCounts:
    """Counts over user shards.

    Attributes:
        n_rows: rows of lists.
        n_active: users with an interaction before the night.
        n_listed: active users with a list.
        n_exhausted: active users without a list who watched all that is visible.
        n_repeated: rows that repeat a user's video or rank.
        n_seen: rows with a video that the user watched.
        n_expired, n_inactive: rows with a video past its expiry, or not active or not known.
        n_barred: rows that the user's region, age rating or opt-out forbids.
        n_near_duplicates: rows with a video like one that stands earlier in the list.
        n_wrong_sums: rows whose components do not sum to the score.
        n_gaps: users whose ranks are not 1, 2, … up to at most n.
    """

    n_rows: int = 0
    n_active: int = 0
    n_listed: int = 0
    n_exhausted: int = 0
    n_repeated: int = 0
    n_seen: int = 0
    n_expired: int = 0
    n_inactive: int = 0
    n_barred: int = 0
    n_near_duplicates: int = 0
    n_wrong_sums: int = 0
    n_gaps: int = 0

    def __add__(self, other: "ListCounts") -> "ListCounts":
        names = [field.name for field in fields(self)]
        return ListCounts(*(getattr(self, name) + getattr(other, name) for name in names))


def count_lists(
    lists: pd.DataFrame,
    profiles: pd.DataFrame,
    visits: pd.DataFrame,
    videos: pd.DataFrame,
    users: pd.DataFrame,
    duplicates: pd.DataFrame,
    *,
    moment: pd.Timestamp,
    n: int,
    default_max_age_rating: float,
) -> ListCounts:
    """Recount one user shard.

    Args:
        lists: user_id, rank, video_id, score, score_components (dict).
        profiles: user_id, n_interactions of the shard's users.
        visits: user_id, video_id, is_watched of the shard.
        videos: the catalogue of the night.
        users: user_id, region, max_age_rating, opted_out.
        duplicates: video_id, group_id of near-duplicates.
        moment: 00:00 UTC of the night.
        n: the longest a list may be.
        default_max_age_rating: years, for users with none of their own.
    """
    active = profiles.loc[profiles[N_INTERACTIONS] > 0, USER_ID]
    watched = visits.loc[visits[IS_WATCHED], [USER_ID, VIDEO_ID]].drop_duplicates()
    is_visible = _is_active(videos) & ~_is_expired(videos, moment)
    is_listed = active.isin(lists[USER_ID])
    n_expired, n_inactive = _invisible(lists, videos, moment)
    return ListCounts(
        n_rows=len(lists),
        n_active=len(active),
        n_listed=int(is_listed.sum()),
        n_exhausted=_exhausted(active[~is_listed], watched, videos.loc[is_visible, VIDEO_ID]),
        n_repeated=_repeated(lists),
        n_seen=len(lists[[USER_ID, VIDEO_ID]].merge(watched)),
        n_expired=n_expired,
        n_inactive=n_inactive,
        n_barred=_barred(lists, videos, users, default_max_age_rating),
        n_near_duplicates=_near_duplicates(lists, duplicates),
        n_wrong_sums=_wrong_sums(lists),
        n_gaps=count_gaps(lists, USER_ID, n),
    )


def count_gaps(lists: pd.DataFrame, owner: str, n: int | None = None) -> int:
    """How many owners' ranks are not exactly 1, 2, … (up to ``n``)."""
    ordered = lists[[owner, RANK]].sort_values([owner, RANK])
    expected = ordered.groupby(owner).cumcount() + 1
    wrong = ordered[RANK].to_numpy() != expected.to_numpy()
    if n is not None:
        wrong = wrong | (ordered[RANK].to_numpy() > n)
    return int(ordered.loc[wrong, owner].nunique())


def count_visible(videos: pd.DataFrame, moment: pd.Timestamp) -> int:
    """Videos that are active and not expired at a moment."""
    return int((_is_active(videos) & ~_is_expired(videos, moment)).sum())


def _is_active(videos: pd.DataFrame) -> pd.Series:
    return videos[STATUS].str.lower() == "active"


def _is_expired(videos: pd.DataFrame, moment: pd.Timestamp) -> pd.Series:
    return videos[EXPIRES_AT] <= moment


def _exhausted(user_ids: pd.Series, watched: pd.DataFrame, visible: pd.Series) -> int:
    """Users who have nothing left to see."""
    theirs = watched[watched[USER_ID].isin(user_ids) & watched[VIDEO_ID].isin(visible)]
    return int((theirs.groupby(USER_ID).size() >= len(visible)).sum())


def _repeated(lists: pd.DataFrame) -> int:
    twice = lists.duplicated([USER_ID, VIDEO_ID]) | lists.duplicated([USER_ID, RANK])
    return int(twice.sum())


def _invisible(lists: pd.DataFrame, videos: pd.DataFrame, moment: pd.Timestamp) -> tuple[int, int]:
    expired = videos.loc[_is_expired(videos, moment), VIDEO_ID]
    active = videos.loc[_is_active(videos), VIDEO_ID]
    return int(lists[VIDEO_ID].isin(expired).sum()), int((~lists[VIDEO_ID].isin(active)).sum())


def _barred(
    lists: pd.DataFrame, videos: pd.DataFrame, users: pd.DataFrame, default_max_age_rating: float
) -> int:
    """Rows that a user's region, age rating or opt-out forbids; no region is outside of each."""
    known = users.set_index(USER_ID)
    limits = lists[USER_ID].map(known[MAX_AGE_RATING]).astype(float).fillna(default_max_age_rating)
    ratings = lists[VIDEO_ID].map(videos.set_index(VIDEO_ID)[AGE_RATING]).astype(float)
    homes = lists[USER_ID].map(known[REGION])
    regions: Mapping[str, list[str]] = dict(zip(videos[VIDEO_ID], videos[REGIONS], strict=True))
    abroad = [
        bool(len(regions.get(video_id, ()))) and home not in regions[video_id]
        for video_id, home in zip(lists[VIDEO_ID], homes, strict=True)
    ]
    out = lists[USER_ID].isin(users.loc[users[OPTED_OUT].astype(bool), USER_ID])
    barred = (ratings > limits).to_numpy() | np.array(abroad, dtype=bool) | out.to_numpy()
    return int(barred.sum())


def _near_duplicates(lists: pd.DataFrame, duplicates: pd.DataFrame) -> int:
    grouped = lists[[USER_ID, VIDEO_ID]].merge(duplicates[[VIDEO_ID, GROUP_ID]], on=VIDEO_ID)
    return int(grouped.duplicated([USER_ID, GROUP_ID]).sum())


def _wrong_sums(lists: pd.DataFrame) -> int:
    sums = np.array([sum(parts.values()) for parts in lists[SCORE_COMPONENTS]], dtype=np.float64)
    scores = lists[SCORE].to_numpy(np.float64)
    allowed = MAX_SUM_ERROR * np.maximum(1.0, np.abs(scores))
    return int((~(np.abs(sums - scores) <= allowed)).sum())  # a NaN is wrong too
