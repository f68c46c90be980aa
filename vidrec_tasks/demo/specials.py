"""Specials: turns some planned videos into the cases that a night must cope with."""

from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.demo.planned import PlannedVideo
from vidrec_tasks.demo.size import LAST_NIGHT, Size

REGIONS: Final = ("de", "fr", "us")
INACTIVE: Final = "withdrawn"
ADULT_RATING: Final = 18
"""Age rating, in years, of one planted video; the setting `default_max_age_rating` is what a user
without a limit of their own is shown."""
N_ALL_SPECIALS: Final = 20
"""Videos from which a world holds every special case."""


def plant_specials(
    videos: list[PlannedVideo], size: Size, wanted: str, rng: np.random.Generator
) -> None:
    """Turn some videos into special cases; none of the wanted topic, which has few.

    Args:
        videos: plain ones; changed in place.
        size: of the world; one under `N_ALL_SPECIALS` videos gets the first four cases only.
        wanted: the topic to leave alone.
        rng: decides which.
    """
    free = [video for video in videos if wanted not in video.topic_names]
    free = [free[place] for place in rng.permutation(len(free))]
    for _ in range(max(1, size.videos // 20)):
        copy = free.pop()
        _show_again(copy, _source_for(free, copy), size, rng)
    _as("corrupt", free.pop())
    _as("no media", free.pop(), has_media=False)
    last_night = pd.Timestamp(LAST_NIGHT, tz="UTC")
    _as("new", free.pop(), published_at=last_night - pd.Timedelta(hours=2), updated_at=None)
    if size.videos < N_ALL_SPECIALS:
        return
    for _ in range(max(1, size.videos // 30)):
        expired = free.pop()
        published_at = min(expired.published_at, size.begin - pd.Timedelta(days=9))
        ends = (size.begin + pd.Timedelta(days=0.6 * size.nights)).floor("h")
        _as("expired", expired, published_at=published_at, expires_at=ends, updated_at=None)
    _as("inactive", free.pop(), status=INACTIVE)
    _as("one region", free.pop(), regions=[REGIONS[0]])
    _as("age rated", free.pop(), age_rating=ADULT_RATING)


def _as(role: str, video: PlannedVideo, **changes: object) -> None:
    video.role = role
    for name, value in changes.items():
        setattr(video, name, value)


def _source_for(free: list[PlannedVideo], copy: PlannedVideo) -> PlannedVideo:
    """An earlier upload to show again: taken out of the free ones, so that it stays plain."""
    alike = [video for video in free if video.topics[0] is copy.topics[0]] or free
    source = min(alike, key=lambda video: video.published_at)
    free.remove(source)
    return source


def _show_again(
    copy: PlannedVideo, source: PlannedVideo, size: Size, rng: np.random.Generator
) -> None:
    """The same film at another size, under another title, by somebody else, later."""
    _as("reupload", copy, reupload_of=source.video_id, topics=list(source.topics))
    copy.duration_s, copy.fps = source.duration_s, source.fps
    copy.shape = _even(source.shape, 0.8)
    copy.tags = list(source.tags)
    subject = source.topics[0].subjects[rng.integers(len(source.topics[0].subjects))]
    copy.title, copy.language = f"{subject}, seen again", "en"
    begin = max(source.published_at, size.begin - pd.Timedelta(days=3))
    later = (begin + pd.Timedelta(days=float(rng.uniform(1, 3)))).floor("s")
    latest = pd.Timestamp(size.two_nights[0], tz="UTC") - pd.Timedelta(hours=1)
    copy.published_at = min(later, latest)
    copy.updated_at = None


def _even(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """A shape scaled, in even numbers as encoders want them."""
    width, height = (int(side * scale) // 2 * 2 for side in shape)
    return width, height
