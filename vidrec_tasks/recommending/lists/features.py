"""Features: the raw numbers that scores are made of, for each user and candidate.

Each is a function of the user's history, the video and what was learned before the cut, so that a
score can be taken apart, and recomputed without a part of the history.
"""

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.portrait_evidence import N_TOPICS
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.attention import attend
from vidrec_tasks.recommending.models.linear import user_matrix
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.sequences import last_videos, recent_matrix
from vidrec_tasks.recommending.models.sparse import SparseModel, pick
from vidrec_tasks.recommending.models.tower import embed_rows

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DOT: Final = "dot"
ATTENTION: Final = "attention"
PORTRAIT: Final = "portrait"
FEATURES: Final = (
    DOT, ATTENTION, "linear", "transitions", "covisitation", "content", "content_recent",
    PORTRAIT, "creator", "popular", "trending", "fresh",
)  # fmt: skip
"""Names of the features, in the order of the last axis of `measure_features`."""

_DAY_S = 86_400.0
_FEW_COLUMNS = 0.25
"""Share of the catalogue up to which columns are taken alone."""
_FRESH_DAYS = 7.0


def measure_features(
    models: Models, histories: Histories, nums: Ints, *, wanted: Collection[str] = FEATURES
) -> Floats:
    """Every feature of every candidate.

    Args:
        models: what was learned.
        histories: a block of users (all dense work is over this block).
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.
        wanted: names of the features that are asked for; the others are 0.

    Returns:
        ``(n_users, k, n_features)`` float32; what stands at -1 means nothing.
    """
    rows = last_videos(histories, models.tower.shape.length)
    vectors = models.video_vectors
    users = embed_rows(models.tower, rows, vectors)  # (n_users, dim)
    content, popularity = models.content, models.popularity
    measured: dict[str, Callable[[], Floats]] = {
        DOT: lambda: np.einsum("ud,ukd->uk", users, vectors[nums]),
        ATTENTION: lambda: attend(models.attention, users, rows, vectors, nums).scores,
        "content": lambda: cosines(content_profiles(models, histories), content, nums),
        "content_recent": lambda: cosines(recent_profiles(content, histories), content, nums),
        PORTRAIT: lambda: cosines(portrait_profiles(models, histories), content, nums),
        "creator": lambda: _creator_shares(content, histories, nums),
        "popular": lambda: popularity.popular[nums],
        "trending": lambda: popularity.trending[nums],
        "fresh": lambda: freshness(models)[nums],
    }
    found = np.zeros((*nums.shape, len(FEATURES)), dtype=np.float32)
    for name in measured.keys() & wanted:
        found[..., FEATURES.index(name)] = measured[name]()
    columns = np.unique(nums[nums >= 0])
    places = np.where(nums >= 0, np.searchsorted(columns, nums), 0)
    for name, scores in item_scores(models, histories, columns, wanted=wanted).items():
        if len(columns):
            found[..., FEATURES.index(name)] = np.take_along_axis(scores, places, axis=1)
    return found


def item_scores(
    models: Models,
    histories: Histories,
    nums: Ints | None = None,
    *,
    wanted: Collection[str] = FEATURES,
) -> dict[str, Floats]:
    """The scores of every item-item model by feature name, ``(n_users, n_nums)`` each.

    What a video that hardly anybody knows lacks in its own column is lent by its neighbours.

    Args:
        models: what was learned.
        histories: a block of users.
        nums: ``(n_nums,)`` the videos that are scored, rising; None: all.
        wanted: names of the features that are asked for.
    """
    n_videos = models.content.n_videos
    asked = [name for name in ITEM_MODELS if name in wanted]
    recent = recent_matrix(histories, n_videos) if set(asked) - {"linear"} else None
    found = {}
    for name in asked:
        query = user_matrix(histories, n_videos) if name == "linear" else recent
        found[name] = _with_lent(models, ITEM_MODELS[name](models), query, nums)
    return found


ITEM_MODELS: Final[Mapping[str, Callable[[Models], SparseModel]]] = {
    "linear": lambda models: models.linear,
    "transitions": lambda models: models.transitions,
    "covisitation": lambda models: models.covisits,
}
"""Feature -> its item-item model."""


def _with_lent(
    models: Models, model: SparseModel, query: sp.csr_matrix, nums: Ints | None
) -> Floats:
    """Few columns of a large catalogue are taken alone: a tenth of the work of all.

    Either way the parts of a sum are added in the same order, so that a score does not depend on
    which videos are asked for together.
    """
    n_videos = models.content.n_videos
    wanted = np.arange(n_videos) if nums is None else nums
    lent = models.lent.columns(wanted)  # (n_videos, n_wanted)
    if len(wanted) > _FEW_COLUMNS * n_videos:
        own, needed = model.scores(query), np.arange(n_videos)
    else:
        needed = np.union1d(wanted, lent.indices)
        own = model.scores(query, needed)
    total = own if nums is None else own[:, np.searchsorted(needed, nums)]
    borrowing = np.flatnonzero(np.diff(lent.indptr))
    if len(borrowing):
        lenders = np.unique(lent.indices)
        lending = sp.csr_matrix(lent[:, borrowing].T)[:, lenders]  # (n_borrowing, n_lenders)
        lending.sort_indices()
        held = np.ascontiguousarray(own[:, np.searchsorted(needed, lenders)].T)
        total[:, borrowing] += (lending @ held).T
    return total


def content_profiles(models: Models, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of what each user liked, recent likes first; zero if none.

    An event counts half after each half-life, seen from the models' cut.
    """
    return to_unit(np.asarray(_taste(models, histories) @ models.content.fused))


def portrait_profiles(models: Models, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of the topics that a portrait would name at the cut.

    The sentence itself is written after the fit, from events that the fit may not see; its topics
    are known at any cut, so the same number is learned from and served.
    """
    interests = sp.csr_array(_taste(models, histories) @ models.content.telling)
    vectors = models.content.topic_vectors
    profiles = np.zeros((histories.n_users, vectors.shape[1]), dtype=np.float32)
    for user, (start, end) in enumerate(pairwise(interests.indptr)):
        columns, weights = interests.indices[start:end], interests.data[start:end]
        named = np.lexsort((columns, -weights))[:N_TOPICS]
        profiles[user] = weights[named] @ vectors[columns[named]]
    return to_unit(profiles)


def recent_profiles(content: Content, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of the last liked videos; zero if there are none."""
    return to_unit(np.asarray(recent_matrix(histories, content.n_videos) @ content.fused))


def cosines(profiles: Floats, content: Content, nums: Ints) -> Floats:
    """``(n_users, k)`` cosine of each profile with its candidates; 0 where either is unknown."""
    return np.asarray(np.einsum("ud,ukd->uk", profiles, content.fused[nums]), dtype=np.float32)


def freshness(models: Models) -> Floats:
    """``(n_videos,)`` 1 for a video published at the cut, falling by e in a week; 0 if unknown."""
    age = np.maximum(models.popularity.age_days, 0)
    return np.exp(-age / _FRESH_DAYS).astype(np.float32)


def _taste(models: Models, histories: Histories) -> sp.csr_matrix:
    """``(n_users, n_videos)`` what each user liked; half as much after each half-life."""
    age_days = np.maximum(models.cut - histories.event_at, 0) / _DAY_S
    taste = histories.weights * 0.5 ** (age_days / models.half_life_days)
    shape = (histories.n_users, models.content.n_videos)
    matrix = sp.csr_matrix((taste, (histories.user_nums(), histories.video_nums)), shape=shape)
    matrix.sum_duplicates()
    matrix.data = np.maximum(matrix.data, 0)
    return matrix


def _creator_shares(content: Content, histories: Histories, nums: Ints) -> Floats:
    """``(n_users, k)`` the share of a user's liked events that are of the candidate's creator."""
    liked = np.flatnonzero(histories.weights > 0)
    users, creators = (
        histories.user_nums()[liked],
        content.creator_nums[histories.video_nums[liked]],
    )
    is_known = creators >= 0
    pairs = (users[is_known], creators[is_known])
    shape = (histories.n_users, int(content.creator_nums.max(initial=-1)) + 1)
    counts = sp.csr_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), shape=shape)
    counts.sum_duplicates()
    n_liked = np.maximum(np.bincount(users, minlength=histories.n_users), 1)[:, None]
    return (pick(counts, content.creator_nums[nums]) / n_liked).astype(np.float32)
