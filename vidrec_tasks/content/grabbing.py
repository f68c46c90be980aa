"""Grabbing: candidate frames of one film, through OpenCV, with their timestamps.

A look at the packets decides the way: a film with enough intra frames is decoded by them alone
(FFmpeg's ``avdiscard=nonkey``), one with few is read in strides, a long one of intra frames only is
leapt through. Declared lengths and rates are never believed.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.gamut import Source, source_of, to_screen
from vidrec_tasks.content.packets import (
    Packets,
    close_capture,
    is_late,
    open_capture,
    refuse_large,
    scan,
)
from vidrec_tasks.content.selection import look_at
from vidrec_tasks.errors import MediaError

INTRA_ONLY: Final = "avdiscard;nonkey"
NO_B_FRAMES: Final = "avdiscard;nonref"
"""Frames that no other needs are skipped: half the decoding for x264's defaults."""

MANY: Final = 96
"""Packets from which a film can do without the frames that no other needs."""

EDGES: Final = 2
"""Intra frames beyond those wanted: the first and the last second are considered last."""

ENOUGH: Final = 0.5
"""Share of the keyframes wanted that a long film's intra frames may fall short to: eight frames
instead of six would take ten times as long."""

PIXELS_A_SECOND: Final = 50_000_000
"""Pixels decoded for each second of the time limit; one core decodes 200 million 720p pixels a
second (measured, H.264 at 5.8 Mbit/s), so the limit holds on a core that is shared by three."""


@dataclass(frozen=True)
class Limits:
    """What decoding one film may cost.

    Attributes:
        max_pixels: pixels a frame may have.
        pixel_budget: pixels that reading in strides may decode: the same film gives the same
            frames, however busy the machine is.
        deadline: `time.monotonic` after which what was found must do.
        longer_side: pixels of the longer side of the frames returned.
        max_candidates: frames kept at once.
        n_threads: threads of FFmpeg.
    """

    max_pixels: int
    pixel_budget: int
    deadline: float
    longer_side: int = 320
    max_candidates: int = 48
    n_threads: int = 1


@dataclass
class Candidates:
    """Frames of a film, thinned out evenly as they come so that memory is bounded.

    Attributes:
        images: BGR frames, longer side at most the thumbnail's.
        times: seconds from the film's first picture, rising, one a frame.
        limit: how many are kept.
        stride: every how many frames one is kept.
        n_seen: frames looked at.
        n_lost: frames that were decoded and could not be made a picture.
    """

    images: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    limit: int = 48
    stride: int = 1
    n_seen: int = 0
    n_lost: int = 0

    def wants_next(self) -> bool:
        """Count a frame; whether it should be kept."""
        self.n_seen += 1
        return (self.n_seen - 1) % self.stride == 0

    def add(self, image: npt.NDArray[np.uint8], at_s: float) -> None:
        """Keep a frame; past the limit every other one is dropped and the stride doubles."""
        self.images.append(image)
        self.times.append(at_s)
        if len(self.images) > self.limit:
            self.images = self.images[::2]
            self.times = self.times[::2]
            self.stride *= 2

    def join(self, other: "Candidates") -> "Candidates":
        """These and others in order of time, each moment once."""
        by_time = dict(zip(other.times, other.images, strict=True))
        by_time |= dict(zip(self.times, self.images, strict=True))
        times = sorted(by_time)
        return Candidates([by_time[at_s] for at_s in times], times)


def grab(
    path: Path, *, n_wanted: int, mode: Literal["intra", "scene"], limits: Limits
) -> Candidates:
    """Candidate frames of a film, in order of time.

    Args:
        path: the film.
        n_wanted: keyframes that will be chosen.
        mode: ``intra`` or ``scene`` (which reads in strides, to see every change).
        limits: what it may cost.

    Raises:
        MediaError: frames are too large, or no decoded frame can be kept.
    """
    enough = n_wanted + EDGES if mode == "intra" else 1 << 30
    packets = scan(
        path, n_intra=enough, max_pixels=limits.max_pixels, pixel_budget=limits.pixel_budget
    )
    if not packets.is_open:
        return Candidates()
    source = source_of(path, packets.header)
    found = _look(source, packets, n_wanted, mode, enough, limits)
    if source.patches and not found.images:  # what was hidden was needed after all
        return _look(Source(path), packets, n_wanted, mode, enough, limits)
    return found


def _look(
    source: Source, packets: Packets, n_wanted: int, mode: str, enough: int, limits: Limits
) -> Candidates:
    """Decode in the way that suits what the packets are."""
    if packets.is_intra_only:
        return _read_intra_only(source, packets, n_wanted, limits)
    option = NO_B_FRAMES if packets.n > MANY else ""
    if packets.n_intra < enough and _is_affordable(packets, option, limits):
        return _read(source, option, limits, stride=_stride(packets, limits))
    intra = _read(source, INTRA_ONLY, limits)
    is_short = _is_affordable(packets, option, limits)
    if mode == "intra" and _n_showing(intra) >= (n_wanted if is_short else n_wanted * ENOUGH):
        return intra
    # where it is too long to read to its end, the intra frames cover it, its beginning fills up
    return intra.join(_read(source, option, limits))


def _n_showing(found: Candidates) -> int:
    """Frames that are neither black, white nor flat."""
    return sum(not look_at(image, 0.0).is_poor for image in found.images)


def _is_affordable(packets: Packets, option: str, limits: Limits) -> bool:
    share = 0.5 if option else 1.0
    return packets.is_whole and packets.total_pixels * share <= limits.pixel_budget


def _stride(packets: Packets, limits: Limits) -> int:
    """Every how many frames one is converted: all packets may turn out to be decoded."""
    return max(packets.n // limits.max_candidates, 1)


def _read_intra_only(source: Source, packets: Packets, n_wanted: int, limits: Limits) -> Candidates:
    """Every frame stands alone: read all while that is cheap, else leap through the film."""
    if _is_affordable(packets, "", limits):
        return _read(source, "", limits, stride=_stride(packets, limits))
    leapt = _leap(source, n_wanted + EDGES, limits)
    return leapt if len(leapt.images) >= n_wanted else leapt.join(_read(source, "", limits))


def _read(source: Source, option: str, limits: Limits, *, stride: int = 1) -> Candidates:
    """Read from the beginning, as far as budget and deadline go."""
    capture = _open(source, option, limits)
    found = Candidates(limit=limits.max_candidates, stride=stride)
    try:
        n_pixels = refuse_large(capture, limits.max_pixels)
        n_most = max(limits.pixel_budget // n_pixels, 1)
        while not is_late(limits.deadline) and found.n_seen < n_most and capture.grab():
            if found.wants_next():
                _keep(capture, source, found, limits)
    finally:
        close_capture(capture, source)
    if found.n_lost and not found.images:
        message = f"{found.n_lost} frames decode but need more memory than a film may take"
        raise MediaError(message)
    return _in_order(found)


def _leap(source: Source, n: int, limits: Limits) -> Candidates:
    """Frames at ``n`` moments spread over a film of intra frames only, where a leap is exact.

    The declared length only says where to leap to; the moments are those of the frames found.
    """
    capture = _open(source, "", limits)
    found = Candidates(limit=limits.max_candidates)
    try:
        refuse_large(capture, limits.max_pixels)
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        declared_s = float(capture.get(cv2.CAP_PROP_FRAME_COUNT)) / rate if rate > 0 else 0.0
        for part in range(n):
            if is_late(limits.deadline) or not 0 < declared_s < 1e6:
                break
            capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * declared_s * (part + 0.5) / n)
            if capture.grab():
                _keep(capture, source, found, limits)
    finally:
        close_capture(capture, source)
    return Candidates().join(found)


def _open(source: Source, option: str, limits: Limits) -> Any:
    return open_capture(
        source, option, limits.max_pixels, [cv2.CAP_PROP_N_THREADS, limits.n_threads]
    )


def _keep(capture: Any, source: Source, found: Candidates, limits: Limits) -> None:
    at_s = max(float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000, 0.0)
    is_whole, image = capture.retrieve()
    if is_whole and image is not None and image.size:
        small = _shrink(_three_channels(image), limits.longer_side)
        found.add(to_screen(small, source), at_s)
    else:
        found.n_lost += 1


def _in_order(found: Candidates) -> Candidates:
    """Frames by time, each moment once, unless the container gives no moments at all.

    An elementary stream has no timestamps (all are 0): its frames keep their order, and that they
    have no moment of their own shows in ``at_s`` being 0 for all.
    """
    if len(found.times) > 1 and not any(found.times):
        return found
    return Candidates(limit=found.limit).join(found)


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
