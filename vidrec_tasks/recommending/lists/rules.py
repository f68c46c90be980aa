"""Rules: what may stand in a list at all, as masks over the catalogue.

Hard filters: no score, quota or diversity can lift one. Leaves "already watched" to whoever holds a
history.
"""

from collections.abc import Mapping
from typing import Any

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

Mask = npt.NDArray[np.bool_]

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
    """The rules of users: one mask a kind of user, since most users share theirs.

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
        self._videos = videos
        self._visible = visible(videos, moment=moment)
        self._default = float(default_max_age_rating)
        self._users: Mapping[str, tuple[str, float]] = {
            str(row[USER_ID]): (str(row[REGION]), _known(row[MAX_AGE_RATING], self._default))
            for row in users[[USER_ID, REGION, MAX_AGE_RATING]].to_dict("records")
        }
        self.opted_out = set(users.loc[users[OPTED_OUT], USER_ID])
        self._masks: dict[tuple[str, float], Mask] = {}

    def mask_of(self, user_id: str) -> Mask:
        """``(n_videos,)`` what this user may be shown."""
        kind = self._users.get(user_id, ("", self._default))
        if kind not in self._masks:
            region, max_age_rating = kind
            allowed = allowed_in(self._videos, region=region, max_age_rating=max_age_rating)
            self._masks[kind] = self._visible & allowed
        return self._masks[kind]

    def masks(self, user_ids: npt.NDArray[np.object_]) -> Mask:
        """``(n_users, n_videos)`` what each user may be shown."""
        return np.stack([self.mask_of(str(user_id)) for user_id in user_ids])


def _known(value: Any, default: float) -> float:
    return default if value is None or np.isnan(value) else float(value)
