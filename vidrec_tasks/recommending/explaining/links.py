"""Links: what a video and one that was watched have in common, so that naming the one makes sense.

A score may come from a video that has nothing to do with the listed one; such a video is true to
the score and absurd to a reader.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from vidrec_tasks.language.quoting import plain_topic, quote
from vidrec_tasks.recommending.explaining.explanation_facts import Facts
from vidrec_tasks.recommending.explaining.likeness import PERCENTILE

NEXT: Final = "+next"
SERIES: Final = "+series"
TOPIC: Final = "+topic"
ALIKE: Final = "+alike"
CREATOR: Final = "+creator"

CREATOR_LIMIT: Final = 40
"""Characters of a creator in a sentence."""

LOOKED_AT: Final = 300
"""Characters of a title in which a number of a part is looked for."""
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?!\d)")
"""The number of a part; four digits are a year."""
_BEFORE_PART = re.compile(
    r"(?:#|第|(?<![^\W\d_])(?:part|parte|partie|teil|folge|episode|épisode|episodio|ep|chapter|"
    r"chapitre|capítulo|kapitel|lesson|lektion|day|tag|no|nr|vol|video|e)\.?)\s*$",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(r"\s*[.:)\]\-–—]")
_LETTER = re.compile(r"[^\W_]")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_NO_NAME: Final = frozenset({"part", "episode", "ep", "chapter", "no", "vol", "video", "s", "e"})
"""Words that number the parts of a series and do not name it."""


@dataclass(frozen=True)
class Link:
    """What joins two videos.

    Attributes:
        variant: of the template that says it.
        evidence: what fills the template's places, and what it rests on.
        strength: how much it explains, 1 at most. One creator makes videos about many things: in a
            demo world a quarter of the pairs of a creator share no planted topic.
    """

    variant: str
    evidence: dict[str, Any] = field(default_factory=dict)
    strength: float = 1.0


def link_between(video_id: str, cited_id: str, user_id: str, facts: Facts) -> Link | None:
    """The strongest link from a watched video to a listed one; None: naming it makes no sense."""
    return (
        _series(video_id, cited_id, facts)
        or _topic(video_id, cited_id, user_id, facts)
        or _alike(video_id, cited_id, facts)
        or _creator(video_id, cited_id, facts)
    )


def may_be_named(topic: str) -> bool:
    """Whether a sentence may name a topic as it is."""
    return topic != "" and plain_topic(topic) == topic


def part_of(title: str) -> tuple[str, int] | None:
    """The name of the series and the number of the part, where a title says both."""
    title = title[:LOOKED_AT]
    numbers = list(_NUMBER.finditer(title))
    if not numbers:
        return None
    last = next((found for found in reversed(numbers) if _counts_parts(title, found)), None)
    if last is None:
        return None
    words = re.findall(r"[^\W_]+", f"{title[: last.start()]} {title[last.end() :]}".casefold())
    if not any(word not in _NO_NAME and not word.isdigit() for word in words):
        return None
    return " ".join(words), int(last[0])


def _counts_parts(title: str, number: re.Match[str]) -> bool:
    """Whether a number counts parts: behind a word for it, or at an end of the title.

    In "Formula 1 highlights" and "Top 10 goals" it does not.
    """
    before, behind = title[: number.start()], _YEAR.sub(" ", title[number.end() :])
    follows = _AFTER_NUMBER.match(title[number.end() :])
    is_first = not _LETTER.search(before) and follows is not None
    return bool(_BEFORE_PART.search(before)) or not _LETTER.search(behind) or is_first


def _series(video_id: str, cited_id: str, facts: Facts) -> Link | None:
    """Parts of one series by one creator (or by nobody who is known)."""
    if facts.creators.get(video_id) != facts.creators.get(cited_id):
        return None
    own, cited = (part_of(facts.titles.get(v, "")) for v in (video_id, cited_id))
    if own is None or cited is None or own[0] != cited[0] or own[1] == cited[1]:
        return None
    evidence = {"part": own[1], "cited_part": cited[1]}
    return Link(NEXT if own[1] == cited[1] + 1 else SERIES, evidence)


def _topic(video_id: str, cited_id: str, user_id: str, facts: Facts) -> Link | None:
    """A topic both have that random pairs seldom share, the user's strongest first."""
    shared = set(facts.topics.get(video_id, ())) & set(facts.topics.get(cited_id, ()))
    if facts.likeness is not None:
        shared -= facts.likeness.common
    ordered = [t for t in facts.user_topics.get(user_id, ()) if t in shared] + sorted(shared)
    topic = next((topic for topic in ordered if may_be_named(topic)), "")
    return Link(TOPIC, {"topic": topic}) if topic else None


def _alike(video_id: str, cited_id: str, facts: Facts) -> Link | None:
    if facts.likeness is None:
        return None
    cosine = facts.likeness.between(video_id, cited_id)
    if cosine <= facts.likeness.threshold:
        return None
    evidence = {"likeness": cosine, "likeness_of_random_pairs": facts.likeness.threshold}
    return Link(ALIKE, {**evidence, "percentile": PERCENTILE}, 0.9)


def _creator(video_id: str, cited_id: str, facts: Facts) -> Link | None:
    creator = facts.creators.get(video_id, "")
    named = quote(creator, CREATOR_LIMIT)
    if creator != facts.creators.get(cited_id) or not any(char.isalnum() for char in named):
        return None
    return Link(CREATOR, {"creator": named, "creator_id": creator}, 0.3)
