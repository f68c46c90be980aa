"""Readings that several jobs share: artefacts put together into what the stages take."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.topics import TopicLists
from vidrec_tasks.columns import (
    CREATOR_ID,
    DURATION_S,
    PUBLISHED_AT,
    REGIONS,
    TOPICS,
    USER_ID,
    VIDEO_ID,
    encoder_column,
)
from vidrec_tasks.hardware import return_memory
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.rules import RULED, RULES_OF, UserRules
from vidrec_tasks.recommending.models.models import Configuration, Models
from vidrec_tasks.recommending.training.warmth import Parent
from vidrec_tasks.running.job import Context, midnight
from vidrec_tasks.store.codecs import from_texts, shared_from_texts
from vidrec_tasks.store.runs import Run

Floats = npt.NDArray[np.float32]

NO_CHAMPION: Final = "none"
SAME: Final = "the evaluation fit's weights"
FITTED: Final = "fitted"


def evaluation_night(context: Context) -> date:
    """The day whose 00:00 UTC the evaluation fit does not see past."""
    return context.night - timedelta(days=holdout_days(context))


def holdout_days(context: Context) -> int:
    """Days before the night that are held out, as many as the run's inputs were pinned with."""
    return context.run.record.holdout_days or context.settings.evaluation.holdout_days


def epoch_of(night: date) -> int:
    """A night's 00:00 UTC in seconds since 1970."""
    return int(midnight(night).timestamp())


def moment_of(night: date) -> pd.Timestamp:
    """A night's 00:00 UTC."""
    return pd.Timestamp(midnight(night))


def read_content(context: Context) -> Content:
    """The videos with embeddings, topics and duplicate groups."""
    content = Content.of(
        context.read_rows("videos", columns=(VIDEO_ID, CREATOR_ID, PUBLISHED_AT, DURATION_S)),
        context.read_array("content", "fused"),
        read_topics(context),
        context.read_table("duplicates"),
    )
    return_memory()
    return content


def read_topics(context: Context) -> TopicLists:
    """The topics of each video."""
    texts = context.read_rows("content", columns=(TOPICS,), as_text=True)[TOPICS]
    codes, kinds = pd.factorize(texts)  # equal lists are looked at once; -1 where there is none
    return TopicLists.of(from_texts(pd.Series(kinds))).taken(codes)


def read_models(context: Context, fit: str, content: Content) -> Models:
    """The models of a fit."""
    return Models.from_parts(context.parts(f"models.{fit}"), content)


def read_serving(context: Context, content: Content) -> Models:
    """The models that serve, with every f(v) as `index_video_vectors` kept it."""
    vectors = context.read_array("video_vectors", "vectors")
    return Models.from_parts(context.parts("models.serving"), content, vectors)


def read_parent(context: Context, fit: str) -> Parent | None:
    """The last night's fit of the same kind, if it is still there and saw with the same encoders.

    It is gone when somebody whom it learned from was erased.
    """
    previous = context.parent("previous")
    name = f"models.{fit}"
    if previous is None or previous.find(name) is None or previous.find("content") is None:
        return None
    if previous.find("videos") is None or _encoders_of(previous) != _encoders_of(context.run):
        return None
    return Parent.from_parts(
        previous.parts(name),
        previous.read_table("videos")[VIDEO_ID].to_numpy(dtype=object),
    )


def read_champion(context: Context, content: Content, evaluation: Models) -> Models | None:
    """What the night before had chosen, fitted on the evaluation fit's events, if it chose."""
    written: dict[str, Any] = context.read_json("models.champion", "said")
    if written["champion"] == NO_CHAMPION:
        return None
    if written["champion"] == SAME:
        return replace(evaluation, configuration=Configuration.from_json(written["configuration"]))
    return read_models(context, "champion", content)


def _encoders_of(run: Run) -> set[tuple[tuple[str, str], ...]]:
    """What encoded the videos of a run: (column of a modality, identity), as often as they differ.

    A modality that came or went changes it, as another encoder does.
    """
    table = run.read_table("content")
    columns = sorted(name for name in table.columns if name.endswith(encoder_column("")))
    rows = table[columns].drop_duplicates().itertuples(index=False, name=None)
    return {tuple(zip(columns, row, strict=True)) for row in rows}


def read_histories(context: Context) -> Histories:
    """The weighed histories of the shard's users, those without a history too."""
    profiles = context.read_table(context.own("profiles"))
    visits = context.read_table(context.own("profiles"), "visits")
    user_ids = profiles[USER_ID]
    buckets = context.run.record.user_split.buckets(user_ids)
    return gather(visits, user_ids.to_numpy(dtype=object), buckets=buckets)


def shard_users(context: Context) -> pd.DataFrame:
    """The users table's rows of the shard."""
    users = context.read_table("users")
    mine = context.run.record.user_split.shards(users[USER_ID]) == int(context.shard)
    return users[mine].reset_index(drop=True)


def read_rules(context: Context, night: date, user_ids: npt.NDArray[np.object_]) -> UserRules:
    """What each of some users may be shown on a night.

    Args:
        context: of the job.
        night: the night.
        user_ids: those who are asked for; everybody's rules in each shard would be a square.
    """
    videos = context.read_rows("videos", columns=RULED, as_text=True)
    videos[REGIONS] = pd.Series(shared_from_texts(videos[REGIONS]), dtype=object)
    rules = UserRules(
        videos,
        context.read_rows("users", column=USER_ID, values=list(user_ids), columns=RULES_OF),
        moment=moment_of(night),
        default_max_age_rating=context.settings.recommending.default_max_age_rating,
    )
    return_memory()
    return rules


def rows_of(table: pd.DataFrame, vectors: Floats, ids: npt.NDArray[np.object_]) -> Floats:
    """``(n_ids, dim)`` the vector of each user_id; zeros where the table has none."""
    places = pd.Index(table[USER_ID].to_numpy(dtype=object)).get_indexer(pd.Index(ids))
    found = np.zeros((len(ids), vectors.shape[1]), dtype=np.float32)
    found[places >= 0] = vectors[places[places >= 0]]
    return found
