"""Profiles: what is known of each user before a night: behaviour, topics and a content vector.

Leaves weighing to `interactions`, the sentence to `portraits` and `g(u)` to the models.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.audience.behaviour import gather_behaviour
from vidrec_tasks.audience.interactions import decay
from vidrec_tasks.audience.topics import telling_topics, topic_matrix
from vidrec_tasks.columns import (
    BEHAVIOUR,
    EVENT_AT,
    IS_COLD,
    IS_WATCHED,
    N_INTERACTIONS,
    OPTED_OUT,
    TOPICS,
    USER_ID,
    USER_NUM,
    VIDEO_NUM,
    WEIGHT,
)
from vidrec_tasks.content.encoding.units import summed, to_unit
from vidrec_tasks.settings import AudienceSettings

log = logging.getLogger(__name__)

MIN_TOPIC_SHARE: Final = 0.05
"""Topics under this share of the strongest one are not said to be a user's."""


@dataclass(frozen=True)
class Profiles:
    """The profiles of a user shard.

    Attributes:
        table: user_id (sorted), user_num, n_interactions, is_cold, behaviour (dict), topics (list
            of ``[topic, weight, n_videos]``, strongest first, weights sum to 1 at most).
        content: ``(n_users, dim)`` float32 unit rows; a zero row for a user without positives.
    """

    table: pd.DataFrame
    content: npt.NDArray[np.float32]


def build_profiles(
    interactions: pd.DataFrame,
    weighed: pd.DataFrame,
    videos: pd.DataFrame,
    fused: npt.NDArray[np.float32],
    video_topics: Sequence[Sequence[str]],
    settings: AudienceSettings,
    *,
    night: date,
    users: pd.DataFrame | None = None,
) -> Profiles:
    """Build the profiles of a user shard.

    Args:
        interactions: validated events of the shard.
        weighed: the same events through `interactions.weigh` for this night.
        videos: the catalogue, sorted by video_id.
        fused: ``(n_videos, dim)`` unit rows, in the order of ``videos``.
        video_topics: topics of each video, in the order of ``videos``.
        settings: half-life, what counts as cold, how many topics are kept.
        night: the profiles are as of its 00:00 UTC.
        users: users of the shard from the users table; those without an interaction get a cold
            profile, those who opted out get none.
    """
    user_ids = _whom(interactions, users, night)
    weighed = weighed[weighed[USER_ID].isin(user_ids)]
    nums = pd.Index(user_ids, dtype=object).get_indexer(pd.Index(weighed[USER_ID].astype(object)))
    aged = weighed[WEIGHT].to_numpy(np.float64) * decay(
        weighed[EVENT_AT], night=night, half_life_days=settings.half_life_days
    )
    shape = (len(user_ids), len(videos))
    taste = _matrix(aged, nums, weighed, shape)
    watched = weighed[IS_WATCHED].to_numpy(np.float64)
    table = pd.DataFrame(
        {
            USER_ID: pd.Series(user_ids, dtype="str"),
            USER_NUM: np.arange(len(user_ids)),
            N_INTERACTIONS: np.bincount(nums, minlength=len(user_ids)),
        }
    )
    table[IS_COLD] = table[N_INTERACTIONS] < settings.min_interactions
    table[BEHAVIOUR] = pd.Series(
        gather_behaviour(interactions, weighed, videos, user_ids=user_ids, night=night),
        dtype=object,
    )
    seen = _matrix(watched, nums, weighed, shape) > 0
    table[TOPICS] = pd.Series(_topics(taste, seen, video_topics, settings.n_topics), dtype=object)
    log.info("%d of %d users are warm", int((~table[IS_COLD]).sum()), len(table))
    return Profiles(table, _content(taste, fused))


def _whom(interactions: pd.DataFrame, users: pd.DataFrame | None, night: date) -> list[str]:
    before = interactions[EVENT_AT] < pd.Timestamp(night, tz="UTC")
    named = set(interactions.loc[before, USER_ID])
    if users is not None:
        named = (named | set(users[USER_ID])) - set(users.loc[users[OPTED_OUT], USER_ID])
    return sorted(named)


def _matrix(
    values: npt.NDArray[np.float64],
    user_nums: npt.NDArray[np.int64],
    weighed: pd.DataFrame,
    shape: tuple[int, int],
) -> sparse.csr_array:
    """``(n_users, n_videos)`` the sum of values."""
    places = (user_nums, weighed[VIDEO_NUM].to_numpy())
    return sparse.csr_array(sparse.coo_array((values, places), shape=shape))


def _topics(
    taste: sparse.csr_array,
    seen: sparse.csr_array,
    video_topics: Sequence[Sequence[str]],
    n_topics: int,
) -> list[list[list[Any]]]:
    """The strongest topics of each user: what they like more, of what not every video carries."""
    carried, names = topic_matrix(video_topics)
    weights = sparse.csr_array(taste @ telling_topics(carried))  # (n_users, n_topics)
    counts = sparse.csr_array(seen.astype(np.float64) @ carried)  # (n_users, n_topics)
    return [
        _strongest(weights[[user]], counts[[user]], names, n_topics)
        for user in range(taste.shape[0])
    ]


def _strongest(
    weights: sparse.csr_array, counts: sparse.csr_array, names: Sequence[str], n: int
) -> list[list[Any]]:
    liked = {int(c): float(w) for c, w in zip(weights.indices, weights.data, strict=True) if w > 0}
    n_videos = dict(zip(counts.indices.tolist(), counts.data.tolist(), strict=True))
    total = sum(liked.values())
    ordered = sorted(liked.items(), key=lambda item: (-round(item[1], 9), names[item[0]]))[:n]
    return [
        [names[column], round(weight / total, 6), int(n_videos.get(column, 0))]
        for column, weight in ordered
        if weight >= MIN_TOPIC_SHARE * ordered[0][1] and n_videos.get(column, 0) > 0
    ]


def _content(taste: sparse.csr_array, fused: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(n_users, dim)`` the direction of what a user liked, recent likes first."""
    return to_unit(summed(taste.maximum(0), fused))
