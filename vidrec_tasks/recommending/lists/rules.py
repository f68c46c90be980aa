"""Rules: what may stand in a list at all, as masks over the catalogue and as bits for users.

Hard filters: no score, quota or diversity can lift one. Leaves "already watched" to whoever holds a
history.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    EXPIRES_AT,
    MAX_AGE_RATING,
    OPTED_OUT,
    PUBLISHED_AT,
    REGION,
    REGIONS,
    STATUS,
    USER_ID,
)
from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.recommending.lists.eligibility import (
    Bits,
    Eligible,
    Ints,
    Mask,
    are_set,
    from_bits,
    to_bits,
)

RULED: Final = (STATUS, PUBLISHED_AT, EXPIRES_AT, AGE_RATING, REGIONS)
"""The columns of the catalogue that rules read."""

RULES_OF: Final = (USER_ID, REGION, MAX_AGE_RATING, OPTED_OUT)
"""The columns of the users table that they read."""

POOL = 10
"""Candidates the re-ranker looks at for each place of a list: 20 buy more variety at a worse
price."""


def visible(videos: pd.DataFrame, *, moment: pd.Timestamp) -> Mask:
    """``(n_videos,)`` whether a video is active, published before the moment and not expired."""
    return ~np.logical_or.reduce(list(hidden(videos, moment=moment).values()))


def hidden(videos: pd.DataFrame, *, moment: pd.Timestamp) -> dict[str, Mask]:
    """Rule -> ``(n_videos,)`` whether it hides a video from everybody."""
    return {
        "it is not active": np.asarray(videos[STATUS].str.casefold() != ACTIVE, dtype=bool),
        "it is not published yet": np.asarray(videos[PUBLISHED_AT] >= moment, dtype=bool),
        "it has expired": np.asarray(videos[EXPIRES_AT] <= moment, dtype=bool),
    }


def allowed_in(videos: pd.DataFrame, *, region: str, max_age_rating: float) -> Mask:
    """``(n_videos,)`` whether a video may be shown in a region at an age rating (years).

    A user whose region is not known sees only what is allowed everywhere.
    """
    found = barred(videos, region=region, max_age_rating=max_age_rating)
    return ~np.logical_or.reduce(list(found.values()))


def barred(videos: pd.DataFrame, *, region: str, max_age_rating: float) -> dict[str, Mask]:
    """Rule -> ``(n_videos,)`` whether it keeps a video from a region or an age rating (years)."""
    in_region = [not allowed or region in allowed for allowed in videos[REGIONS]]
    return {
        "it is not allowed in the user's region": ~np.array(in_region, dtype=bool),
        "it is rated above the user's age": ~np.asarray(
            videos[AGE_RATING].to_numpy() <= max_age_rating, dtype=bool
        ),
    }


def allowed_everywhere(videos: pd.DataFrame) -> Mask:
    """``(n_videos,)`` allowed in every region at the lowest age rating."""
    return allowed_in(videos, region="", max_age_rating=0)


class UserRules:
    """The rules of users, as rows of bits a region and an age rating, which most users share.

    Args:
        videos: the catalogue of the night, sorted by video_id.
        users: the users table; who is not in it has no region and the default age rating.
        moment: 00:00 UTC of the night.
        default_max_age_rating: years, for users with none of their own.
    """

    def __init__(
        self,
        videos: pd.DataFrame,
        users: pd.DataFrame,
        *,
        moment: pd.Timestamp,
        default_max_age_rating: int,
    ) -> None:
        self._n_videos = len(videos)
        self._visible = to_bits(visible(videos, moment=moment))
        self._age_ratings = videos[AGE_RATING].to_numpy()
        self._bound, self._open = _by_region(videos)
        self._default = float(default_max_age_rating)
        self._users: Mapping[str, _Kind] = {
            str(row[USER_ID]): (str(row[REGION]), _known(row[MAX_AGE_RATING], self._default))
            for row in users[[USER_ID, REGION, MAX_AGE_RATING]].to_dict("records")
        }
        self.opted_out = set(users.loc[users[OPTED_OUT], USER_ID])
        self._regions: dict[str, Bits] = {}
        self._ages: dict[float, Bits] = {}
        self._cells: dict[_Kind, Bits] = {}

    def may(self, user_id: str, nums: Ints) -> Mask:
        """``(n_nums,)`` which of some videos this user may be shown."""
        return are_set(self._cell(self._kind(user_id)), nums)

    def mask_of(self, user_id: str) -> Mask:
        """``(n_videos,)`` what this user may be shown."""
        return from_bits(self._cell(self._kind(user_id)), self._n_videos)

    def eligible(self, user_ids: npt.NDArray[np.object_]) -> Eligible:
        """What each user of a block may be shown, whatever they have met."""
        kinds = [self._kind(str(user_id)) for user_id in user_ids]
        numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
        width = (self._n_videos + 7) // 8
        cells = np.concatenate([self._cell(kind) for kind in numbers] or [self._visible])
        cell_of = np.array([numbers[kind] for kind in kinds], dtype=np.int64)
        return Eligible(
            cells.reshape(-1, width), cell_of, self._n_videos, np.empty(0, dtype=np.int64)
        )

    def _kind(self, user_id: str) -> "_Kind":
        return self._users.get(user_id, ("", self._default))

    def _cell(self, kind: "_Kind") -> Bits:
        """The bits of a cell: regions and ages are kept, of their combinations some."""
        if kind not in self._cells:
            if len(self._cells) >= _MOST_CELLS:
                self._cells.clear()
            region, max_age_rating = kind
            self._cells[kind] = self._visible & self._region(region) & self._age(max_age_rating)
        return self._cells[kind]

    def _region(self, region: str) -> Bits:
        if region not in self._regions:
            allowed = self._open.copy()
            allowed[self._bound.get(region, [])] = True
            self._regions[region] = to_bits(allowed)
        return self._regions[region]

    def _age(self, max_age_rating: float) -> Bits:
        if max_age_rating not in self._ages:
            allowed = np.asarray(self._age_ratings <= max_age_rating, dtype=bool)
            self._ages[max_age_rating] = to_bits(allowed)
        return self._ages[max_age_rating]


_Kind: TypeAlias = tuple[str, float]
"""A region, and the age rating (years) up to which a user may see."""

_MOST_CELLS: Final = 1_024
"""Cells whose bits are kept: 128 MB of a million videos."""


def _by_region(videos: pd.DataFrame) -> tuple[dict[str, list[int]], Mask]:
    """Region -> the video_nums that are bound to it and others; and ``(n_videos,)`` bound to none.

    Said in one pass over the catalogue: a pass a region took 0.1 s each of a million videos.
    """
    bound: dict[str, list[int]] = {}
    is_open = np.ones(len(videos), dtype=bool)
    for num, regions in enumerate(videos[REGIONS]):
        if regions:
            is_open[num] = False
            for region in regions:
                bound.setdefault(region, []).append(num)
    return bound, is_open


def _known(value: Any, default: float) -> float:
    return default if value is None or np.isnan(value) else float(value)
