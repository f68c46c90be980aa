"""Re-ranker: from ranked candidates to a list that is varied, fair to creators, inside the rules.

What a place is worth is said by `diversifying`. Rules are applied once more here, last, so that
nothing before can let a forbidden video through.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import RANK, SCORE, SOURCE, USER_ID, VIDEO_ID
from vidrec_tasks.measuring.lists import topic_mix
from vidrec_tasks.recommending.candidates import EXPLORATION
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.diversifying import (
    Calibrated,
    Determinant,
    Dissimilar,
    Part,
    Spread,
)
from vidrec_tasks.recommending.rules import POOL, UserRules
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_TOPICS = 20
"""Strongest topics of a user that a list is calibrated to."""


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
    user_nums = {str(user): num for num, user in enumerate(histories.user_ids)}
    mixes = _mixes(histories, content)
    chosen: list[npt.NDArray[np.int64]] = []
    ranks: list[int] = []
    for user_id, rows in ranked.groupby(USER_ID, sort=True):
        num = user_nums.get(str(user_id))
        met = histories.video_nums[histories.of(num)] if num is not None else _NOTHING
        mix = mixes[num if num is not None else len(histories.user_ids)]
        places = _list_of(rows, met, mix, content, rules.mask_of(str(user_id)), settings)
        chosen.append(rows.index.to_numpy()[places])
        ranks += range(1, len(places) + 1)
    lists = ranked.loc[np.concatenate(chosen) if chosen else []].reset_index(drop=True)
    lists[RANK] = np.array(ranks, dtype=np.int64)
    n_users = lists[USER_ID].nunique()
    n_whole = int((lists[RANK] == settings.n).sum())
    log.info("%d of %d lists hold %d videos", n_whole, n_users, settings.n)
    return lists


_NOTHING = np.zeros(0, dtype=np.int64)


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
    rows: pd.DataFrame,
    met: npt.NDArray[np.int64],
    mix: tuple[Ints, Floats],
    content: Content,
    allowed: npt.NDArray[np.bool_],
    settings: RecommendingSettings,
) -> list[int]:
    """Places in ``rows`` of the videos chosen, in order of rank."""
    nums = content.nums_of(rows[VIDEO_ID])
    may = allowed[nums] & ~np.isin(nums, met) & ~_in_groups(content, nums, met)
    places = np.flatnonzero(may)
    explores = rows[SOURCE].to_numpy()[places] == EXPLORATION
    kept = places[: POOL * settings.n]
    extra = places[POOL * settings.n :][explores[POOL * settings.n :]][: settings.n_exploration]
    places = np.concatenate([kept, extra])
    relevance = np.zeros(len(rows))
    relevance[may] = _relevance(rows[SCORE].to_numpy(np.float64)[may], settings.n)
    is_exploring = rows[SOURCE].to_numpy()[places] == EXPLORATION
    columns, shares = mix
    topics = content.topic_shares[nums[places]][:, columns].toarray()  # (k, n_topics of the user)
    pool = _Pool(nums[places], relevance[places], is_exploring, shares, topics)
    return [int(places[place]) for place in diversify(pool, content, settings)]


def _in_groups(
    content: Content, nums: npt.NDArray[np.int64], met: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """``(k,)`` whether a video is a near-duplicate of one the user has met."""
    groups = np.unique(content.group_nums[met])
    return np.isin(content.group_nums[nums], groups[groups >= 0])


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
    return [*first, *sorted(taken.places[len(first) :])]


class _Taken:
    """A list in the making."""

    def __init__(self, pool: _Pool, content: Content, settings: RecommendingSettings) -> None:
        self.pool, self.settings = pool, settings
        self.creators: Sequence[str] = [str(c) for c in content.creator_ids[pool.nums]]
        self.groups = content.group_nums[pool.nums]
        self.places: list[int] = []
        self.n_by_creator: Counter[str] = Counter()
        vectors = content.fused[pool.nums]  # (k, dim)
        self.parts: list[tuple[float, Part]] = [(settings.diversity, _part_of(vectors, settings))]
        if settings.calibration and pool.mix.any():
            self.parts.append((settings.calibration, Calibrated(pool.mix, pool.topics)))

    def fill(self, wanted: npt.NDArray[np.bool_], n: int) -> None:
        """Take the best of the wanted places until the list holds ``n``."""
        while len(self.places) < n:
            free = wanted & self._free()
            if not free.any():
                return
            gain = (1 - self.settings.diversity) * self.pool.relevance
            gain = gain + sum(weight * part.gain() for weight, part in self.parts)
            self._take(int(np.argmax(np.where(free, gain, -np.inf))))

    def _free(self) -> npt.NDArray[np.bool_]:
        taken_groups = {int(self.groups[place]) for place in self.places} - {-1}
        free = ~np.isin(self.groups, sorted(taken_groups))
        free[self.places] = False
        full = {c for c, n in self.n_by_creator.items() if n >= self.settings.max_per_creator}
        free &= np.array([creator not in full for creator in self.creators], dtype=bool)
        return free

    def _take(self, place: int) -> None:
        self.places.append(place)
        if self.creators[place]:
            self.n_by_creator[self.creators[place]] += 1
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
