"""Candidates: videos worth ranking for a user, found by several sources, each named.

A source that finds nothing for a user (no history, no portrait) adds nothing; the rules are applied
before anything is counted, so a source's places are never spent on what may not be shown.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import SCORE, SOURCE, SOURCE_RANK, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.lists.exploring import is_unknown, promise
from vidrec_tasks.recommending.lists.features import (
    PORTRAIT,
    content_profiles,
    freshness,
    item_scores,
    portrait_profiles,
    recent_profiles,
)
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.tower import embed_users
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

EXPLORATION: Final = "exploration"


class Neighbours(Protocol):
    """Nearest vectors, as `content.index.Index` finds them."""

    def search(self, queries: Floats, k: int) -> tuple[Floats, Ints]:
        """Scores and nums ``(n_queries, k)``, best first, -1 where there are no more."""


@dataclass(frozen=True)
class Search:
    """Where candidates are searched for.

    Attributes:
        models: what was learned.
        videos_index: over ``f(v)``; None: exact products.
        content_index: over the fused embeddings; None: exact products.
        text: ``(n_videos, dim)`` text embeddings, compared with the sentences of portraits.
    """

    models: Models
    videos_index: Neighbours | None = None
    content_index: Neighbours | None = None
    text: Floats | None = None


def find_candidates(
    search: Search,
    histories: Histories,
    allowed: Mask,
    settings: RecommendingSettings,
    *,
    portraits: Floats | None = None,
    user_vectors: Floats | None = None,
) -> tuple[Ints, pd.DataFrame]:
    """Find the candidates of a block of users.

    Args:
        search: models and indexes.
        histories: the block; its videos are never candidates.
        allowed: ``(n_users, n_videos)`` what the rules let each user see.
        settings: n_candidates, n_per_source, min_score (cosine of content sources), n_exploration.
        portraits: ``(n_users, dim)`` embeddings of the users' portraits, zero where there is none;
            None: the topics that they would name stand in, as at a cut before the night.
        user_vectors: ``(n_users, dim)`` ``g(u)``; computed when None.

    Returns:
        ``(n_users, k)`` video_nums, -1 behind, and user_id, video_id, source (the one that placed
        it highest), source_rank, score (the source's own), in order of user and of merging.
    """
    allowed = allowed & ~_seen(histories, search.models.content.n_videos)
    found = list(_sources(search, histories, allowed, settings, portraits, user_vectors))
    merged = _merge(found, histories.n_users, search.models.content.n_videos, settings)
    nums = np.full((histories.n_users, settings.n_candidates), -1, dtype=np.int64)
    nums[merged.users, merged.places] = merged.nums
    table = pd.DataFrame(
        {
            USER_ID: histories.user_ids[merged.users],
            VIDEO_ID: search.models.content.video_ids[merged.nums],
            SOURCE: merged.sources,
            SOURCE_RANK: merged.ranks,
            SCORE: merged.scores,
        }
    )
    texts = dict.fromkeys((USER_ID, VIDEO_ID, SOURCE), "str")
    return nums, table.astype({**texts, SOURCE_RANK: "int64", SCORE: "float64"})


def _seen(histories: Histories, n_videos: int) -> Mask:
    seen = np.zeros((histories.n_users, n_videos), dtype=bool)
    seen[histories.user_nums(), histories.video_nums] = True
    return seen


def _sources(
    search: Search,
    histories: Histories,
    allowed: Mask,
    settings: RecommendingSettings,
    portraits: Floats | None,
    user_vectors: Floats | None,
) -> Iterator[tuple[str, Floats, Ints]]:
    """Yield ``(name, scores, nums)`` of each source, ``(n_users, n_per_source)``."""
    models, n = search.models, settings.n_per_source
    content, popularity = models.content, models.popularity
    users = embed_users(models.tower, histories) if user_vectors is None else user_vectors
    yield "dot", *_near(search.videos_index, models.video_vectors, users, allowed, n)
    by_model = item_scores(models, histories)
    for name, scores in by_model.items():
        yield name, *_strongest(scores, allowed, n)
    for name, profiles in (
        ("content", content_profiles(models, histories)),
        ("content_recent", recent_profiles(content, histories)),
    ):
        found = _near(search.content_index, content.fused, profiles, allowed, n)
        yield name, *_above(found, settings.min_score)
    if portraits is not None and search.text is not None and portraits.shape[1]:
        named = _near(None, search.text, portraits, allowed, n)
    else:
        profiles = portrait_profiles(models, histories)
        named = _near(search.content_index, content.fused, profiles, allowed, n)
    yield PORTRAIT, *_above(named, settings.min_score)
    everything = np.ones(content.n_videos, dtype=bool)
    yield "popular", *_best_of_all(popularity.popular, everything, allowed, n)
    yield "trending", *_best_of_all(popularity.trending, popularity.trending > 0, allowed, n)
    is_fresh = popularity.age_days <= settings.fresh_days
    yield "fresh", *_best_of_all(freshness(models), is_fresh, allowed, n)
    is_new = is_unknown(models, fresh_days=settings.fresh_days)
    nums = np.flatnonzero(is_new)
    promised = promise(models, histories, users, nums, by_model)
    yield EXPLORATION, *_most_promising(promised, nums, allowed & is_new, settings)


def _most_promising(
    promised: Floats, nums: Ints, unknown: Mask, settings: RecommendingSettings
) -> tuple[Floats, Ints]:
    """Twice as many as there are places for exploration; ``promised`` says it of ``nums``."""
    values, places = _top(promised, unknown[:, nums], 2 * settings.n_exploration)
    return values, np.where(places >= 0, nums[places], -1) if len(nums) else places


def _near(
    index: Neighbours | None, vectors: Floats, queries: Floats, allowed: Mask, n: int
) -> tuple[Floats, Ints]:
    """The nearest allowed vectors of each query; none for a query of zeros."""
    known = np.abs(queries).sum(axis=1) > 0
    if index is None:
        return _top(queries @ vectors.T, allowed & known[:, None], n)
    # What may not be shown is searched past: up to four times as much is asked for.
    n_hidden = int((~allowed).sum(axis=1).max(initial=0))
    k = min(len(vectors), n + min(n_hidden, 3 * n))
    scores, nums = index.search(queries, k)
    good = (nums >= 0) & np.take_along_axis(allowed, np.maximum(nums, 0), axis=1) & known[:, None]
    return _first(scores, nums, good, n)


def _first(scores: Floats, nums: Ints, good: Mask, n: int) -> tuple[Floats, Ints]:
    """The first ``n`` good entries of each row, in order."""
    order = np.argsort(~good, axis=1, kind="stable")[:, :n]
    kept = np.take_along_axis(good, order, axis=1)
    return (
        np.where(kept, np.take_along_axis(scores, order, axis=1), -np.inf).astype(np.float32),
        np.where(kept, np.take_along_axis(nums, order, axis=1), -1),
    )


def _top(scores: Floats, good: Mask, n: int) -> tuple[Floats, Ints]:
    """The ``n`` best good entries of each dense row; equal ones by video_num."""
    n = min(n, scores.shape[1])
    hidden = np.where(good, scores, -np.inf)
    if n < scores.shape[1]:
        some = np.sort(np.argpartition(-hidden, n - 1, axis=1)[:, :n], axis=1)
    else:
        some = np.broadcast_to(np.arange(n), hidden.shape)
    values = np.take_along_axis(hidden, some, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    nums = np.take_along_axis(some, order, axis=1)
    return values.astype(np.float32), np.where(np.isfinite(values), nums, -1).astype(np.int64)


def _strongest(scores: Floats, allowed: Mask, n: int) -> tuple[Floats, Ints]:
    """The ``n`` largest positive entries of each row."""
    return _top(scores, allowed & (scores > 0), n)


def _best_of_all(scores: Floats, some: Mask, allowed: Mask, n: int) -> tuple[Floats, Ints]:
    """The ``n`` best allowed of some videos, by scores that are the same for everybody."""
    nums = np.flatnonzero(some)
    n_hidden = int((~allowed[:, nums]).sum(axis=1).max(initial=0))
    best = nums[np.argsort(-scores[nums], kind="stable")[: n + n_hidden]]  # equal ones by video_num
    shape = (len(allowed), len(best))
    mine = np.broadcast_to(best, shape)
    return _first(np.broadcast_to(scores[best], shape), mine, allowed[:, best], n)


def _above(found: tuple[Floats, Ints], min_score: float) -> tuple[Floats, Ints]:
    scores, nums = found
    return scores, np.where(scores >= min_score, nums, -1)


@dataclass(frozen=True)
class _Merged:
    """The candidates of a block of users, by user and in order of merging; arrays of one length.

    Attributes:
        users, nums: who, and which video.
        places: place among the user's candidates, from 0.
        sources, ranks, scores: of the source that placed it highest.
    """

    users: Ints
    nums: Ints
    places: Ints
    sources: npt.NDArray[np.object_]
    ranks: Ints
    scores: npt.NDArray[np.float64]


def _merge(
    found: list[tuple[str, Floats, Ints]],
    n_users: int,
    n_videos: int,
    settings: RecommendingSettings,
) -> _Merged:
    """Take each source's best in turn until there are enough; the first to bring a video names it.

    Exploration comes first: its few places are the only way a new video gets looked at. All users
    of a block at once: one by one it was half of the time that finding candidates took.
    """
    queues = sorted(found, key=lambda source: source[0] != EXPLORATION)
    longest = max((got.shape[1] for _, _, got in queues), default=0)
    shape = (n_users, longest, len(queues))
    nums = np.full(shape, -1, dtype=np.int64)
    scores = np.zeros(shape, dtype=np.float64)
    for place, (_, values, got) in enumerate(queues):
        nums[:, : got.shape[1], place] = got
        scores[:, : got.shape[1], place] = values
    cells = np.flatnonzero(nums >= 0)  # in order of user, then place, then source
    users = cells // max(1, longest * len(queues))
    pairs = users * n_videos + nums.ravel()[cells]
    cells = cells[np.sort(np.unique(pairs, return_index=True)[1])]
    users, places = _numbered(cells // max(1, longest * len(queues)), n_users)
    kept = places < settings.n_candidates
    cells, users, places = cells[kept], users[kept], places[kept]
    _, ranks, sources = np.unravel_index(cells, shape) if len(cells) else (cells, cells, cells)
    names = np.array([name for name, _, _ in queues], dtype=object)
    return _Merged(
        users, nums.ravel()[cells], places, names[sources], ranks + 1, scores.ravel()[cells]
    )


def _numbered(users: Ints, n_users: int) -> tuple[Ints, Ints]:
    """Users in rising order, and the number of each entry among its user's own."""
    counts = np.bincount(users, minlength=n_users)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return users, np.arange(len(users)) - starts[users]
