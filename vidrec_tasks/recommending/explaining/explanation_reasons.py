"""Explanation reasons: one function a reason code, giving the reason when it is true, else None."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vidrec_tasks.language.quoting import plain_topic, quote
from vidrec_tasks.recommending.explaining.explanation_facts import Facts, Watched
from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    MATCHES_TOPIC,
    NEW_FOR_YOU,
    NEW_VIDEO,
    POPULAR_NOW,
)

_NOBODY = Watched({}, Counter(), Counter())
_DAY_S = 86_400


@dataclass(frozen=True)
class Row:
    """One row of a list: what is explained, and to whom.

    Attributes:
        user_id: to whom.
        video_id: what.
        cited: ``(video_id, share)``, the history the score came from, largest share first.
        fresh_days: days a video counts as new.
    """

    user_id: str
    video_id: str
    cited: Sequence[tuple[str, float]]
    fresh_days: float


@dataclass(frozen=True)
class Reason:
    """A reason that holds: its template and the evidence, which fills the template's places."""

    template: str
    evidence: dict[str, Any]


def because_you_watched(row: Row, facts: Facts) -> Reason | None:
    """The cited video with the largest share that the user did watch and that has a title."""
    seen = facts.watched.get(row.user_id, _NOBODY).last_event_at
    for cited_id, share in row.cited:
        title = quote(facts.titles.get(cited_id, ""))
        if share > 0 and cited_id in seen and any(char.isalnum() for char in title):
            evidence = {
                "cited": cited_id,
                "title": title,
                "share": round(float(share), 6),
                "last_watched_at": seen[cited_id].isoformat(),
            }
            topic = _shared_topic(row, cited_id, facts)
            if not topic:
                return Reason(BECAUSE_YOU_WATCHED, evidence)
            return Reason(BECAUSE_YOU_WATCHED + "+topic", {**evidence, "topic": topic})
    return None


def matches_topic(row: Row, facts: Facts) -> Reason | None:
    """The strongest topic of the profile that the video has and the history shows."""
    own = set(facts.topics.get(row.video_id, ()))
    counts = facts.watched.get(row.user_id, _NOBODY).topic_counts
    for topic in facts.user_topics.get(row.user_id, ()):
        if topic in own and counts[topic] and _may_be_named(topic):
            return Reason(MATCHES_TOPIC, {"topic": topic, "n_videos": counts[topic]})
    return None


def by_creator(row: Row, facts: Facts) -> Reason | None:
    """A creator of whom the user has watched at least two other videos."""
    creator = facts.creators.get(row.video_id, "")
    n_videos = facts.watched.get(row.user_id, _NOBODY).creator_counts[creator]
    named = quote(creator, 40)
    if n_videos < 2 or not any(char.isalnum() for char in named):
        return None
    return Reason(BY_CREATOR, {"creator": named, "creator_id": creator, "n_videos": n_videos})


def popular_now(row: Row, facts: Facts) -> Reason | None:
    """As many recent viewers as the median watched video has, or more."""
    n_viewers = facts.n_viewers.get(row.video_id, 0)
    if n_viewers < facts.min_viewers:
        return None
    return Reason(POPULAR_NOW, {"n_viewers": n_viewers, "window": facts.window_days})


def new_video(row: Row, facts: Facts) -> Reason | None:
    """Published within the fresh days before the night."""
    published_at = facts.published_at.get(row.video_id)
    if published_at is None:
        return None
    age_s = (facts.moment - published_at).total_seconds()
    if age_s > row.fresh_days * _DAY_S:
        return None
    age = int(age_s // _DAY_S)
    evidence = {"age": age, "published_at": published_at.isoformat()}
    return Reason(NEW_VIDEO if age else NEW_VIDEO + "+today", evidence)


def new_for_you(row: Row, facts: Facts) -> Reason | None:
    """Not among what the user has watched; holds for every list whose rules were applied."""
    seen = facts.watched.get(row.user_id, _NOBODY).last_event_at
    return None if row.video_id in seen else Reason(NEW_FOR_YOU, {"n_watched": len(seen)})


REASONS: Final[Mapping[str, Callable[[Row, Facts], Reason | None]]] = {
    BECAUSE_YOU_WATCHED: because_you_watched,
    MATCHES_TOPIC: matches_topic,
    BY_CREATOR: by_creator,
    POPULAR_NOW: popular_now,
    NEW_VIDEO: new_video,
    NEW_FOR_YOU: new_for_you,
}
"""Reason code -> the function that finds it."""


def _shared_topic(row: Row, cited_id: str, facts: Facts) -> str:
    """A topic both videos have, the user's strongest first; empty when no sentence may name one."""
    shared = set(facts.topics.get(row.video_id, ())) & set(facts.topics.get(cited_id, ()))
    ordered = [t for t in facts.user_topics.get(row.user_id, ()) if t in shared] + sorted(shared)
    return next((topic for topic in ordered if _may_be_named(topic)), "")


def _may_be_named(topic: str) -> bool:
    return topic != "" and plain_topic(topic) == topic
