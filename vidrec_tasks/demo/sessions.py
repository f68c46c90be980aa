"""Sessions: lets planned users watch planned videos, event by event.

A choice follows taste and never length; how far a video is watched follows both, so that the bias
of length is known and can be removed.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.demo.planned import PlannedVideo
from vidrec_tasks.demo.size import LAST_NIGHT, Size
from vidrec_tasks.demo.tastes import HABITS, PlannedUser

NOISE_SHARE: Final = 0.15
"""Plays that follow no taste."""
STAY_SHARE: Final = 0.4
"""Plays that stay with the topic of the one before, within a session."""
SEEN_FACTOR: Final = 0.25
FAVOURITE_FACTOR: Final = 2.0
FRESH_FACTOR: Final = 1.0
FRESH_DAYS: Final = 4.0
"""Days in which the appeal of novelty falls by e: part of the planted truth, so the setting
`fresh_days` of the recommender must not change it."""
DURATION_BIAS: Final = 0.8
"""Log odds of watching on that each e-fold of length costs, whatever the taste."""
TYPICAL_S: Final = 25.0
PLAYS_A_SESSION: Final = 2.0
SKIPPED_BELOW: Final = 0.25
COMPLETED_ABOVE: Final = 0.8
SURFACES: Final = ("home", "search", "similar")
SURFACE_SHARES: Final = (0.7, 0.12, 0.18)

Doubles = npt.NDArray[np.float64]
Event = dict[str, Any]


@dataclass(frozen=True)
class Shelf:
    """The videos as arrays, in the order of the catalogue.

    Attributes:
        carried: ``(n_videos, n_topics)`` bool.
        published, gone: seconds since 1970 between which each can be watched.
        group: the row of the first upload of each video.
    """

    videos: list[PlannedVideo]
    topics: list[str]
    carried: npt.NDArray[np.bool_]
    published: Doubles
    gone: Doubles
    appeal: Doubles
    duration_s: Doubles
    group: npt.NDArray[np.int64]
    creators: npt.NDArray[np.object_]


def shelve(videos: list[PlannedVideo], topics: Iterable[str]) -> Shelf:
    """The videos as arrays."""
    names = list(topics)
    number_of = {video.video_id: number for number, video in enumerate(videos)}
    return Shelf(
        videos=videos,
        topics=names,
        carried=np.array([[name in video.topic_names for name in names] for video in videos]),
        published=np.array([video.published_at.timestamp() for video in videos]),
        gone=np.array([_gone(video) for video in videos]),
        appeal=np.array([video.appeal for video in videos]),
        duration_s=np.array([video.duration_s for video in videos]),
        group=np.array([number_of[video.reupload_of or video.video_id] for video in videos]),
        creators=np.array([video.creator_id for video in videos], dtype=object),
    )


def let_watch(user: PlannedUser, shelf: Shelf, size: Size) -> list[Event]:
    """The events of one user, in order of time; the same whoever else is in the world."""
    rng = np.random.default_rng([size.seed, 4, zlib.crc32(user.user_id.encode())])
    if user.role == "no history":
        return []
    watcher = _Watcher(user, shelf, size, rng)
    span_days = (size.end - size.begin) / pd.Timedelta(days=1)
    n_sessions = max(2, int(rng.poisson(user.plays / PLAYS_A_SESSION)))
    days = np.sort(rng.integers(0, int(span_days), n_sessions))
    mean, spread = HABITS[user.habit]
    for number, day in enumerate(days):
        hour = float(np.clip(rng.normal(mean, spread), 0.1, 23.2))
        begins = size.begin.timestamp() + float(day) * 86_400 + hour * 3600
        watcher.watch_session(f"{user.user_id}-s{number + 1}", begins)
    return sorted(watcher.events, key=lambda event: event["event_at"])


def _gone(video: PlannedVideo) -> float:
    """When it can be watched no more; a new one is not watched at all."""
    if video.role == "new":
        return 0.0
    return np.inf if video.expires_at is None else video.expires_at.timestamp()


class _Watcher:
    """One user in front of the shelf."""

    def __init__(
        self, user: PlannedUser, shelf: Shelf, size: Size, rng: np.random.Generator
    ) -> None:
        self.user, self.shelf, self.rng = user, shelf, rng
        half = pd.Timestamp(LAST_NIGHT, tz="UTC").timestamp() - size.begin.timestamp()
        self.turns_at = size.begin.timestamp() + half / 2
        self.allowed = np.array([user.may_see(video) for video in shelf.videos])
        self.prefers = np.where(shelf.creators == user.favourite, FAVOURITE_FACTOR, 1.0)
        self.n_seen = np.zeros(len(shelf.videos), dtype=np.int64)
        self.events: list[Event] = []

    def watch_session(self, session_id: str, begins: float) -> None:
        """One to a few plays from one list that was shown."""
        at = begins
        shown = {
            "session_id": session_id,
            "surface": str(self.rng.choice(SURFACES, p=SURFACE_SHARES)),
        }
        topic = -1
        for _ in range(1 + int(self.rng.poisson(PLAYS_A_SESSION - 1))):
            topic = self._turn_to(topic, at)
            video = self._choose(topic, at)
            if video < 0:
                return
            at = self._pass_by(video, at, shown)
            at = self._play(video, at, shown)

    def _tastes(self, at: float) -> dict[str, float]:
        return self.user.tastes if at < self.turns_at else self.user.later_tastes

    def _turn_to(self, topic: int, at: float) -> int:
        """The topic of the next play; -1 follows no taste."""
        if self.rng.random() < NOISE_SHARE:
            return -1
        if topic >= 0 and self.rng.random() < STAY_SHARE:
            return topic
        tastes = self._tastes(at)
        weights = np.array(list(tastes.values()))
        name = self.rng.choice(list(tastes), p=weights / weights.sum())
        return self.shelf.topics.index(str(name))

    def _open_at(self, at: float) -> npt.NDArray[np.bool_]:
        return (self.shelf.published <= at) & (at < self.shelf.gone) & self.allowed

    def _choose(self, topic: int, at: float) -> int:
        """A video of the topic: by appeal, freshness and creator; what was seen seldom again."""
        shelf = self.shelf
        age_days = np.maximum(at - shelf.published, 0) / 86_400
        weights = np.exp(shelf.appeal) * self.prefers * self._open_at(at)
        weights *= 1 + FRESH_FACTOR * np.exp(-age_days / FRESH_DAYS)
        weights *= SEEN_FACTOR ** self.n_seen[shelf.group]
        on_topic = weights * shelf.carried[:, topic] if topic >= 0 else weights
        chosen = on_topic if on_topic.sum() > 0 else weights
        if chosen.sum() <= 0:
            return -1
        return int(self.rng.choice(len(weights), p=chosen / chosen.sum()))

    def _pass_by(self, video: int, at: float, shown: dict[str, str]) -> float:
        """What the list showed around the video that was played."""
        open_now = np.flatnonzero(self._open_at(at))
        n_others = min(int(self.rng.integers(2, 5)), len(open_now))
        others = self.rng.choice(open_now, n_others, replace=False)
        listed = self.rng.permutation(np.append(others[others != video], video))
        for position, passed in enumerate(listed, start=1):
            self._say(passed, at, "impression", shown, position=position)
        self._place = int(np.flatnonzero(listed == video)[0]) + 1
        return at + float(self.rng.uniform(2, 9))

    def _play(self, video: int, at: float, shown: dict[str, str]) -> float:
        """One play and what follows from it; returns when the next thing can happen."""
        match = self._match(video, at)
        share = self._watched_share(video, match)
        watched_s = round(share * float(self.shelf.duration_s[video]), 1)
        ends = at + max(watched_s, 1.0)
        self.n_seen[self.shelf.group[video]] += 1
        if share < SKIPPED_BELOW:
            self._say(video, at, "skip", shown, watched_s=watched_s, position=self._place)
            return ends + float(self.rng.uniform(1, 10))
        self._say(video, at, "play", shown, watched_s=watched_s, position=self._place)
        if share >= 1:
            self._say(video, ends, "complete", shown)
        self._react(video, ends, match, share, shown)
        return ends + float(self.rng.uniform(5, 60))

    def _match(self, video: int, at: float) -> float:
        """How much the video is to the user's taste, from 0 to 1."""
        tastes = self._tastes(at)
        carried = self.shelf.videos[video].topic_names
        liked = [tastes[name] for name in carried if name in tastes]
        return max(liked, default=0.0) / max(tastes.values())

    def _watched_share(self, video: int, match: float) -> float:
        length = np.log(self.shelf.duration_s[video] / TYPICAL_S)
        odds = -0.7 + 2.2 * match + 0.6 * self.shelf.appeal[video] - DURATION_BIAS * length
        share = 1 / (1 + np.exp(-(odds + self.rng.normal(0, 0.7))))
        return 1.0 if share > COMPLETED_ABOVE else float(share)

    def _react(
        self, video: int, at: float, match: float, share: float, shown: dict[str, str]
    ) -> None:
        """Likes, shares and ratings follow taste alone."""
        draws = self.rng.random(4)
        if draws[0] < 0.25 * match * (share > 0.4):
            self._say(video, at + 1, "like", shown)
        elif draws[1] < 0.06 * (1 - match):
            self._say(video, at + 1, "dislike", shown)
        if draws[2] < 0.05 * match:
            self._say(video, at + 2, "share", shown)
        if draws[3] < 0.07:
            value = 1.5 + 3 * match + self.rng.normal(0, 0.6)
            self._say(video, at + 3, "rating", shown, value=int(np.clip(round(value), 1, 5)))

    def _say(
        self, video: int, at: float, event_type: str, shown: dict[str, str], **more: Any
    ) -> None:
        self.events.append(
            {
                "user_id": self.user.user_id,
                "video_id": self.shelf.videos[video].video_id,
                "event_at": at,
                "event_type": event_type,
                **shown,
                **more,
            }
        )
