"""Insights: what creators may learn about their audience, k-anonymous in every number."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from vidrec_tasks.columns import CREATOR_ID
from vidrec_tasks.insights.counts import Counts, count_viewers
from vidrec_tasks.insights.crowd import Crowd, Offer, gather_crowd, window_start
from vidrec_tasks.insights.demand import may_be_told_of, measure_demand
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
    shards: Callable[[], Iterable[pd.DataFrame]],
    profiles_topics: Iterable[pd.DataFrame],
    videos: pd.DataFrame,
    offer: Offer,
    settings: InsightSettings,
    *,
    night: date,
) -> Insights:
    """Summarise the audience of each creator in the window before a night.

    Users are counted a shard at a time, twice: first whose audiences are large enough.

    Args:
        shards: gives the weighed visits of all users, each user's in one of them: user_id,
            video_num, event_at, watched_share, is_watched. One is held at a time.
        profiles_topics: user_id, topics (``[topic, weight, n_videos]``) of the profiles of each
            shard's users.
        videos: the catalogue, sorted by video_id: video_id, creator_id, published_at.
        offer: what these videos stand for.
        settings: k_anonymity, window_days.
        night: only events before its 00:00 UTC exist.
    """
    k = settings.k_anonymity

    def crowds() -> Iterator[Crowd]:
        for visits in shards():
            yield gather_crowd(
                visits, n_videos=offer.n_videos, night=night, window_days=settings.window_days
            )

    counts = Counts(offer, may_be_told_of(count_viewers(crowds(), offer), k))
    for crowd, liked in zip(crowds(), profiles_topics, strict=True):
        counts.add(crowd, liked)
    # a young log reaches less far back than the window
    begin = counts.oldest or window_start(night, settings.window_days)
    exposure = offer.exposure(begin, pd.Timestamp(night, tz="UTC"))
    insights = measure_demand(counts, offer, exposure, k=k)
    promise = measure_promise(counts, offer, exposure, videos, k=k)
    log.info(
        "%d of %d creators have an audience of %d users or more on a topic",
        insights[CREATOR_ID].nunique(), len(offer.creator_ids), k,
    )  # fmt: skip
    return Insights(insights, promise)
