"""Re-ranker: from ranked candidates to a list that is varied, fair to creators, inside the rules.

What a place is worth is said by `diversifying`. Rules are applied once more here, last, so that
nothing before can let a forbidden video through.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.spans import spans
from vidrec_tasks.columns import RANK, SCORE, SOURCE, USER_ID, VIDEO_ID
from vidrec_tasks.content.encoding.units import spread_rows
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.measuring.lists import topic_mix
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.diversifying import (
    Calibrated,
    Determinant,
    Dissimilar,
    Part,
    Spread,
)
from vidrec_tasks.recommending.lists.rules import POOL, UserRules
from vidrec_tasks.recommending.reason_codes import EXPLORATION
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_TOPICS = 20
"""Strongest topics of a user that a list is calibrated to."""


class _Rows(NamedTuple):
    """Ranked rows as arrays of one length: video_nums, scores, whether exploration found each."""

    nums: Ints
    scores: Floats
    explores: npt.NDArray[np.bool_]

    def take(self, part: slice) -> "_Rows":
        """Some of the rows."""
        return _Rows(self.nums[part], self.scores[part], self.explores[part])


@dataclass(frozen=True)
class _Pool:
    """One user's candidates, best first.

    Attributes:
        nums: ``(k,)`` video_nums.
        relevance: ``(k,)`` see `_relevance`.
        explores: ``(k,)`` whether the exploration source found it.
        mix: ``(n_topics,)`` the user's own topics, adding up to 1 or all zero.
        topics: ``(k, n_topics)`` those of the candidates.
    """

    nums: npt.NDArray[np.int64]
    relevance: npt.NDArray[np.float64]
    explores: npt.NDArray[np.bool_]
    mix: npt.NDArray[np.float64]
    topics: npt.NDArray[np.float64]


def rerank_lists(
    ranked: pd.DataFrame,
    histories: Histories,
    content: Content,
    rules: UserRules,
    settings: RecommendingSettings,
) -> pd.DataFrame:
    """Choose each user's list.

    Args:
        ranked: user_id, video_id, source, score, sorted by user and falling score; other columns
            are kept.
        histories: what the users have met: it and its near-duplicates are never listed.
        content: embeddings, topics, creators and duplicate groups.
        rules: what each user may be shown.
        settings: n, reranker, diversity, calibration, max_per_creator, n_exploration.

    Returns:
        The chosen rows with rank 1..n without a gap, by user and rank.
    """
    users, starts = _users_of(ranked)
    met = pd.Index(histories.user_ids).get_indexer(pd.Index(users))
    mixes = _mixes(histories, content)
    rows = _Rows(
        content.nums_of(ranked[VIDEO_ID]),
        ranked[SCORE].to_numpy(np.float64),
        np.asarray(ranked[SOURCE] == EXPLORATION, dtype=bool),
    )
    chosen: list[npt.NDArray[np.int64]] = [_NOTHING]
    for place, (user_id, num, (first, end)) in enumerate(
        zip(users, met, pairwise(starts), strict=True)
    ):
        if place % _HELD_USERS == 0:
            release_pages(content.fused)
        seen = histories.video_nums[histories.of(int(num))] if num >= 0 else _NOTHING
        mine = rows.take(slice(first, end))
        allowed = rules.may(str(user_id), mine.nums)
        places = _list_of(mine, seen, mixes[num], content, allowed, settings)
        chosen.append(first + np.array(places, dtype=np.int64))
    ranks = [np.arange(1, 1 + len(places)) for places in chosen]
    lists = ranked.iloc[np.concatenate(chosen)].reset_index(drop=True)
    lists[RANK] = np.concatenate(ranks).astype(np.int64)
    n_users = lists[USER_ID].nunique()
    n_whole = int((lists[RANK] == settings.n).sum())
    log.info("%d of %d lists hold %d videos", n_whole, n_users, settings.n)
    return lists


_NOTHING = np.zeros(0, dtype=np.int64)
_HELD_USERS: Final = 32
"""Users after whom the mapped pages of what they were offered are given back."""


def _users_of(ranked: pd.DataFrame) -> tuple[list[str], list[int]]:
    """Each user, and where their rows begin; the end of the last one too."""
    codes, users = pd.factorize(ranked[USER_ID])
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    return [str(user) for user in users], [*starts.tolist(), len(ranked)]


def _mixes(histories: Histories, content: Content) -> list[tuple[Ints, Floats]]:
    """The strongest topics of each user and their shares; nothing for one who is not there."""
    mix = topic_mix(histories, content.topic_shares)
    found = []
    for user in range(histories.n_users):
        part = slice(mix.indptr[user], mix.indptr[user + 1])
        order = np.argsort(-mix.data[part], kind="stable")[:N_TOPICS]
        shares = mix.data[part][order]
        found.append((mix.indices[part][order], shares / shares.sum() if len(order) else shares))
    return [*found, (_NOTHING, np.zeros(0))]


def _list_of(
    rows: _Rows,
    met: Ints,
    mix: tuple[Ints, Floats],
    content: Content,
    allowed: npt.NDArray[np.bool_],
    settings: RecommendingSettings,
) -> list[int]:
    """Places in ``rows`` of the videos chosen, in order of rank; ``allowed``: of each row."""
    nums = rows.nums
    may = allowed & ~_among(nums, met) & ~_in_groups(content, nums, met)
    places = np.flatnonzero(may)
    n_pool = POOL * settings.n
    extra = places[n_pool:][rows.explores[places[n_pool:]]][: settings.n_exploration]
    relevance = _relevance(rows.scores[places], settings.n)
    pooled = np.concatenate([np.arange(min(n_pool, len(places))), np.searchsorted(places, extra)])
    places = places[pooled]
    columns, shares = mix
    topics = columns_of(content.topic_shares, nums[places], columns)
    pool = _Pool(nums[places], relevance[pooled], rows.explores[places], shares, topics)
    return [int(places[place]) for place in diversify(pool, content, settings)]


def columns_of(matrix: sp.csr_array, rows: Ints, columns: Ints) -> Floats:
    """``(n_rows, n_columns)`` cells of a sparse matrix, which slicing twice copies twice."""
    starts = matrix.indptr[rows]
    counts = matrix.indptr[rows + 1] - starts  # of these alone: all lengths are a million here
    cells = spans(starts, counts)
    column_of = np.full(matrix.shape[1], -1, dtype=np.int64)
    column_of[columns] = np.arange(len(columns))
    found = column_of[matrix.indices[cells]]
    dense = np.zeros((len(rows), len(columns)))
    wanted = found >= 0
    row_of = np.repeat(np.arange(len(rows)), counts)
    dense[row_of[wanted], found[wanted]] = matrix.data[cells[wanted]]
    return dense


def _among(nums: Ints, some: Ints) -> npt.NDArray[np.bool_]:
    """``(k,)`` whether a number is one of some; `np.isin` takes 20 us a call to begin with."""
    if not len(some):
        return np.zeros(len(nums), dtype=bool)
    rising = np.sort(some)
    return rising[np.minimum(np.searchsorted(rising, nums), len(rising) - 1)] == nums


def _in_groups(
    content: Content, nums: npt.NDArray[np.int64], met: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """``(k,)`` whether a video is a near-duplicate of one the user has met."""
    groups = content.group_nums[met]
    groups = groups[groups >= 0]
    if not len(groups):
        return np.zeros(len(nums), dtype=bool)
    return np.isin(content.group_nums[nums], groups)


def diversify(pool: _Pool, content: Content, settings: RecommendingSettings) -> list[int]:
    """Places of the pool in order of rank; places at the end are kept for exploration.

    Variety decides what is in the list, relevance in which order: the order costs no variety.
    """
    n_kept = min(settings.n_exploration, settings.n - 1, int(pool.explores.sum()))
    taken = _Taken(pool, content, settings)
    taken.fill(~pool.explores, settings.n - n_kept)
    first = sorted(taken.places)
    taken.fill(pool.explores, settings.n)
    taken.fill(np.ones(len(pool.nums), dtype=bool), settings.n)
    taken.lift_caps()  # where creators are few, more of one is better than a short list
    taken.fill(np.ones(len(pool.nums), dtype=bool), settings.n)
    return [*first, *sorted(taken.places[len(first) :])]


class _Taken:
    """A list in the making."""

    def __init__(self, pool: _Pool, content: Content, settings: RecommendingSettings) -> None:
        self.pool, self.settings = pool, settings
        self.creators = content.creator_nums[pool.nums]  # (k,) -1 where unknown
        self.groups = content.group_nums[pool.nums]
        self.places: list[int] = []
        self.free = np.ones(len(pool.nums), dtype=bool)
        self.n_by_creator: Counter[int] = Counter()
        self.capped = np.zeros(len(pool.nums), dtype=bool)
        self.worth = (1 - settings.diversity) * pool.relevance
        vectors = spread_rows(content.fused, pool.nums)  # (k, dim)
        self.parts: list[tuple[float, Part]] = [(settings.diversity, _part_of(vectors, settings))]
        if settings.calibration and pool.mix.any():
            self.parts.append((settings.calibration, Calibrated(pool.mix, pool.topics)))

    def fill(self, wanted: npt.NDArray[np.bool_], n: int) -> None:
        """Take the best of the wanted places until the list holds ``n``."""
        while len(self.places) < n:
            free = wanted & self.free & ~self.capped
            if not free.any():
                return
            gain = self.worth + sum(weight * part.gain() for weight, part in self.parts)
            self._take(int(np.argmax(np.where(free, gain, -np.inf))))

    def lift_caps(self) -> None:
        """Let a creator have more than the cap allows."""
        self.capped[:] = False

    def _take(self, place: int) -> None:
        self.places.append(place)
        self.free[place] = False
        if self.groups[place] >= 0:
            self.free &= self.groups != self.groups[place]
        creator = int(self.creators[place])
        self.n_by_creator[creator] += 1
        if creator >= 0 and self.n_by_creator[creator] == self.settings.max_per_creator:
            self.capped |= self.creators == creator
        for _, part in self.parts:
            part.take(place)


def _part_of(vectors: npt.NDArray[np.float32], settings: RecommendingSettings) -> Part:
    if settings.reranker == "msd":
        return Spread(vectors, settings.n)
    return Dissimilar(vectors) if settings.reranker == "mmr" else Determinant(vectors)


def _relevance(scores: Floats, n: int) -> Floats:
    """``(k,)`` the chance that each is the one watched next, in units of half a list's share.

    The scorers are trained by a softmax, so this is what a score means. Where one video stands out
    it stays; where all are alike they may be swapped: so much less NDCG is lost for the same
    variety than with scores stretched onto [0, 1].
    """
    if not len(scores):
        return scores
    chance = np.exp(scores - scores.max())
    return np.asarray(2 * n * chance / chance.sum())
