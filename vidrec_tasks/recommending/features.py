"""Features: the raw numbers that scores are made of, for each user and candidate.

Each is a function of the user's history, the video and what was learned before the cut, so that a
score can be taken apart, and recomputed without a part of the history.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.portrait_evidence import N_TOPICS
from vidrec_tasks.content.units import to_unit
from vidrec_tasks.recommending.attention import attend
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.linear import user_matrix
from vidrec_tasks.recommending.models import Models
from vidrec_tasks.recommending.sequences import last_videos, recent_matrix
from vidrec_tasks.recommending.sparse import pick
from vidrec_tasks.recommending.tower import embed_rows

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
_FRESH_DAYS = 7.0


def measure_features(models: Models, histories: Histories, nums: Ints) -> Floats:
    """Every feature of every candidate.

    Args:
        models: what was learned.
        histories: a block of users (all dense work is over this block).
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.

    Returns:
        ``(n_users, k, n_features)`` float32; what stands at -1 means nothing.
    """
    rows = last_videos(histories, models.tower.shape.length)
    users = embed_rows(models.tower, rows)  # (n_users, dim)
    vectors = models.video_vectors
    popularity = models.popularity
    columns = (
        np.einsum("ud,ukd->uk", users, vectors[nums]),
        attend(models.attention, users, rows, vectors, nums).scores,
        *(pick(scores, nums) for scores in item_scores(models, histories).values()),
        cosines(content_profiles(models, histories), models.content, nums),
        cosines(recent_profiles(models.content, histories), models.content, nums),
        cosines(portrait_profiles(models, histories), models.content, nums),
        _creator_shares(models.content, histories, nums),
        popularity.popular[nums],
        popularity.trending[nums],
        freshness(models)[nums],
    )
    return np.stack([np.asarray(column, dtype=np.float32) for column in columns], axis=-1)


def item_scores(models: Models, histories: Histories) -> dict[str, sp.csr_matrix]:
    """The scores of every item-item model, ``(n_users, n_videos)`` each, by feature name.

    What a video that hardly anybody knows lacks in its own column is lent by its neighbours.
    """
    recent = recent_matrix(histories, models.content.n_videos)
    whole = user_matrix(histories, models.content.n_videos)
    own = {
        "linear": models.linear.scores(whole),
        "transitions": models.transitions.scores(recent),
        "covisitation": models.covisits.scores(recent),
    }
    lent = {name: models.lent.scores(scores) for name, scores in own.items()}
    return {name: sp.csr_matrix(own[name] + lent[name]) for name in own}


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
    names, codes = np.unique(content.creator_ids.astype(str), return_inverse=True)
    liked = histories.weights > 0
    pairs = (histories.user_nums()[liked], codes[histories.video_nums[liked]])
    shape = (histories.n_users, len(names))
    counts = sp.csr_matrix((np.ones(len(pairs[0]), dtype=np.float32), pairs), shape=shape)
    counts.sum_duplicates()
    n_liked = np.maximum(np.asarray(counts.sum(axis=1)), 1)  # (n_users, 1)
    shares = pick(counts, codes[nums]) / n_liked
    return np.where(names[codes[nums]] != "", shares, 0).astype(np.float32)
