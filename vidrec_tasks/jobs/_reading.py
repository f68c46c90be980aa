"""Readings that several jobs share: artefacts put together into what the stages take."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.columns import TOPICS, USER_ID
from vidrec_tasks.jobs._job import Context, midnight
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.models import Models
from vidrec_tasks.recommending.rules import UserRules
from vidrec_tasks.store.shards import shard_of

Floats = npt.NDArray[np.float32]


def evaluation_night(context: Context) -> date:
    """The day whose 00:00 UTC the evaluation fit does not see past."""
    return context.night - timedelta(days=context.settings.evaluation.holdout_days)


def epoch_of(night: date) -> int:
    """A night's 00:00 UTC in seconds since 1970."""
    return int(midnight(night).timestamp())


def moment_of(night: date) -> pd.Timestamp:
    """A night's 00:00 UTC."""
    return pd.Timestamp(midnight(night))


def read_content(context: Context) -> Content:
    """The videos with embeddings, topics and duplicate groups."""
    table = context.read("content")
    return Content.of(
        context.read("videos"),
        context.read("content", "fused"),
        table[TOPICS].tolist(),
        context.read("duplicates"),
    )


def read_models(context: Context, fit: str, content: Content) -> Models:
    """The models of a fit."""
    return Models.from_parts(lambda part: context.read(f"models.{fit}", part), content)


def read_histories(context: Context) -> Histories:
    """The weighed histories of the shard's users, those without a history too."""
    profiles = context.read(context.own("profiles"))
    visits = context.read(context.own("profiles"), "visits")
    return gather(visits, profiles[USER_ID].to_numpy(dtype=object))


def weigh_all(context: Context, night: date) -> pd.DataFrame:
    """The weighed visits of every user shard before a night, one shard in memory at a time."""
    videos, statistics = context.read("videos"), context.read("watch_statistics")
    columns = ["user_id", "video_id", "video_num", "event_at", "weight", "is_watched"]
    parts = []
    for shard in range(context.run.record.n_user_shards):
        interactions = context.read(f"interactions.{shard}")
        weighed = weigh(
            interactions, videos, context.settings.audience, night=night, statistics=statistics
        )
        parts.append(weighed[columns])
    return pd.concat(parts, ignore_index=True)


def shard_users(context: Context) -> pd.DataFrame:
    """The users table's rows of the shard."""
    users: pd.DataFrame = context.read("users")
    mine = shard_of(users[USER_ID], context.run.record.n_user_shards) == int(context.shard)
    return users[mine].reset_index(drop=True)


def read_rules(context: Context, night: date) -> UserRules:
    """What each user may be shown on a night."""
    return UserRules(
        context.read("videos"),
        context.read("users"),
        moment=moment_of(night),
        default_max_age_rating=context.settings.recommending.default_max_age_rating,
    )


def rows_of(table: pd.DataFrame, vectors: Floats, ids: npt.NDArray[np.object_]) -> Floats:
    """``(n_ids, dim)`` the vector of each user_id; zeros where the table has none."""
    places = pd.Index(table[USER_ID].to_numpy(dtype=object)).get_indexer(pd.Index(ids))
    found = np.zeros((len(ids), vectors.shape[1]), dtype=np.float32)
    found[places >= 0] = vectors[places[places >= 0]]
    return found
