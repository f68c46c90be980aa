"""Profiles: directions in the space of content that stand for what a user likes."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.portrait_wording import MAX_TOPICS
from vidrec_tasks.content.encoding.units import summed, to_unit
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
    """``(n_users, dim)`` the direction of the topics that a portrait would name at the cut.

    The sentence itself is written after the fit, from events that the fit may not see; its topics
    are known at any cut, so the same number is learned from and served.
    """
    interests = sp.csr_array(_taste(models, histories) @ models.content.telling)
    vectors = models.content.topic_vectors
    users = np.repeat(np.arange(histories.n_users), np.diff(interests.indptr))
    order = np.lexsort((interests.indices, -interests.data, users))
    places = np.arange(len(users)) - np.repeat(interests.indptr[:-1], np.diff(interests.indptr))
    named = order[places < MAX_TOPICS]
    cells = (interests.data[named], (users[named], interests.indices[named]))
    return to_unit(np.asarray(sp.csr_array(cells, shape=interests.shape) @ vectors))


def recent_profiles(content: Content, histories: Histories) -> Floats:
    """``(n_users, dim)`` the direction of the last liked videos; zero if there are none."""
    return to_unit(summed(recent_matrix(histories, content.n_videos), content.fused))


def cosines(profiles: Floats, content: Content, nums: Ints) -> Floats:
    """``(n_users, k)`` cosine of each profile with its candidates; 0 where either is unknown."""
    return np.asarray(np.einsum("ud,ukd->uk", profiles, content.fused[nums]), dtype=np.float32)


def _taste(models: Models, histories: Histories) -> sp.csr_matrix:
    """``(n_users, n_videos)`` what each user liked; half as much after each half-life."""
    age_days = np.maximum(models.cut - histories.event_at, 0) / _DAY_S
    taste = histories.weights * 0.5 ** (age_days / models.half_life_days)
    shape = (histories.n_users, models.content.n_videos)
    matrix = sp.csr_matrix((taste, (histories.user_nums(), histories.video_nums)), shape=shape)
    matrix.sum_duplicates()
    matrix.data = np.maximum(matrix.data, 0)
    return matrix
