"""Catalogue: a run's videos and keyframes by id, kept as columns: a dict a video would not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from vidrec_tasks.columns import AT_S, FRAME_NUM, PATH, TITLE, VIDEO_ID


@dataclass(frozen=True)
class Frame:
    """One keyframe: seconds into the film, and its path below the store's keyframes."""

    at_s: float
    path: str


class Catalogue:
    """A run's videos by id, with their keyframes; empty when the run is past retention.

    Args:
        videos: the artefact ``videos``, or None.
        frames: the artefact ``frames``, or None.
    """

    def __init__(
        self, videos: pd.DataFrame | None = None, frames: pd.DataFrame | None = None
    ) -> None:
        self._videos = pd.DataFrame({VIDEO_ID: []}) if videos is None else videos
        self._rows = pd.Index(self._videos[VIDEO_ID].to_numpy(dtype=object))
        empty = pd.DataFrame({VIDEO_ID: [], FRAME_NUM: [], AT_S: [], PATH: []})
        frames = empty if frames is None else frames
        self._frames = frames.sort_values([VIDEO_ID, FRAME_NUM], kind="stable", ignore_index=True)
        self._framed = self._frames[VIDEO_ID].to_numpy(dtype=object)

    def __len__(self) -> int:
        """How many videos there are."""
        return len(self._videos)

    def video(self, video_id: str) -> dict[str, Any] | None:
        """A video's row."""
        if video_id not in self._rows:
            return None
        return dict(self._videos.iloc[self._rows.get_loc(video_id)])

    def row(self, video_id: str) -> pd.DataFrame:
        """A video's row as a frame of one row, or of none."""
        positions = self._rows.get_indexer([video_id])
        return self._videos.iloc[positions[positions >= 0]]

    def title(self, video_id: str) -> str:
        """The title, or the id where there is none."""
        video = self.video(video_id) or {}
        return str(video.get(TITLE) or video_id)

    def frames(self, video_id: str) -> list[Frame]:
        """The keyframes of a video, in order."""
        first, last = (self._framed.searchsorted(video_id, side=s) for s in ("left", "right"))
        mine = self._frames.iloc[first:last]
        return [Frame(float(s), str(path)) for s, path in zip(mine[AT_S], mine[PATH], strict=True)]

    def thumbnail(self, video_id: str, at_s: float | None = None) -> str:
        """The path of the keyframe nearest to a second, or of the middle one; '' without."""
        frames = self.frames(video_id)
        if not frames:
            return ""
        if at_s is None:
            return frames[len(frames) // 2].path
        return min(frames, key=lambda frame: abs(frame.at_s - at_s)).path
