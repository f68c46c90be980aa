"""Insights: what creators may learn about their audience, k-anonymous in every number."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import CREATOR_ID
from vidrec_tasks.insights.crowd import gather_crowd
from vidrec_tasks.insights.demand import measure_demand
from vidrec_tasks.insights.promise import measure_promise
from vidrec_tasks.settings import InsightSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Insights:
    """What creators may learn.

    Attributes:
        creator_insights: see `demand.measure_demand`.
        creator_videos: see `promise.measure_promise`.
    """

    creator_insights: pd.DataFrame
    creator_videos: pd.DataFrame


def summarise_audiences(
    visits: pd.DataFrame,
    videos: pd.DataFrame,
    topics: Sequence[Sequence[str]],
    profiles_topics: pd.DataFrame,
    settings: InsightSettings,
    *,
    night: date,
    is_offered: npt.NDArray[np.bool_] | None = None,
) -> Insights:
    """Summarise the audience of each creator in the window before a night.

    Args:
        visits: weighed visits of all users: user_id, video_num, event_at, watched_share,
            is_watched.
        videos: the catalogue, sorted by video_id: video_id, creator_id, published_at.
        topics: topics of each video, in the order of ``videos``.
        profiles_topics: user_id, topics (``[topic, weight, n_videos]``) of the profiles.
        settings: k_anonymity, window_days.
        night: only events before its 00:00 UTC exist.
        is_offered: ``(n_videos,)`` which videos count as supply; all when None.
    """
    crowd = gather_crowd(
        visits,
        videos,
        topics,
        night=night,
        window_days=settings.window_days,
        is_offered=is_offered,
    )
    insights = measure_demand(crowd, k=settings.k_anonymity)
    promise = measure_promise(crowd, videos, profiles_topics, k=settings.k_anonymity)
    log.info(
        "%d of %d creators have an audience of %d users or more on a topic",
        insights[CREATOR_ID].nunique(), len(crowd.creator_ids), settings.k_anonymity,
    )  # fmt: skip
    return Insights(insights, promise)
