"""Counts: how many users stand behind each number, added up over shards of users.

Counts are whole numbers, and what is averaged is added in whole units too, so neither the number
of shards nor their order changes a bit. Memory holds the cells of the catalogue and one shard.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.columns import TOPICS, USER_ID
from vidrec_tasks.insights.crowd import Crowd, Offer, ones

Integers = npt.NDArray[np.int64]

UNITS: Final = 2**32
"""Units of a share of 1: so fine that no rounded mean tells, and 2**31 users fit into a sum."""


def count_viewers(crowds: Iterable[Crowd], offer: Offer) -> Integers:
    """``(n_creators,)`` users who watched a video of each creator in the window.

    Args:
        crowds: different users each, one in memory at a time.
        offer: what the videos stand for.
    """
    n_viewers = np.zeros(len(offer.creator_ids), dtype=np.int64)
    for crowd in crowds:
        n_viewers += _by_column(ones(crowd.watched @ offer.made_by))
    return n_viewers


class Counts:
    """Counts of users over crowds of different users.

    Args:
        offer: what the videos stand for.
        is_counted: ``(n_creators,)`` whose audiences are counted by topic: small ones may not be
            told of, and would hold most of the cells.

    Attributes:
        n_users: users who watched anything in the window.
        oldest: when the first of it was watched; None where nothing was.
        n_viewers: ``(n_videos,)`` users who watched each video.
        n_watching: ``(n_topics,)`` users who watched a video of each topic.
        n_audience: ``(n_creators,)`` viewers of each creator who is counted.
        n_active: the same, of those who watched anything in the window's first and second half.
        cells: ``(n_creators, n_topics)`` viewers of the creator who watched the topic anywhere.
        half_cells: the same in the window's first and second half.
        known_cells: those of the cell of whom a share watched is known.
        share_cells: the sum of their mean shares of the topic's videos, in `UNITS`.
    """

    def __init__(self, offer: Offer, is_counted: npt.NDArray[np.bool_]) -> None:
        self.n_users = 0
        self.oldest: pd.Timestamp | None = None
        n_creators, n_topics = len(offer.creator_ids), len(offer.topics)
        self.n_viewers = np.zeros(offer.n_videos, dtype=np.int64)
        self.n_watching = np.zeros(n_topics, dtype=np.int64)
        self.n_audience = np.zeros(n_creators, dtype=np.int64)
        self.n_active = np.zeros((2, n_creators), dtype=np.int64)
        none = sp.csr_array((n_creators, n_topics), dtype=np.int64)
        self.cells = self.known_cells = self.share_cells = none
        self.half_cells = [none, none]
        self._carries = offer.carries
        self._made_by = ones(offer.made_by @ sp.diags_array(is_counted.astype(np.float64)))
        self._liked = _LikedTopics(n_topics)

    @property
    def liked(self) -> tuple[sp.csr_array, Integers, list[str]]:
        """Who likes a topic by their profile, and what of it they watched.

        Returns:
            ``(n_topics, n_liked)`` users who like the one and watched the other, ``(n_liked,)``
            users who like each, and the names of what is liked.
        """
        return self._liked.both, self._liked.n_users, list(self._liked.columns)

    def add(self, crowd: Crowd, profiles_topics: pd.DataFrame) -> None:
        """Add users who were not added before.

        Args:
            crowd: what they watched.
            profiles_topics: user_id, topics (``[topic, weight, n_videos]``) of their profiles.
        """
        self.n_users += crowd.n_users
        if crowd.oldest is not None:
            self.oldest = min(crowd.oldest, self.oldest or crowd.oldest)
        self.n_viewers += _by_column(crowd.watched)
        watching = ones(crowd.watched @ self._carries)  # (n_users, n_topics)
        self.n_watching += _by_column(watching)
        audiences = ones(crowd.watched @ self._made_by)  # (n_users, n_creators)
        self.n_audience += _by_column(audiences)
        self.cells = _plus(self.cells, audiences, watching)
        for number, half in enumerate((crowd.earlier, crowd.later)):
            is_active = sp.diags_array((half.sum(axis=1) > 0).astype(np.float64))
            self.n_active[number] += _by_column(sp.csr_array(is_active @ audiences))
            self.half_cells[number] = _plus(
                self.half_cells[number], audiences, ones(half @ self._carries)
            )
        means = _mean_shares(crowd, self._carries)
        self.known_cells = _plus(self.known_cells, audiences, ones(means))
        self.share_cells = _plus(self.share_cells, audiences, means)
        self._liked.add(crowd.user_ids, watching, profiles_topics)


class _LikedTopics:
    """What users like by their profiles; topics get their columns as they are met."""

    def __init__(self, n_topics: int) -> None:
        self.columns: dict[str, int] = {}
        self.n_users = np.zeros(0, dtype=np.int64)
        self.both = sp.csr_array((n_topics, 0), dtype=np.int64)

    def add(
        self,
        user_ids: npt.NDArray[np.object_],
        watching: sp.csr_array,
        profiles_topics: pd.DataFrame,
    ) -> None:
        likes = self._likes(user_ids, profiles_topics)
        n_new = len(self.columns) - len(self.n_users)
        self.n_users = np.pad(self.n_users, (0, n_new)) + _by_column(likes)
        self.both.resize(self.both.shape[0], len(self.columns))
        self.both = _plus(self.both, watching, likes)

    def _likes(
        self, user_ids: npt.NDArray[np.object_], profiles_topics: pd.DataFrame
    ) -> sp.csr_array:
        """``(n_users, n_liked)`` ones: the topics of each user's profile."""
        rows: dict[str, Sequence[Sequence[Any]]] = dict(
            zip(profiles_topics[USER_ID], profiles_topics[TOPICS], strict=True)
        )
        cells = [
            (num, self.columns.setdefault(str(topic), len(self.columns)))
            for num, user_id in enumerate(user_ids)
            for topic, weight, _ in rows.get(user_id, ())
            if weight > 0
        ]
        places = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        shape = (len(user_ids), len(self.columns))
        return ones(sp.csr_array((np.ones(len(cells)), (places[0], places[1])), shape=shape))


def _by_column(matrix: sp.csr_array) -> Integers:
    """How many rows have a 1 in each column."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _plus(cells: sp.csr_array, left: sp.csr_array, right: sp.csr_array) -> sp.csr_array:
    """Cells with ``left.T @ right`` added, in whole numbers."""
    return sp.csr_array(cells + left.T.astype(np.int64) @ right.astype(np.int64))


def _mean_shares(crowd: Crowd, carries: sp.csr_array) -> sp.csr_array:
    """``(n_users, n_topics)`` in `UNITS`: mean share watched of a topic's videos, where known."""
    n_known = sp.csr_array(ones(crowd.shares) @ carries)
    means = sp.csr_array(crowd.shares @ carries)
    means.sort_indices()
    n_known.sort_indices()
    means.data = np.rint(means.data / n_known.data * UNITS)
    return means
