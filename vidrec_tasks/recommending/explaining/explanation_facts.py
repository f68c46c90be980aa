"""Explanation facts: what a reason may rest on, looked up by user and video.

Only what lies before the night is taken in, whatever the tables hold.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    CITED,
    CREATOR_ID,
    PUBLISHED_AT,
    TITLE,
    TOPICS,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.recommending.explaining.likeness import Likeness
from vidrec_tasks.recommending.explaining.peers import PeerCount, Peers, TasteCount

N_VIEWERS_RECENT = "n_viewers_recent"
N_LIKERS_RECENT = "n_likers_recent"
WINDOW_DAYS = "window_days"
LAST_EVENT_AT = "last_event_at"


@dataclass(frozen=True)
class Watched:
    """What one user has watched and liked: ``video_id -> last event``, and how many a topic."""

    last_event_at: Mapping[str, pd.Timestamp]
    topic_counts: Counter[str]
    creator_counts: Counter[str]


@dataclass(frozen=True)
class Facts:
    """Titles, topics, creators, ages and viewers of videos; history and topics of users.

    Attributes:
        moment: the beginning of the night, UTC.
        titles: ``video_id -> title``, as in the catalogue (foreign text).
        topics: ``video_id -> topics``.
        creators: ``video_id -> creator_id``, only where known.
        published_at: ``video_id -> moment``, only where known and before the night.
        n_viewers: ``video_id -> users who watched it in the recent window``, where as many liked it
            as not: twelve who rate a video 1 of 5 do not make it popular.
        window_days: length of that window.
        min_viewers: viewers from which a video counts as popular: the median of those watched at
            all, at least 2.
        user_topics: ``user_id -> topics of the profile, strongest first``.
        watched: ``user_id -> Watched``.
        likeness: how alike videos are; None: not known.
        peers: of the pairs ``(cited, listed)``, who of those that liked the one liked the other.
        alike: ``(user_id, listed)`` -> the same of those with a taste like the user's.
        rates: ``video_id -> who began and who liked it``, of the listed videos.
        is_sample: whether the peers are a draw of all users.
    """

    moment: pd.Timestamp
    titles: Mapping[str, str]
    topics: Mapping[str, Sequence[str]]
    creators: Mapping[str, str]
    published_at: Mapping[str, pd.Timestamp]
    n_viewers: Mapping[str, int]
    window_days: int
    min_viewers: float
    user_topics: Mapping[str, Sequence[str]]
    watched: Mapping[str, Watched]
    likeness: Likeness | None = None
    peers: Mapping[tuple[str, str], PeerCount] = field(default_factory=dict)
    alike: Mapping[tuple[str, str], TasteCount] = field(default_factory=dict)
    rates: Mapping[str, PeerCount] = field(default_factory=dict)
    is_sample: bool = False


def gather_facts(
    videos: pd.DataFrame,
    topics: Mapping[str, Sequence[str]],
    profiles: pd.DataFrame,
    watched: pd.DataFrame,
    popularity: pd.DataFrame,
    *,
    night: date,
    lists: pd.DataFrame | None = None,
    likeness: Likeness | None = None,
    peers: Peers | None = None,
    min_users: int = 2,
) -> Facts:
    """Gather the facts; the arguments are those of `explanations.explain_lists`."""
    moment = pd.Timestamp(night, tz="UTC")
    known = videos[videos[PUBLISHED_AT] < moment]
    creators = videos[videos[CREATOR_ID] != ""]
    named_creators = dict(zip(creators[VIDEO_ID], creators[CREATOR_ID], strict=True))
    recent = popularity[popularity[N_VIEWERS_RECENT] > 0]
    liked = recent[2 * recent[N_LIKERS_RECENT] >= recent[N_VIEWERS_RECENT]]
    return Facts(
        moment=moment,
        titles=dict(zip(videos[VIDEO_ID], videos[TITLE], strict=True)),
        topics=topics,
        creators=named_creators,
        published_at=dict(zip(known[VIDEO_ID], known[PUBLISHED_AT], strict=True)),
        n_viewers=dict(zip(liked[VIDEO_ID], liked[N_VIEWERS_RECENT].astype(int), strict=True)),
        window_days=int(recent[WINDOW_DAYS].max()) if len(recent) else 0,
        min_viewers=max(2.0, float(recent[N_VIEWERS_RECENT].median())) if len(recent) else 2.0,
        user_topics={
            user_id: [str(topic) for topic, weight, _ in rows if weight > 0]
            for user_id, rows in zip(profiles[USER_ID], profiles[TOPICS], strict=True)
        },
        watched=_watched(watched[watched[LAST_EVENT_AT] < moment], topics, named_creators),
        likeness=likeness,
        **_of_others(lists, peers, min_users),
    )


def _of_others(lists: pd.DataFrame | None, peers: Peers | None, min_users: int) -> dict[str, Any]:
    """The counts of the pairs that the lists ask for, and of no others."""
    if lists is None or peers is None:
        return {}
    rows = zip(lists[VIDEO_ID], lists[CITED], strict=True)
    pairs = {(str(cited), str(video)) for video, entries in rows for cited, _ in entries}
    rates = {str(video_id): peers.overall(str(video_id)) for video_id in lists[VIDEO_ID].unique()}
    alike = {
        (str(user_id), video_id): count
        for user_id, videos in lists.groupby(USER_ID)[VIDEO_ID]
        for video_id, count in peers.count_alike(
            str(user_id), videos.astype(str).tolist(), min_users=min_users
        ).items()
    }
    counts = {"peers": peers.count(sorted(pairs)), "alike": alike, "rates": rates}
    return {**counts, "is_sample": peers.is_sample}


def _watched(
    watched: pd.DataFrame, topics: Mapping[str, Sequence[str]], creators: Mapping[str, str]
) -> dict[str, Watched]:
    by_user: dict[str, dict[str, pd.Timestamp]] = {}
    columns = (watched[name] for name in (USER_ID, VIDEO_ID, LAST_EVENT_AT))
    for user_id, video_id, last in zip(*columns, strict=True):
        by_user.setdefault(user_id, {})[video_id] = last
    return {
        user_id: Watched(
            last_event_at=seen,
            topic_counts=Counter(topic for v in seen for topic in set(topics.get(v, ()))),
            creator_counts=Counter(creators[v] for v in seen if v in creators),
        )
        for user_id, seen in by_user.items()
    }
