"""Histories: the interactions of many users in one compact, time-ordered structure.

Leaves cleaning and weighing to `interactions`; everything that learns or scores reads this.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.spans import spans
from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_NUM, WEIGHT

BLOCK: Final = 256
"""Users multiplied together where everybody is at hand."""


@dataclass(frozen=True)
class Histories:
    """The interactions of ``n_users`` users, oldest first within a user (CSR layout).

    Attributes:
        user_ids: ``(n_users,)`` str, sorted; a user's row here is their ``user_num``.
        offsets: ``(n_users + 1,)`` int64; user ``i`` owns events ``offsets[i]:offsets[i + 1]``.
        video_nums: ``(n_events,)`` int64, rows of the content matrices.
        weights: ``(n_events,)`` float32; above 0 liked, below 0 disliked.
        event_at: ``(n_events,)`` int64, seconds since 1970 UTC.
        buckets: ``(n_users,)`` int64, which users are multiplied together (`blocks`).
    """

    user_ids: npt.NDArray[np.object_]
    offsets: npt.NDArray[np.int64]
    video_nums: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    event_at: npt.NDArray[np.int64]
    buckets: npt.NDArray[np.int64]

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_events(self) -> int:
        """Number of interactions."""
        return len(self.video_nums)

    def of(self, user_num: int) -> slice:
        """The events of one user, as a slice into the event arrays."""
        return slice(int(self.offsets[user_num]), int(self.offsets[user_num + 1]))

    def user_nums(self) -> npt.NDArray[np.int64]:
        """``(n_events,)`` the user_num of each event."""
        return np.repeat(np.arange(self.n_users), np.diff(self.offsets))

    def blocks(self) -> Iterator[tuple[npt.NDArray[np.int64], "Histories"]]:
        """Yield ``(user_nums, their Histories)`` of each bucket, in the order of the buckets.

        All dense work on users is done a block at a time: the last digits of a product depend on
        what stands beside a row, and a bucket is the same however users are split.
        """
        order = np.argsort(self.buckets, kind="stable")
        starts = np.flatnonzero(np.diff(self.buckets[order], prepend=-1))
        for nums in np.split(order, starts[1:]) if len(order) else ():
            yield nums, self.take(nums)

    def one(self, user_num: int) -> "Histories":
        """The history of one user."""
        return self.take(np.array([user_num]))

    def take(self, users: npt.NDArray[np.int64]) -> "Histories":
        """The histories of some users, in the order given."""
        counts = self.offsets[users + 1] - self.offsets[users]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        events = spans(self.offsets[users], counts)
        return Histories(
            self.user_ids[users],
            offsets,
            self.video_nums[events],
            self.weights[events],
            self.event_at[events],
            self.buckets[users],
        )

    def newest(self, n: int) -> "Histories":
        """The same users with at most their ``n`` newest events."""
        back = self.offsets[1:][self.user_nums()] - np.arange(self.n_events)
        return self if back.max(initial=0) <= n else self.where(back <= n)

    def where(self, keep: npt.NDArray[np.bool_]) -> "Histories":
        """The same users with only the events where ``keep`` (``(n_events,)`` bool) holds."""
        kept_before = np.concatenate([[0], np.cumsum(keep)])
        return Histories(
            self.user_ids,
            kept_before[self.offsets].astype(np.int64),
            self.video_nums[keep],
            self.weights[keep],
            self.event_at[keep],
            self.buckets,
        )

    def before(self, seconds: int) -> "Histories":
        """The same users with only the events before a moment (seconds since 1970 UTC)."""
        return self.where(self.event_at < seconds)


def join(rows: Sequence[Histories]) -> Histories:
    """Histories one after the other as one, whose users are numbered anew."""
    n_users = sum(row.n_users for row in rows)
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(np.diff(row.offsets) for row in rows)])
    return Histories(
        np.array([f"{num:09d}" for num in range(n_users)], dtype=object),
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([row.video_nums for row in rows]),
        np.concatenate([row.weights for row in rows]),
        np.concatenate([row.event_at for row in rows]),
        np.zeros(n_users, dtype=np.int64),
    )


def gather(
    interactions: pd.DataFrame,
    user_ids: npt.ArrayLike | None = None,
    *,
    buckets: npt.NDArray[np.int64] | None = None,
) -> Histories:
    """Gather weighed interactions into histories.

    Args:
        interactions: columns user_id, video_num, event_at (datetime, UTC), weight; row order breaks
            ties in event_at.
        user_ids: all users to hold, also those without events; by default those who have events.
        buckets: ``(n_user_ids,)`` the bucket of each of them; by default `BLOCK` users at a time in
            the order of their ids.

    Returns:
        Histories with sorted users, oldest event first. Events of users not named are left out.
    """
    named = interactions[USER_ID].unique() if user_ids is None else user_ids
    users = np.array(sorted(set(np.asarray(named, dtype=object))), dtype=object)
    user_nums = pd.Index(users).get_indexer(pd.Index(interactions[USER_ID].astype(object)))
    seconds = epoch_seconds(interactions[EVENT_AT])
    order = np.lexsort((np.arange(len(seconds)), seconds, user_nums))
    order = order[user_nums[order] >= 0]
    counts = np.bincount(user_nums[order], minlength=len(users))
    if buckets is None:
        of_user = np.arange(len(users)) // BLOCK
    else:
        places = pd.Index(np.asarray(named, dtype=object)).get_indexer(pd.Index(users))
        of_user = buckets[places]
    return Histories(
        users,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        interactions[VIDEO_NUM].to_numpy(np.int64)[order],
        interactions[WEIGHT].to_numpy(np.float32)[order],
        seconds[order],
        of_user,
    )


def epoch_seconds(times: pd.Series) -> npt.NDArray[np.int64]:
    """Datetimes (UTC) as whole seconds since 1970."""
    moments = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]")
    return moments.astype(np.int64)
