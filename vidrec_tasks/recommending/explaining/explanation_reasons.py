"""Explanation reasons: one function a reason code, giving what is true of a row, the best first."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from vidrec_tasks.language.quoting import quote
from vidrec_tasks.recommending.explaining.explanation_facts import Facts, Watched
from vidrec_tasks.recommending.explaining.explanation_templates import TASTE, USUAL
from vidrec_tasks.recommending.explaining.links import (
    CREATOR,
    CREATOR_LIMIT,
    Link,
    link_between,
    may_be_named,
)
from vidrec_tasks.recommending.explaining.peers import PeerCount
from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    LIKED_BY_OTHERS,
    MATCHES_TOPIC,
    NEW_FOR_YOU,
    NEW_VIDEO,
    POPULAR_NOW,
)

_NOBODY = Watched({}, Counter(), Counter())
_DAY_S = 86_400
_MANY: Final = 5
"""Watched videos from which a topic of one of them is no interest."""
NAMED_OTHERS: Final = 0.7
LIKE_YOURS: Final = 0.6
"""What a number of others counts for, beside naming a watched video and what joins the two."""


@dataclass(frozen=True)
class Row:
    """One row of a list: what is explained, and to whom.

    Attributes:
        user_id: to whom.
        video_id: what.
        cited: ``(video_id, share)``, the history the score came from, largest share first.
        fresh_days: days a video counts as new.
        min_users: users from which others are counted.
    """

    user_id: str
    video_id: str
    cited: Sequence[tuple[str, float]]
    fresh_days: float
    min_users: int


@dataclass(frozen=True)
class Reason:
    """A reason that holds.

    Attributes:
        template: its template.
        evidence: fills the template's places, and says what it rests on.
        support: how much of its kind speaks for it, 1 at most.
    """

    template: str
    evidence: dict[str, Any]
    support: float = 1.0


def because_you_watched(row: Row, facts: Facts) -> Iterator[Reason]:
    """The cited videos that have something to do with the listed one, largest share first."""
    for cited in _linked(row, facts):
        template = BECAUSE_YOU_WATCHED + cited.link.variant
        evidence = {**cited.evidence, **cited.link.evidence}
        yield Reason(template, evidence, cited.link.strength * cited.part)


def liked_by_others(row: Row, facts: Facts) -> Iterator[Reason]:
    """Of others who liked what the user liked and began this, enough liked it.

    They are those who liked a cited video, where naming it makes sense, or else who share several
    liked videos with the user. Enough are half of them, and hardly fewer than of all who began it;
    or fewer than half, and more than of all.
    """
    rate = facts.rates.get(row.video_id)
    if rate is None or not rate.n_began:
        return
    for cited in _linked(row, facts):
        counted = facts.peers.get((cited.video_id, row.video_id))
        # the sentence does not say what joins the two, so a reader must see it
        if counted is not None and cited.link.variant != CREATOR:
            support = NAMED_OTHERS * cited.link.strength * cited.part
            yield from _liked(row, counted, rate, facts, cited.evidence, support)
    alike = facts.alike.get((row.user_id, row.video_id))
    if alike is not None:
        counted, shared = PeerCount(*alike[1:]), {"n_shared": alike.n_shared}
        yield from _liked(row, counted, rate, facts, shared, LIKE_YOURS)


def _liked(
    row: Row,
    counted: PeerCount,
    rate: PeerCount,
    facts: Facts,
    evidence: dict[str, Any],
    support: float,
) -> Iterator[Reason]:
    """What is said of a number of others, unless they are too few or liked it too seldom."""
    if counted.n_began < row.min_users:
        return
    n_liked, n_usual = counted.n_liked * rate.n_began, rate.n_liked * counted.n_began
    is_half = 2 * counted.n_liked >= counted.n_began
    # 7 of 13 are no reason for a video that nine in ten like: nine tenths of that, at least
    if 10 * n_liked < 9 * n_usual if is_half else n_liked <= n_usual:
        return
    counts = {
        "n_began_sampled" if facts.is_sample else "n_began": counted.n_began,
        "n_liked": counted.n_liked,
        "usual": round(100 * rate.n_liked / rate.n_began),
    }
    variant = (TASTE if "n_shared" in evidence else "") + ("" if is_half else USUAL)
    yield Reason(LIKED_BY_OTHERS + variant, {**evidence, **counts}, support)


def matches_topic(row: Row, facts: Facts) -> Iterator[Reason]:
    """The topics of the profile that the video has and the history shows, strongest first.

    One video is an interest of somebody who watched few.
    """
    own = set(facts.topics.get(row.video_id, ()))
    watched = facts.watched.get(row.user_id, _NOBODY)
    counts = watched.topic_counts
    least = 1 if len(watched.last_event_at) < _MANY else 2
    for topic in facts.user_topics.get(row.user_id, ()):
        if topic in own and counts[topic] >= least and may_be_named(topic):
            yield Reason(MATCHES_TOPIC, {"topic": topic, "n_videos": counts[topic]})


def by_creator(row: Row, facts: Facts) -> Iterator[Reason]:
    """A creator of whom the user has watched at least two other videos."""
    creator = facts.creators.get(row.video_id, "")
    n_videos = facts.watched.get(row.user_id, _NOBODY).creator_counts[creator]
    named = quote(creator, CREATOR_LIMIT)
    if n_videos >= 2 and any(char.isalnum() for char in named):
        evidence = {"creator": named, "creator_id": creator, "n_videos": n_videos}
        yield Reason(BY_CREATOR, evidence)


def popular_now(row: Row, facts: Facts) -> Iterator[Reason]:
    """As many recent viewers as the median watched video has, or more."""
    n_viewers = facts.n_viewers.get(row.video_id, 0)
    if n_viewers >= facts.min_viewers:
        yield Reason(POPULAR_NOW, {"n_viewers": n_viewers, "window": facts.window_days})


def new_video(row: Row, facts: Facts) -> Iterator[Reason]:
    """Published within the fresh days before the night."""
    published_at = facts.published_at.get(row.video_id)
    if published_at is None:
        return
    age_s = (facts.moment - published_at).total_seconds()
    if age_s <= row.fresh_days * _DAY_S:
        age = int(age_s // _DAY_S)
        evidence = {"age": age, "published_at": published_at.isoformat()}
        yield Reason(NEW_VIDEO if age else NEW_VIDEO + "+today", evidence)


def new_for_you(row: Row, facts: Facts) -> Iterator[Reason]:
    """Not among what the user has watched; holds for every list whose rules were applied."""
    seen = facts.watched.get(row.user_id, _NOBODY).last_event_at
    if row.video_id not in seen:
        yield Reason(NEW_FOR_YOU, {"n_watched": len(seen)})


REASONS: Final[Mapping[str, Callable[[Row, Facts], Iterator[Reason]]]] = {
    BECAUSE_YOU_WATCHED: because_you_watched,
    LIKED_BY_OTHERS: liked_by_others,
    MATCHES_TOPIC: matches_topic,
    BY_CREATOR: by_creator,
    POPULAR_NOW: popular_now,
    NEW_VIDEO: new_video,
    NEW_FOR_YOU: new_for_you,
}
"""Reason code -> the function that finds it."""


@dataclass(frozen=True)
class _Cited:
    """A cited video that has something to do with the listed one.

    Attributes:
        video_id: which.
        link: what joins the two.
        part: its share of the score, as a part of the largest of such videos.
        evidence: what is said of it.
    """

    video_id: str
    link: Link
    part: float
    evidence: dict[str, Any]


def _linked(row: Row, facts: Facts) -> list[_Cited]:
    """The cited videos that the user did watch, that have a title, and that make sense."""
    seen = facts.watched.get(row.user_id, _NOBODY).last_event_at
    found: list[_Cited] = []
    for cited_id, share in row.cited:
        title = quote(facts.titles.get(cited_id, ""))
        if share <= 0 or cited_id not in seen or not any(char.isalnum() for char in title):
            continue
        link = link_between(row.video_id, cited_id, row.user_id, facts)
        if link is not None:
            evidence = {
                "cited": cited_id,
                "title": title,
                "share": round(float(share), 6),
                "last_watched_at": seen[cited_id].isoformat(),
            }
            found.append(_Cited(cited_id, link, share, evidence))
    return [replace(cited, part=cited.part / found[0].part) for cited in found]
