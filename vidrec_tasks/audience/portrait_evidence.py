"""Portrait evidence: the few facts of a profile that a sentence about a user may use.

Leaves the profile to `profiles` and the sentence to `portraits`. Hours are UTC, as in the logs.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vidrec_tasks.language.quoting import plain_topic

N_TOPICS = 3
"""Topics a portrait draws on."""

MIN_NAMES = 2
"""Topics of those that it names, where there are as many."""

_PREFERS = ("prefer", "prefers", "preferring", "preference for", "preferably", "with a focus on")

MIN_PLAYS_FOR_HABITS = 5
"""Plays under which a share says nothing of a habit."""


@dataclass(frozen=True)
class PortraitEvidence:
    """What is known of one user before the night, as a sentence may say it.

    Attributes:
        topics: strongest first, ``(name, videos watched)``.
        creators: most watched first, ``(creator_id, videos watched)``; kept as evidence, not named.
        habits: phrases that hold, such as "mostly in the evening", and the numbers behind them.
        n_videos: different videos watched.
    """

    topics: tuple[tuple[str, int], ...]
    creators: tuple[tuple[str, int], ...]
    habits: tuple[tuple[str, float], ...]
    n_videos: int

    @property
    def names(self) -> list[str]:
        """The topics a sentence may name, strongest first."""
        return [name for name, _ in self.topics[:N_TOPICS]]

    @property
    def habit_phrases(self) -> list[str]:
        """The habits as phrases."""
        return [phrase for phrase, _ in self.habits]

    def phrases(self) -> list[str]:
        """Every phrase that may stand in the sentence as it is, numbers bound to their topic."""
        counted = [
            text
            for name, n in self.topics[:N_TOPICS]
            for text in (f"{_videos(n)} about {name}", f"{n} about {name}")
        ]
        return [*counted, *self.phrases_as_worded(), _videos(self.n_videos)]

    def phrases_as_worded(self) -> list[str]:
        """The habits in the words that a sentence may put them in."""
        loose = [phrase.removeprefix("mostly ") for phrase in self.habit_phrases]
        formats = [text for text in loose if text.endswith("videos")]
        preferences = [f"{verb} {text}" for text in formats for verb in _PREFERS]
        weekends = [text.replace("at ", "on ") for text in self.habit_phrases if "weekends" in text]
        weekends += [text.removeprefix("mostly ") for text in weekends]
        return [*self.habit_phrases, *loose, *preferences, *weekends]

    def as_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for the result table."""
        return json.loads(json.dumps(asdict(self)))

    def key(self, *, version: str) -> str:
        """Hash (hex) of the evidence and of who would write from it."""
        text = json.dumps([self.as_dict(), version], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def gather_evidence(
    topics: Sequence[Sequence[Any]], behaviour: Mapping[str, Any]
) -> PortraitEvidence:
    """The evidence of one profile.

    Args:
        topics: ``[topic, weight, n_videos]``, strongest first; what no sentence may write is left
            out (see `quoting.plain_topic`).
        behaviour: named numbers of `profiles`; a missing one is no evidence.
    """
    named: dict[str, int] = {}
    for topic, weight, n in topics:
        name = plain_topic(str(topic))
        if name and weight > 0 and n > 0:
            named.setdefault(name, int(n))
    creators = [(str(creator), int(n)) for creator, n in behaviour.get("top_creators", ())]
    return PortraitEvidence(
        topics=tuple(named.items()),
        creators=tuple(creators[:3]),
        habits=tuple(_habits(behaviour)),
        n_videos=int(_number(behaviour, "n_videos", 0)),
    )


def _habits(behaviour: Mapping[str, Any]) -> list[tuple[str, float]]:
    """At most one phrase each of when, how long, how far and how new."""
    if _number(behaviour, "n_plays", 0) < MIN_PLAYS_FOR_HABITS:
        return []
    found = [_when(behaviour), _length(behaviour), _how_far(behaviour), _how_new(behaviour)]
    return [habit for habit in found if habit is not None]


def _when(behaviour: Mapping[str, Any]) -> tuple[str, float] | None:
    named = {
        "mostly at night": _number(behaviour, "night_share"),
        "mostly in the evening": _number(behaviour, "evening_share"),
        "mostly at weekends": _number(behaviour, "weekend_share"),
    }
    # 0.6: a share of 0.5 among 5 plays is a coin; weekends are 2 of 7 days
    phrase, share = max(named.items(), key=lambda item: -1 if math.isnan(item[1]) else item[1])
    return (phrase, round(share, 2)) if share >= 0.6 else None


def _length(behaviour: Mapping[str, Any]) -> tuple[str, float] | None:
    median_s = _number(behaviour, "median_duration_s")
    if median_s <= 240:
        return "mostly short videos", round(median_s)
    return ("mostly long videos", round(median_s)) if median_s >= 1200 else None


def _how_far(behaviour: Mapping[str, Any]) -> tuple[str, float] | None:
    share = _number(behaviour, "mean_watched_share")
    if share >= 0.8:
        return "most of each video", round(share, 2)
    return ("less than half of a video on average", round(share, 2)) if share < 0.5 else None


def _how_new(behaviour: Mapping[str, Any]) -> tuple[str, float] | None:
    days = _number(behaviour, "novelty")
    return ("mostly new videos", round(days, 1)) if 0 <= days <= 7 else None


def _number(behaviour: Mapping[str, Any], name: str, default: float = math.nan) -> float:
    value = behaviour.get(name)
    return default if value is None else float(value)


def _videos(n: int) -> str:
    return f"{n} video" if n == 1 else f"{n} videos"
