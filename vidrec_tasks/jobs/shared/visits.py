"""Visits: the weighed events of all user shards, one shard in memory at a time.

Who is learned from and who is measured is drawn by stable hashes, so that neither the number of
shards nor their order decides; the draws are independent of each other, so those who are measured
stand for everybody, learned from or not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.columns import (
    EVENT_AT,
    IS_WATCHED,
    N_LIKERS_RECENT,
    N_VIEWERS_RECENT,
    USER_ID,
    VIDEO_ID,
    VIDEO_NUM,
    WEIGHT,
)
from vidrec_tasks.jobs.shared.reading import moment_of
from vidrec_tasks.recommending.catalogue.popularity import WINDOW_DAYS
from vidrec_tasks.running.job import Context, shards_of
from vidrec_tasks.store.shards import hashes_of

COLUMNS: Final = [USER_ID, VIDEO_ID, VIDEO_NUM, EVENT_AT, WEIGHT, IS_WATCHED]

_SLACK: Final = 1.25
"""Users held before the draw is cut back, of those wanted: a cut copies what is kept."""


def visits_by_shard(context: Context, night: date) -> Iterator[pd.DataFrame]:
    """The weighed visits of each user shard before a night; a user is in one shard only."""
    videos, statistics = context.read_table("videos"), context.read_table("watch_statistics")
    for shard in range(context.run.record.n_user_shards):
        interactions = context.read_table(f"interactions.{shard}")
        weighed = weigh(
            interactions, videos, context.settings.audience, night=night, statistics=statistics
        )
        yield weighed[COLUMNS]


def watched_by_shard(context: Context, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """What the users of each shard watched, by `build_profiles`, one shard in memory at a time.

    Args:
        context: whose night.
        columns: which of a visit's columns, besides event_at and is_watched.
    """
    wanted = list(dict.fromkeys([*columns, EVENT_AT, IS_WATCHED]))
    for name in shards_of(context.run, "profiles"):
        visits = context.read_rows(name, "visits", columns=wanted)
        yield visits[visits[IS_WATCHED].astype(bool)]


class Draw:
    """The rows of at most ``n`` users: those of the smallest hashes, whatever order they come in.

    Bottom-k sampling (Cohen and Kaplan, 2007): a user's hash says once and for all who comes
    before whom, so a draw from everybody is the same as a draw from the draws of the shards.

    Args:
        n: users at most.
        salt: makes draws independent; '' orders by `stable_hash` of the id.
    """

    def __init__(self, n: int, *, salt: str = "") -> None:
        self._n, self._salt = n, salt
        self._users = np.empty(0, dtype=np.uint64)
        self._hashes = np.empty(0, dtype=np.uint64)
        self._parts: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame) -> None:
        """Take in the rows of some users; all of a user's rows come at once."""
        hashes = hashes_of(self._salt + rows[USER_ID].astype(str))
        keep = hashes <= self._limit
        self._parts.append(rows[keep])
        self._hashes = np.concatenate([self._hashes, hashes[keep]])
        self._users = np.union1d(self._users, hashes[keep])
        if len(self._users) > _SLACK * self._n:
            self._cut()

    def rows(self) -> pd.DataFrame:
        """The rows of who was drawn, in the order in which they came."""
        self._cut()
        return self._parts[0]

    @property
    def _limit(self) -> np.uint64:
        """The largest hash that is in the draw so far."""
        is_full = len(self._users) >= self._n
        return np.uint64(self._users[self._n - 1] if is_full else np.iinfo(np.uint64).max)

    def _cut(self) -> None:
        keep: npt.NDArray[np.bool_] = self._hashes <= self._limit
        self._parts = [pd.concat(self._parts, ignore_index=True)[keep].reset_index(drop=True)]
        self._hashes, self._users = self._hashes[keep], self._users[: self._n]


@dataclass(frozen=True)
class Learned:
    """What a fit may see of a night.

    Attributes:
        visits: of the users who are learned from.
        popularity: video_id, n_viewers_recent, n_likers_recent, window_days, over all users.
        n_users: users with visits, learned from or not.
    """

    visits: pd.DataFrame
    popularity: pd.DataFrame
    n_users: int


def draw_learners(context: Context) -> Draw:
    """The draw of whom models learn from, with nobody in it yet."""
    return Draw(context.settings.recommending.max_training_users, salt="learn:")


def learn_from(context: Context, night: date) -> Learned:
    """Draw whom the models of a night learn from, and count everybody's viewings."""
    draw = draw_learners(context)
    viewers, n_users = pd.DataFrame(), 0
    for visits in visits_by_shard(context, night):
        draw.add(visits)
        both = pd.concat([viewers, _recent_viewers(visits, night)], ignore_index=True)
        viewers = both.groupby(VIDEO_ID, as_index=False).sum()
        n_users += int(visits[USER_ID].nunique())
    return Learned(draw.rows(), viewers.assign(window_days=WINDOW_DAYS), n_users)


def _recent_viewers(visits: pd.DataFrame, night: date) -> pd.DataFrame:
    """Users who watched each video in the window before the night, and those who liked it."""
    since = moment_of(night) - pd.Timedelta(days=WINDOW_DAYS)
    recent = visits[visits[IS_WATCHED] & (visits[EVENT_AT] >= since)]
    viewers = recent.groupby(VIDEO_ID)[USER_ID].nunique()
    likers = recent[recent[WEIGHT] > 0].groupby(VIDEO_ID)[USER_ID].nunique()
    counted = {
        N_VIEWERS_RECENT: viewers,
        N_LIKERS_RECENT: likers.reindex(viewers.index, fill_value=0),
    }
    return pd.DataFrame(counted).reset_index()
