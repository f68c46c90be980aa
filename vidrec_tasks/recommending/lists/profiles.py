"""Profiles: directions in the space of content that stand for what a user likes."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.portrait_passages import telling_weight
from vidrec_tasks.audience.portrait_wording import MAX_TITLES, MAX_TOPICS
from vidrec_tasks.content.encoding.units import summed, to_unit
from vidrec_tasks.measuring.lists import share_rows
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.sequences import recent_matrix

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_DAY_S = 86_400.0


def content_profiles(models: Models, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of what each user liked, recent likes first; zero if none.

    An event counts half after each half-life, seen from the models' cut.
    """
    return to_unit(summed(_taste(models, histories), models.content.fused))


def portrait_profiles(models: Models, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of the topics and titles a portrait would name at the cut.

    The sentences themselves are written after the fit, from events that the fit may not see; what
    they would name is known at any cut, so the same number is learned from and served. As in
    `audience.portrait_passages`: topics by how often and how telling, titles alike, half each,
    less what names have in common; a topic is the direction of its videos, a title its video.
    """
    taste, content = _taste(models, histories), models.content
    topics = _strongest(sp.csr_array(taste @ content.telling), MAX_TOPICS)
    n_liked = topics.sign().multiply(taste.sign() @ content.carried)
    weighed = n_liked @ sp.diags_array(telling_weight(content.topic_idf))
    titles = _strongest(taste, MAX_TITLES).sign()
    return to_unit(
        _pooled(weighed, content.topic_vectors, content.common_topic)
        + _pooled(titles, content.fused, content.common_video)
    )


def recent_profiles(content: Content, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of the last liked videos; zero if there are none."""
    return to_unit(summed(recent_matrix(histories, content.n_videos), content.fused))


def _strongest(weights: sp.csr_array, n: int) -> sp.csr_array:
    """The ``n`` largest weights above 0 of each row."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    order = np.lexsort((weights.indices, -weights.data, rows))
    places = np.arange(len(rows)) - np.repeat(weights.indptr[:-1], np.diff(weights.indptr))
    kept = order[(places < n) & (weights.data[order] > 0)]
    cells = (weights.data[kept], (rows[kept], weights.indices[kept]))
    return sp.csr_array(cells, shape=weights.shape)


def _pooled(weights: sp.csr_array, vectors: Floats, common: Floats) -> Floats:
    """``(n_users, dim)`` the mean of some vectors less what all have in common; zero of none."""
    shares = share_rows(weights)
    has_any = np.asarray(shares.sum(axis=1)).reshape(-1, 1)
    return np.asarray(summed(shares, vectors) - has_any * common, dtype=np.float32)


def _taste(models: Models, histories: Histories) -> sp.csr_matrix:
    """``(n_users, n_videos)`` what each user liked; half as much after each half-life."""
    age_days = np.maximum(models.cut - histories.event_at, 0) / _DAY_S
    taste = histories.weights * 0.5 ** (age_days / models.half_life_days)
    shape = (histories.n_users, models.content.n_videos)
    matrix = sp.csr_matrix((taste, (histories.user_nums(), histories.video_nums)), shape=shape)
    matrix.sum_duplicates()
    matrix.data = np.maximum(matrix.data, 0)
    return matrix
