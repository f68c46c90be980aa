"""Portrait facts: what may be said of a user, as records of counts that anybody can recompute.

A video is *watched* where a visit of the night's log says so, *liked* where a visit weighs above 0
and none below, *turned away* where it is the other way round. All counts are of different videos
unless a kind says visits. Nothing at or after the night is read, and nothing is measured from the
night itself: a user for whom nothing happened has the same facts a month later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

TOTAL: Final = "total"
TOPIC: Final = "topic"
TITLE: Final = "title"
CREATOR: Final = "creator"
AWAY: Final = "away"
MORE: Final = "more"
LESS: Final = "less"
NEW: Final = "new"
WHEN: Final = "when"
LENGTH: Final = "length"
FAR: Final = "far"
FRESH: Final = "fresh"

EVENING: Final = "evening"
NIGHT: Final = "night"
MORNING: Final = "morning"
AFTERNOON: Final = "afternoon"
WEEKEND: Final = "weekend"
SHORT: Final = "short"
LONG: Final = "long"
WHOLE: Final = "whole"
PART: Final = "part"


@dataclass(frozen=True)
class Fact:
    """One thing known of a user before the night; what its fields mean follows from its kind.

    Attributes:
        kind: ``total``: ``n`` videos watched. ``topic``: ``n`` of ``of`` watched videos are about
            ``name``, ``n_liked`` of them liked. ``title``: the liked video ``of_id``, watched in
            ``n`` visits. ``creator``: ``n`` watched videos are by ``of_id``, ``n_liked`` of them
            liked. ``away``: of ``of`` videos about ``name`` that were met, ``n`` were turned away.
            ``more``, ``less``, ``new``: ``n`` of ``of`` videos watched since ``since`` are about
            ``name``, before it ``n_before`` of ``of_before``. ``when``: ``n`` of ``of`` watched
            visits were in the part ``name`` of the day or week (UTC). ``length``: ``n`` of ``of``
            watched videos are shorter (``short``) or longer (``long``) than ``limit`` seconds.
            ``far``: of ``of`` watched videos ``n`` were watched to the end (``whole``) or for less
            than half (``part``). ``fresh``: ``n`` of ``of`` watched videos were at most ``limit``
            days old.
        name: a topic, a title or a creator as a sentence may write it, or a word of the kind.
        of_id: the video or the creator.
        n, of, n_liked, n_before, of_before: counts.
        since: a day, ``YYYY-MM-DD``; it begins at 00:00 UTC.
        limit: of a length in seconds, of an age in days.
        number: by which a claim names it, from 1; 0 before it has one.
    """

    kind: str
    name: str = ""
    of_id: str = ""
    n: int = 0
    of: int = 0
    n_liked: int = 0
    n_before: int = 0
    of_before: int = 0
    since: str = ""
    limit: int = 0
    number: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Kind, number and what is not empty, as plain values for the result table."""
        return {
            name: value for name, value in vars(self).items() if value or name in ("kind", "number")
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fact":
        """The record that `as_dict` wrote."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})
