"""Grabbing: candidate frames of one film, through OpenCV, with their timestamps.

First only intra frames are decoded (FFmpeg's ``avdiscard=nonkey``); where a film has too few of
them, or every frame is one, a second look takes frames in strides. Frame numbers, declared lengths
and declared rates are never used.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidrec_tasks.errors import MediaError

INTRA_ONLY: Final = "avdiscard;nonkey"
MAX_CANDIDATES: Final = 96
SCENE_CHANGE: Final = 0.35
"""Total variation of colour histograms from which a frame begins a scene."""


@dataclass
class Candidates:
    """Frames of a film, thinned out evenly as they come so that memory is bounded.

    Attributes:
        images: BGR frames, longer side at most the thumbnail's.
        times: seconds from the beginning, one a frame.
        stride: every how many frames one is kept.
        n_seen: frames looked at.
    """

    images: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    stride: int = 1
    n_seen: int = 0

    def wants_next(self) -> bool:
        """Count a frame; whether it should be kept."""
        self.n_seen += 1
        return (self.n_seen - 1) % self.stride == 0

    def add(self, image: npt.NDArray[np.uint8], at_s: float) -> None:
        """Keep a frame; past the limit every other one is dropped and the stride doubles."""
        self.images.append(image)
        self.times.append(at_s)
        if len(self.images) > MAX_CANDIDATES:
            self.images = self.images[::2]
            self.times = self.times[::2]
            self.stride *= 2


def grab(
    path: Path, *, n_wanted: int, max_pixels: int, longer_side: int, deadline: float, mode: str
) -> Candidates:
    """Candidate frames of a film.

    Args:
        path: the film.
        n_wanted: keyframes that will be chosen.
        max_pixels: pixels a frame may have.
        longer_side: pixels of the longer side of the frames returned.
        deadline: `time.monotonic` after which what was found must do.
        mode: ``intra`` or ``scene``.

    Raises:
        MediaError: no frame can be decoded, or frames are too large.
    """
    limits = (max_pixels, longer_side, deadline)
    if mode == "scene":
        return _scenes(_read(path, "", *limits))
    intra = _read(path, INTRA_ONLY, *limits)
    if len(intra.images) >= n_wanted or time.monotonic() > deadline:
        return intra
    strided = _read(path, "", *limits)
    return strided if len(strided.images) > len(intra.images) else intra


def _read(
    path: Path, options: str, max_pixels: int, longer_side: int, deadline: float
) -> Candidates:
    capture = _open(path, options)
    found = Candidates()
    try:
        _refuse_large(capture, max_pixels)
        while time.monotonic() < deadline and capture.grab():
            if not found.wants_next():
                continue
            at_s = max(float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000, 0.0)
            is_whole, image = capture.retrieve()
            if is_whole and image is not None and image.size:
                found.add(_shrink(_three_channels(image), longer_side), at_s)
    finally:
        capture.release()
    return found


def _open(path: Path, options: str) -> Any:
    if options:
        os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = options
    else:
        os.environ.pop("OPENCV_FFMPEG_CAPTURE_OPTIONS", None)
    return cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG)


def _refuse_large(capture: Any, max_pixels: int) -> None:
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > max_pixels:
        message = f"frames are too large ({width} × {height}, at most {max_pixels:,} pixels)"
        raise MediaError(message)


def _three_channels(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if image.ndim == 2:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    return image[:, :, :3]


def _shrink(image: npt.NDArray[np.uint8], longer_side: int) -> npt.NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = longer_side / max(height, width)
    if scale >= 1:
        return image.copy()
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _scenes(found: Candidates) -> Candidates:
    """The frames that begin a scene, and the frame in the middle of each scene."""
    from vidrec_tasks.content.selection import look_at

    looks = [look_at(image, at_s) for image, at_s in zip(found.images, found.times, strict=True)]
    starts = [0] if looks else []
    for place in range(1, len(looks)):
        change = 0.5 * np.abs(looks[place].histogram - looks[place - 1].histogram).sum()
        if change > SCENE_CHANGE:
            starts.append(place)
    ends = [*starts[1:], len(looks)]
    middles = [(start + end) // 2 for start, end in zip(starts, ends, strict=True)]
    places = sorted({*middles, *(place for place in starts if len(starts) < 2)})
    return Candidates(
        [found.images[place] for place in places], [found.times[place] for place in places]
    )
