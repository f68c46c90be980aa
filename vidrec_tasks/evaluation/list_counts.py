"""List counts: what is wrong with a shard of lists, recounted from the tables alone.

Shares no code with whoever makes the lists, so that one mistake cannot hide in both. Counts of
shards add up; leaves bounds and verdicts to `gates`.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
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

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

OF_VIDEOS: Final = (VIDEO_ID, STATUS, EXPIRES_AT, AGE_RATING, REGIONS)
OF_USERS: Final = (USER_ID, REGION, MAX_AGE_RATING, OPTED_OUT)
OF_LISTS: Final = (USER_ID, VIDEO_ID, RANK, SCORE, SCORE_COMPONENTS)
OF_PROFILES: Final = (USER_ID, N_INTERACTIONS)
OF_VISITS: Final = (USER_ID, VIDEO_ID, IS_WATCHED)
"""The columns that are read here of each table."""

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


class Rulebook:
    """What lists are counted against, looked up once for all shards.

    Args:
        videos: the catalogue of the night: video_id, status, expires_at, age_rating, regions.
        users: user_id, region, max_age_rating, opted_out.
        duplicates: video_id, group_id of near-duplicates.
        moment: 00:00 UTC of the night.
        n: the longest a list may be.
        default_max_age_rating: years, for users with none of their own.
    """

    def __init__(
        self,
        videos: pd.DataFrame,
        users: pd.DataFrame,
        duplicates: pd.DataFrame,
        *,
        moment: pd.Timestamp,
        n: int,
        default_max_age_rating: float,
    ) -> None:
        self.n = n
        self.duplicates = duplicates[[VIDEO_ID, GROUP_ID]]
        self.is_active = (videos[STATUS].str.lower() == "active").to_numpy(dtype=bool)
        self.is_expired = (videos[EXPIRES_AT] <= moment).to_numpy(dtype=bool)
        self.visible = videos.loc[self.is_active & ~self.is_expired, VIDEO_ID]
        self.age_ratings = videos[AGE_RATING].to_numpy(np.float64)
        self.regions = videos[REGIONS].to_numpy(dtype=object)
        self._video_ids = pd.Index(videos[VIDEO_ID].to_numpy(dtype=object))
        self._user_ids = pd.Index(users[USER_ID].to_numpy(dtype=object))
        limits = users[MAX_AGE_RATING].to_numpy(np.float64)
        self._limits = np.where(np.isnan(limits), default_max_age_rating, limits)
        self._homes = users[REGION].to_numpy(dtype=object)
        self._is_out = users[OPTED_OUT].to_numpy(dtype=bool)
        self._default = default_max_age_rating

    def nums_of(self, video_ids: pd.Series) -> Ints:
        """The rows of the catalogue; -1: not known."""
        return self._video_ids.get_indexer(video_ids.to_numpy(dtype=object)).astype(np.int64)

    def users_of(self, user_ids: pd.Series) -> tuple[Floats, list[str | None], Mask]:
        """The age rating, the region (None: not known) and whether each user opted out."""
        rows = self._user_ids.get_indexer(user_ids.to_numpy(dtype=object))
        known = rows >= 0
        limits = np.full(len(rows), float(self._default))
        limits[known] = self._limits[rows[known]]
        is_out = np.zeros(len(rows), dtype=bool)
        is_out[known] = self._is_out[rows[known]]
        return limits, [self._homes[row] if row >= 0 else None for row in rows], is_out


def count_lists(
    lists: pd.DataFrame, profiles: pd.DataFrame, visits: pd.DataFrame, rules: Rulebook
) -> ListCounts:
    """Recount one user shard.

    Args:
        lists: user_id, rank, video_id, score, score_components (dict).
        profiles: user_id, n_interactions of the shard's users.
        visits: user_id, video_id, is_watched of the shard.
        rules: the catalogue and the users.
    """
    active = profiles.loc[profiles[N_INTERACTIONS] > 0, USER_ID]
    watched = visits.loc[visits[IS_WATCHED], [USER_ID, VIDEO_ID]].drop_duplicates()
    is_listed = active.isin(lists[USER_ID])
    nums = rules.nums_of(lists[VIDEO_ID])
    known = nums[nums >= 0]
    return ListCounts(
        n_rows=len(lists),
        n_active=len(active),
        n_listed=int(is_listed.sum()),
        n_exhausted=_exhausted(active[~is_listed], watched, rules.visible),
        n_repeated=_repeated(lists),
        n_seen=len(lists[[USER_ID, VIDEO_ID]].merge(watched)),
        n_expired=int(rules.is_expired[known].sum()),
        n_inactive=len(nums) - int(rules.is_active[known].sum()),
        n_barred=_barred(lists, nums, rules),
        n_near_duplicates=_near_duplicates(lists, rules.duplicates),
        n_wrong_sums=_wrong_sums(lists),
        n_gaps=count_gaps(lists, USER_ID, rules.n),
    )


def count_gaps(lists: pd.DataFrame, owner: str, n: int | None = None) -> int:
    """How many owners' ranks are not exactly 1, 2, … (up to ``n``)."""
    ordered = lists[[owner, RANK]].sort_values([owner, RANK])
    expected = ordered.groupby(owner).cumcount() + 1
    wrong = ordered[RANK].to_numpy() != expected.to_numpy()
    if n is not None:
        wrong = wrong | (ordered[RANK].to_numpy() > n)
    return int(ordered.loc[wrong, owner].nunique())


def _exhausted(user_ids: pd.Series, watched: pd.DataFrame, visible: pd.Series) -> int:
    """Users who have nothing left to see."""
    theirs = watched[watched[USER_ID].isin(user_ids) & watched[VIDEO_ID].isin(visible)]
    return int((theirs.groupby(USER_ID).size() >= len(visible)).sum())


def _repeated(lists: pd.DataFrame) -> int:
    twice = lists.duplicated([USER_ID, VIDEO_ID]) | lists.duplicated([USER_ID, RANK])
    return int(twice.sum())


def _barred(lists: pd.DataFrame, nums: Ints, rules: Rulebook) -> int:
    """Rows that a user's region, age rating or opt-out forbids; no region is outside of each."""
    limits, homes, is_out = rules.users_of(lists[USER_ID])
    is_known = nums >= 0
    too_old = np.zeros(len(nums), dtype=bool)
    too_old[is_known] = rules.age_ratings[nums[is_known]] > limits[is_known]
    abroad = [
        num >= 0 and len(rules.regions[num]) > 0 and home not in rules.regions[num]
        for num, home in zip(nums, homes, strict=True)
    ]
    return int((too_old | np.array(abroad, dtype=bool) | is_out).sum())


def _near_duplicates(lists: pd.DataFrame, duplicates: pd.DataFrame) -> int:
    grouped = lists[[USER_ID, VIDEO_ID]].merge(duplicates, on=VIDEO_ID)
    return int(grouped.duplicated([USER_ID, GROUP_ID]).sum())


def _wrong_sums(lists: pd.DataFrame) -> int:
    sums = np.array([sum(parts.values()) for parts in lists[SCORE_COMPONENTS]], dtype=np.float64)
    scores = lists[SCORE].to_numpy(np.float64)
    allowed = MAX_SUM_ERROR * np.maximum(1.0, np.abs(scores))
    return int((~(np.abs(sums - scores) <= allowed)).sum())  # a NaN is wrong too
