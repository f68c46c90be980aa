"""KuaiRand: ``log_*.csv``, and if they are there ``video_features_basic_*.csv``, ``user_features``.

Format: the data set's own description (https://kuairand.com; Gao et al., CIKM 2022), with commas or
tabs. The logs are read together, those of standard and of random exposure, in parts or not; a
``sample.csv`` of such rows stands for them. The daily statistics of videos are not read: they tell
a night of what comes after it. Nor are a video's visible_status, which is of a later day and in
numbers that nobody explains, and a user's features: all that counts is that the user exists.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.contracts.absence import filled
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.catalogue import (
    RESTRICTING,
    USER_RESTRICTING,
    USER_RESTRICTIONS,
    Events,
    as_lists,
    first_of,
    restrictions,
)
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.staging import Staging, as_cell

LOGS: Final = File(("log_*.csv", "sample.csv"))
VIDEOS: Final = File(("video_features_basic*.csv",), is_needed=False)
USERS: Final = File(("user_features*.csv",), is_needed=False)

SIGNALS: Final = {
    "like": ("is_like", "is_follow"),
    "dislike": ("is_hate",),
    "share": ("is_forward",),
}
"""Event type -> the columns of which one says it. A follow is a like, as in `event_words`."""
OPENED: Final = ("is_click", "long_view", "is_comment", "is_profile_enter")
"""Beside a play time, what shows that a video was played. A comment may be for or against, and a
visit to the profile is about the creator, so they say no more than that."""
VERSION: Final = re.compile(r"_(27k|1k|pure)(?:_part\d+)?\.csv\Z", re.IGNORECASE)


def import_kuairand(source: Source, staging: Staging) -> dict[str, int]:
    """Import a KuaiRand folder.

    A row of the log becomes a ``play`` with its watched_s, or an ``impression`` if nothing was
    played, and one event for each of `SIGNALS` that it says, all at the row's time; ``tab`` is the
    surface. A duration of 0 means that it is not known. A video that no features describe has the
    log's duration and no title; no video of the data has one.

    Returns:
        ``published_moved``: videos stamped later than their first event; ``without_features``:
        videos of the log alone; ``unread_signals``: signals that are no number.
    """
    logs, videos, users = _files(source)
    log, n_unread = _Log(), 0
    for path in logs:
        knows = (*sum(SIGNALS.values(), ()), *OPENED, "duration_ms", "tab")
        needs = ("user_id", "video_id", "time_ms", "play_time_ms")
        for rows in source.read(path, needs=needs, knows=knows):
            interactions, unread = _interactions(rows)
            log.note(rows, interactions)
            staging.add("interactions", interactions)
            n_unread += unread
    n_moved, described = 0, set[str]()
    for rows in _read_videos(source, videos):
        published, moved = log.events.published(rows["video_id"], first_of(rows, ("upload_dt",)))
        staging.add("videos", _videos(rows, published, log))
        described.update(str(video) for video in rows["video_id"].dropna())
        n_moved += moved
    others = sorted(log.events.first_at.keys() - described)
    if others or not described:
        staging.add("videos", log.videos(others))
    if users is not None:
        for rows in source.read(users, needs=("user_id",), knows=USER_RESTRICTING):
            own = restrictions(rows, USER_RESTRICTIONS)
            staging.add("users", pd.DataFrame({c.USER_ID: rows["user_id"], **own}))
    return {
        "published_moved": n_moved, "without_features": len(others), "unread_signals": n_unread,
    }  # fmt: skip


KUAIRAND: Final = Preset(
    "kuairand",
    files=(LOGS, VIDEOS, USERS),
    brings=("interactions", "videos", "users"),
    stage=import_kuairand,
)


class _Log:
    """What passed by while the log was carried over.

    Attributes:
        events: the videos, and when each was first met.
        duration_s: video -> how long it is, where some row says so.
    """

    def __init__(self) -> None:
        self.events = Events()
        self.duration_s: dict[str, float] = {}

    def note(self, rows: pd.DataFrame, interactions: pd.DataFrame) -> None:
        """Take note of a chunk of the log, and of the events that it became."""
        self.events.note(interactions)
        seconds = _numbers(first_of(rows, ("duration_ms",))) / 1000
        known = seconds > 0
        longest = seconds[known].groupby(rows["video_id"][known]).max()
        for video, length_s in longest.items():
            name = str(as_cell(video))
            self.duration_s[name] = max(length_s, self.duration_s.get(name, 0.0))

    def videos(self, names: Sequence[str]) -> pd.DataFrame:
        """Some of its videos as rows of the catalogue."""
        lengths = [self.duration_s.get(name) for name in names]
        return pd.DataFrame({c.VIDEO_ID: names, c.DURATION_S: lengths}, dtype=object)


def _files(source: Source) -> tuple[list[Path], Path | None, Path | None]:
    """The logs, the features of videos and of users; ids are new in each version of the data."""
    logs = source.every(*LOGS.patterns)
    videos, users = source.find(*VIDEOS.patterns), source.find(*USERS.patterns)
    named = [VERSION.search(path.name) for path in (*logs, videos, users) if path is not None]
    versions = sorted({match[1].lower() for match in named if match})
    if len(versions) > 1:
        message = (
            f"{source.preset}: files of {len(versions)} versions ({', '.join(versions)}) lie in "
            f"{source.folder}, and an id is another video in each; keep those of one"
        )
        raise InputError(message)
    return logs, videos, users


def _read_videos(source: Source, path: Path | None) -> Iterator[pd.DataFrame]:
    if path is not None:
        knows = ("author_id", "upload_dt", "video_duration", "tag", *RESTRICTING)
        yield from source.read(path, needs=("video_id",), knows=knows)


def _interactions(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The events of some rows, in their order; how many signals could not be read."""
    signals, n_unread = _signals(rows)
    played = filled(rows["play_time_ms"]) & (_numbers(rows["play_time_ms"]) != 0)
    # a click is 7 s or the whole video in most places: with a play time of 0 it was not measured
    is_play = played | signals[list(OPENED)].any(axis=1)
    events = pd.DataFrame(
        {
            c.USER_ID: rows["user_id"],
            c.VIDEO_ID: rows["video_id"],
            c.EVENT_AT: rows["time_ms"],
            c.EVENT_TYPE: np.where(is_play, "play", "impression"),
            c.WATCHED_S: _seconds(rows["play_time_ms"]).where(played, None),
            c.SURFACE: first_of(rows, ("tab",)),
        }
    )
    signalled = [
        events[signals[list(names)].any(axis=1)].assign(**{c.EVENT_TYPE: kind, c.WATCHED_S: None})
        for kind, names in SIGNALS.items()
    ]
    return pd.concat([events, *signalled]).sort_index(kind="stable", ignore_index=True), n_unread


def _signals(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Which rows say each signal, False where a log has no such column; how many are no number."""
    names = [*sum(SIGNALS.values(), ()), *OPENED]
    texts = {name: first_of(rows, (name,)) for name in names}
    numbers = {name: _numbers(values) for name, values in texts.items()}
    n_unread = sum(int((filled(texts[name]) & numbers[name].isna()).sum()) for name in names)
    return pd.DataFrame({name: values > 0 for name, values in numbers.items()}), n_unread


def _videos(rows: pd.DataFrame, published: pd.Series, log: _Log) -> pd.DataFrame:
    duration_s = _seconds(first_of(rows, ("video_duration",)))
    known = filled(duration_s) & (duration_s != 0)
    return pd.DataFrame(
        {
            c.VIDEO_ID: rows["video_id"],
            c.CATEGORIES: as_lists(first_of(rows, ("tag",)), (",",)),
            c.CREATOR_ID: first_of(rows, ("author_id",)),
            c.DURATION_S: duration_s.where(known, rows["video_id"].map(log.duration_s)),
            c.PUBLISHED_AT: published,
            **restrictions(rows),
        }
    )


def _numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype("float64")


def _seconds(millis: pd.Series) -> pd.Series:
    """Milliseconds as seconds; what is no number stays, for the contract to name."""
    seconds = _numbers(millis) / 1000
    return seconds.astype(object).where(seconds.notna() | ~filled(millis), millis)
