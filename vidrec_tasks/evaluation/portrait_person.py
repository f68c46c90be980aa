"""Portrait person: the visits of one user before a night, as a checker asks them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from vidrec_tasks.evaluation.claim_quoting import is_quote_of, letters


class Visit(NamedTuple):
    """One visit before the night; the moment in seconds since 1970 UTC, the share NaN unknown."""

    video_id: str
    at: float
    share: float
    is_watched: bool
    weight: float


class Video(NamedTuple):
    """What is known of a video; length in seconds and moment of publication, NaN unknown."""

    title: str
    creator: str
    length: float
    published: float


@dataclass(frozen=True)
class Person:
    """One user's visits before the night, oldest first, and what is known of videos."""

    visits: Sequence[Visit]
    videos: Mapping[str, Video]
    topics: Mapping[str, Sequence[str]]

    @cached_property
    def seen(self) -> list[Visit]:
        """Visits in which the video was watched."""
        return [visit for visit in self.visits if visit.is_watched]

    @cached_property
    def watched(self) -> set[str]:
        """Videos that were watched."""
        return {visit.video_id for visit in self.seen}

    @cached_property
    def firsts(self) -> dict[str, Visit]:
        """Watched video -> the first visit in which it was."""
        return {visit.video_id: visit for visit in reversed(self.seen)}

    @cached_property
    def liked(self) -> set[str]:
        """Videos with a visit for them and none against."""
        return {video for video, (low, high) in self._bounds.items() if high > 0 and low >= 0}

    @cached_property
    def refused(self) -> set[str]:
        """Videos with a visit against them and none for."""
        return {video for video, (low, high) in self._bounds.items() if low < 0 and high <= 0}

    @cached_property
    def _bounds(self) -> dict[str, tuple[float, float]]:
        """Video -> its least and its largest weight."""
        bounds: dict[str, tuple[float, float]] = {}
        for visit in self.visits:
            low, high = bounds.get(visit.video_id, (math.inf, -math.inf))
            bounds[visit.video_id] = (min(low, visit.weight), max(high, visit.weight))
        return bounds

    @cached_property
    def _about(self) -> dict[str, set[str]]:
        """The letters of a topic -> the videos met that carry it."""
        about: dict[str, set[str]] = {}
        for video in self._bounds:
            for topic in self.topics.get(video, ()):
                about.setdefault(letters(str(topic)), set()).add(video)
        return about

    def about(self, topic: str) -> set[str]:
        """Videos met that carry a topic."""
        return self._about.get(letters(topic), set())

    def titled(self, title: str) -> set[str]:
        """Videos met of which this is the title as quoted."""
        return {video for video in self._bounds if is_quote_of(title, self.videos[video].title)}

    def made_by(self, creator: str) -> set[str]:
        """Videos met by a creator as quoted."""
        return {video for video in self._bounds if is_quote_of(creator, self.videos[video].creator)}
