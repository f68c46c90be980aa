"""Sources: what the pages read from, opened when first asked: result tables and the store."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import AT_S, PATH, TITLE, VIDEO_ID
from vidrec_tasks.errors import StoreError
from vidrec_tasks.publishing.engine import results_url
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, Runs

JPEG: Final = b"\xff\xd8\xff"
_RUN_ID: Final = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")
_KEPT_CATALOGUES: Final = 2  # the current run's, and one that somebody compares with


@dataclass(frozen=True)
class Frame:
    """One keyframe: seconds into the film, and its path below the store's keyframes."""

    at_s: float
    path: str


@dataclass(frozen=True)
class Catalogue:
    """A run's videos by id, with their keyframes; empty when the run is past retention."""

    videos: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    frames: Mapping[str, list[Frame]] = field(default_factory=dict)

    def title(self, video_id: str) -> str:
        """The title, or the id where there is none."""
        return str(self.videos.get(video_id, {}).get(TITLE) or video_id)

    def thumbnail(self, video_id: str, at_s: float | None = None) -> str:
        """The path of the keyframe nearest to a second, or of the middle one; '' without."""
        frames = self.frames.get(video_id, [])
        if not frames:
            return ""
        if at_s is None:
            return frames[len(frames) // 2].path
        return min(frames, key=lambda frame: abs(frame.at_s - at_s)).path


class Sources:
    """The result tables and the store of one configuration.

    Args:
        settings: read from the environment when None, at the first question: a page can then say
            what is wrong with them, and the API server starts all the same.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings
        self._catalogues: dict[str, Catalogue] = {}
        self._lock = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return self._given or read_settings()

    @cached_property
    def place(self) -> Place:
        """The store; nothing is written into it from here."""
        return Place(self.settings.store_url, is_read_only=True)

    @cached_property
    def reader(self) -> Reader:
        """The result tables."""
        return Reader(results_url(self.settings, self.place))

    def run(self, run_id: str | None) -> Run | None:
        """A run of the store, if it is still there; what is no run's id is no run."""
        if run_id is None or not _RUN_ID.fullmatch(run_id):
            return None
        return Runs(self.place).find(run_id)

    def runs(self) -> Iterator[Run]:
        """All runs of the store, by night."""
        return iter(Runs(self.place))

    def run_id_of_night(self, night: Any) -> str | None:
        """The newest run of a night."""
        pinned = Runs(self.place).pinned(night)
        return pinned["run_id"] if pinned else None

    def catalogue(self, run_id: str | None) -> Catalogue:
        """The catalogue of a run, kept in memory: a run's catalogue never changes."""
        if run_id is None:
            return Catalogue()
        with self._lock:
            if run_id not in self._catalogues:
                while len(self._catalogues) >= _KEPT_CATALOGUES:
                    self._catalogues.pop(next(iter(self._catalogues)))
                self._catalogues[run_id] = _read_catalogue(self.run(run_id))
            return self._catalogues[run_id]

    def picture(self, path: str) -> bytes | None:
        """The bytes of a keyframe; None when the path is none of a JPEG below the keyframes."""
        if not path.endswith(".jpg"):
            return None
        try:
            found = self.place.path("features", "keyframes", path)
            if not _lies_inside(found, self.place.path("features", "keyframes")):
                return None
            data = self.place.read(found)
        except (StoreError, OSError, ValueError):  # OSError: a name too long, a loop of links
            return None
        return data if data.startswith(JPEG) else None

    def has_report(self, run_id: str) -> bool:
        """Whether a run's report was written."""
        run = self.run(run_id)
        return run is not None and run.find("report") is not None

    def report(self, run: Run) -> bytes | None:
        """The run's report: the night's file, with seconds, when this is the night's newest run."""
        path = self.place.path("reports", f"{run.record.night}.html")
        if self.run_id_of_night(run.night) == run.run_id and path.exists():
            return self.place.read(path)
        html: bytes | None = part_of(run, "report", "html")
        return html


def part_of(run: Run | None, name: str, part: str = "table") -> Any:
    """A part of a run's artefact; None when it is not made or gone."""
    with suppress(StoreError):
        return run.read(name, part) if run is not None and run.find(name) else None
    return None


def _lies_inside(path: Any, root: Any) -> bool:
    """Whether a path, with its links followed, lies below a folder; a remote one has no links."""
    if path.protocol not in ("", "file"):
        return True
    return bool(path.resolve().is_relative_to(root.resolve()))


def _read_catalogue(run: Run | None) -> Catalogue:
    videos, frames = part_of(run, "videos"), part_of(run, "frames")
    if videos is None:
        return Catalogue()
    records = videos.to_dict("records")
    by_video: dict[str, list[Frame]] = {}
    table = pd.DataFrame(columns=[VIDEO_ID, AT_S, PATH]) if frames is None else frames
    for video_id, at_s, path in zip(table[VIDEO_ID], table[AT_S], table[PATH], strict=True):
        by_video.setdefault(video_id, []).append(Frame(float(at_s), str(path)))
    return Catalogue({row[VIDEO_ID]: row for row in records}, by_video)
