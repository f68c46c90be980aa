"""Grabbing: candidate frames of one film, spread over the whole of it, with their timestamps.

A survey of the packets decides the way. A film with enough key frames is decoded by a few of them
alone, each for itself; one with few is read in strides; one with few that is too long to read is
read a little from each. What may be decoded is counted in pixels, so that the same film gives the
same frames however busy the machine is.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final, Literal

import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.frame import PictureType, VideoFrame

from vidrec_tasks.content.decoding.containers import Film, VideoPacket, open_film
from vidrec_tasks.content.decoding.pictures import to_picture
from vidrec_tasks.content.decoding.selection import Look, look_at
from vidrec_tasks.content.decoding.surveying import (
    Survey,
    Windows,
    is_within,
    survey,
    timed_packets,
)
from vidrec_tasks.errors import MediaError

MANY: Final = 64
"""Packets from which a film can do without the frames that no other needs."""

EDGES: Final = 2
"""Key frames beyond those wanted: the first and the last second are considered last."""

ENOUGH: Final = 0.5
"""Share of the keyframes wanted that a long film's key frames may fall short to: eight frames
instead of six would take ten times as long."""

CHEAP: Final = 0.1
"""Part of what may be decoded up to which reading all of a film is no question."""

SMALL: Final = 8 << 20
"""Bytes up to which it is quicker to look at all packets once than at key frames first."""

STREAMS: Final = 3
"""Streams of pictures that are tried, until one gives more than one frame."""

NEEDING: Final = (PictureType.P, PictureType.B, PictureType.S, PictureType.SP, PictureType.BI)
"""Kinds of frames that need others: a container may call them key frames."""

TINY_S: Final = 0.001

PIXELS_A_SECOND: Final = 180_000_000
"""Pixels decoded for each second of processor that a film may take; one core decodes 200 million
720p pixels a second (measured, H.264 at 5.8 Mbit/s), more of smaller pictures."""


@dataclass(frozen=True)
class Limits:
    """What decoding one film may cost.

    Attributes:
        max_pixels: pixels a frame may have.
        pixel_budget: pixels that reading in strides may decode.
        deadline: `time.process_time` after which what was found must do.
        longer_side: pixels of the longer side of the frames returned.
        max_candidates: frames kept at once.
    """

    max_pixels: int
    pixel_budget: int
    deadline: float
    longer_side: int = 320
    max_candidates: int = 48


@dataclass
class Candidates:
    """Frames of a film, thinned out evenly as they come so that memory is bounded.

    Attributes:
        images: BGR frames, longer side at most the thumbnail's.
        looks: what they look like, and when they are shown: rising seconds from the film's first
            picture. A frame of which the decoder guessed parts is poor.
        limit: how many are kept.
        stride: every how many frames one is kept.
        n_seen: frames looked at.
        lost: why frames could not be made pictures, one a frame.
    """

    images: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    limit: int = 48
    stride: int = 1
    n_seen: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        """Seconds, one a frame."""
        return [look.at_s for look in self.looks]

    @property
    def n_showing(self) -> int:
        """Frames that are whole and neither black, white nor flat."""
        return sum(not look.is_poor for look in self.looks)

    def wants_next(self) -> bool:
        """Count a frame; whether it should be kept."""
        self.n_seen += 1
        return (self.n_seen - 1) % self.stride == 0

    def add(self, image: npt.NDArray[np.uint8], at_s: float, *, is_damaged: bool = False) -> None:
        """Keep a frame; past the limit every other one is dropped and the stride doubles."""
        look = look_at(image, at_s)
        self.images.append(image)
        self.looks.append(replace(look, is_poor=look.is_poor or is_damaged))
        if len(self.images) > self.limit:
            self.images, self.looks = self.images[::2], self.looks[::2]
            self.stride *= 2

    def join(self, other: "Candidates") -> "Candidates":
        """These and others in order of time, each moment once."""
        by_time: dict[float, tuple[npt.NDArray[np.uint8], Look]] = {}
        for some in (other, self):
            by_time |= dict(zip(some.times, zip(some.images, some.looks, strict=True), strict=True))
        kept = [by_time[at_s] for at_s in sorted(by_time)]
        return Candidates(
            [image for image, _ in kept],
            [look for _, look in kept],
            lost=[*self.lost, *other.lost],
        )


def grab(
    file: BinaryIO, *, n_wanted: int, mode: Literal["intra", "scene"], limits: Limits
) -> Candidates:
    """Candidate frames of a film, in order of time.

    Args:
        file: the film, open; left open.
        n_wanted: keyframes that will be chosen.
        mode: ``intra`` or ``scene`` (which reads in strides, to see every change).
        limits: what it may cost.

    Raises:
        MediaError: nothing in it is a film, frames are too large, or none can be converted.
    """
    found = Candidates()
    for nth in range(STREAMS):  # an empty, broken or still stream may stand before the film
        seen = _Look(file, limits, nth).at_film(n_wanted, mode)
        if seen is None:
            break
        if len(seen.images) > len(found.images) or not nth:
            found = seen
        if len(found.images) > 1:
            break
    if found.lost and not found.images:
        message = f"its pictures cannot be shown: {found.lost[0]} ({len(found.lost)} tried)"
        raise MediaError(message)
    return found


@dataclass(frozen=True)
class _Look:
    """The ways of looking at one film."""

    file: BinaryIO
    limits: Limits
    nth: int = 0

    def open(self) -> AbstractContextManager[Film]:
        """The film, from its first byte."""
        return open_film(self.file, max_pixels=self.limits.max_pixels, nth=self.nth)

    def at_film(self, n_wanted: int, mode: str) -> Candidates | None:
        """Candidate frames of one stream; None where there is none, or it may not be decoded."""
        enough = n_wanted + EDGES if mode == "intra" else 1 << 30
        with self.open() as film:
            if film.stream is None or film.why_not:
                return None
            only_keys = film.n_bytes > SMALL and mode == "intra"
            seen, found = self.survey(film, enough, only_keys=only_keys)
        if not seen.is_whole and seen.n_keys < enough:  # there is no index to leap by
            with self.open() as film:
                seen, found = self.survey(film, enough, only_keys=only_keys, is_thorough=True)
        if mode == "scene" or found.n_showing < n_wanted:
            found, seen = self.beyond_key_frames(found, seen, n_wanted * ENOUGH, mode)
        if 0 < found.n_showing < n_wanted:
            found = found.join(self.closer(found, seen))
        return found

    def survey(
        self, film: Film, enough: int, *, only_keys: bool, is_thorough: bool = False
    ) -> tuple[Survey, Candidates]:
        """A survey, and its key frames where there are enough, or reading all would be dear."""
        limit = self.limits.max_candidates
        seen = survey(film, limit=limit, only_keys=only_keys, is_thorough=is_thorough)
        if seen.is_doubtful:
            is_read = self.is_affordable(seen)
        else:
            is_read = seen.n_keys < enough and (only_keys or self.is_affordable(seen, CHEAP))
        return seen, Candidates() if is_read else self.key_frames(film, seen)

    def is_affordable(self, seen: Survey, part: float = 1.0) -> bool:
        """Whether every frame, or every one that others need, costs at most that part of all."""
        share = 0.5 if seen.n > MANY else 1.0
        return seen.is_whole and seen.n * seen.n_pixels * share <= part * self.limits.pixel_budget

    def key_frames(self, film: Film, seen: Survey) -> Candidates:
        """The key frames that a survey kept, each decoded for itself, in a spread order.

        What the first one costs says how many there is time for, in powers of two.
        """
        found = Candidates(limit=self.limits.max_candidates)
        n_most = len(seen.keys)
        slowest = 0.0
        for number, place in enumerate(_spread(len(seen.keys))):
            begin = time.process_time()
            if number >= n_most or begin + 2 * slowest > self.limits.deadline:
                break
            for frame in _alone(film, seen.keys[place], found.lost)[:1]:
                self._keep(film, frame, seen.times[place], found)
            slowest = max(slowest, time.process_time() - begin)
            if number == 0:
                n_most = min(n_most, _n_affordable(slowest, self.limits.deadline - begin))
        return Candidates().join(found)

    def beyond_key_frames(
        self, found: Candidates, seen: Survey, n_enough: float, mode: str
    ) -> tuple[Candidates, Survey]:
        """What reading on adds where key frames are too few, and a survey of all packets."""
        if seen.is_only_keys:
            with self.open() as film:
                limit = self.limits.max_candidates
                seen = survey(film, limit=limit, is_thorough=seen.is_whole)
                if not found.images and not self.is_affordable(seen, CHEAP):
                    found = self.key_frames(film, seen)
        is_short = self.is_affordable(seen, 1.0 if seen.is_doubtful else CHEAP)
        if mode == "scene" or is_short or found.n_showing < n_enough:
            found = found.join(self.read(seen))
        return found, seen

    def read(self, seen: Survey, within: Windows = ()) -> Candidates:
        """Read in strides: all of it where that is cheap, else some after each key frame."""
        n_most = max(self.limits.pixel_budget // seen.n_pixels, 1)
        n_keys = max(seen.n_keys, 1)
        n_after_key = seen.n if self.is_affordable(seen) else max(n_most // n_keys, 1)
        n_read = min(seen.n, n_after_key * n_keys) * _share(within, seen)
        stride = max(int(n_read) // self.limits.max_candidates, 1)
        found = Candidates(limit=self.limits.max_candidates, stride=stride)
        every = -(-n_keys // n_most)
        slowest, begin = 0.0, time.process_time()
        with self.open() as film:
            if seen.n > MANY:
                film.pictures.codec_context.skip_frame = "NONREF"
            frames = _frames(film, n_after_key, every, found.lost)
            for n_frames, (frame, at_s) in enumerate(frames):
                now = time.process_time()
                slowest, begin = max(slowest, now - begin), now
                if n_frames >= n_most or now + 2 * slowest > self.limits.deadline:
                    break
                if is_within(at_s, within) and found.wants_next():
                    self._keep(film, frame, at_s, found)
        return Candidates().join(found)

    def closer(self, found: Candidates, seen: Survey) -> Candidates:
        """More frames from around those that show something, where much of a film is black."""
        windows = _around(found)
        if seen.is_thinned:
            with self.open() as film:
                nearer = survey(film, limit=self.limits.max_candidates, within=windows)
                if nearer.n_keys > found.n_showing:
                    return self.key_frames(film, nearer)
        return self.read(seen, windows) if self.is_affordable(seen) else Candidates()

    def _keep(self, film: Film, frame: VideoFrame, at_s: float, found: Candidates) -> None:
        try:
            image = to_picture(
                frame, pixel_aspect=film.pixel_aspect(), longer_side=self.limits.longer_side
            )
        except MediaError as error:
            found.lost.append(str(error))
        else:
            found.add(image, at_s, is_damaged=frame.is_corrupt)


def _spread(n: int) -> list[int]:
    """0 to n - 1 in an order whose every beginning is spread over all (van der Corput, 1935)."""
    bits = max(n - 1, 1).bit_length()
    order = (int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits))
    return [place for place in order if place < n]


def _n_affordable(cost_s: float, left_s: float) -> int:
    """The largest power of two of frames of a cost that fit in half the time; at least one."""
    return 1 << max(int(0.5 * left_s / max(cost_s, 1e-4)).bit_length() - 1, 0)


def _alone(film: Film, packet: VideoPacket, lost: list[str]) -> list[VideoFrame]:
    """The frames of one packet that needs no other; what turns out to need one is left out."""
    context = film.pictures.codec_context
    try:
        frames = [*_decoded(film, packet, lost), *_decoded(film, None, lost)]
        return [frame for frame in frames if frame.pict_type not in NEEDING]
    finally:
        if context.is_open:
            context.flush_buffers()


def _frames(
    film: Film, n_after_key: int, every: int, lost: list[str]
) -> Iterator[tuple[VideoFrame, float]]:
    """Decoded frames with their seconds, from every so-manieth key frame and packets after it.

    A packet that the decoder refuses costs itself alone.
    """
    times: dict[int, float] = {}
    since_key = n_keys = 0
    last_s = 0.0
    for packet, at_s in timed_packets(film):
        since_key = 0 if packet.is_keyframe else since_key + 1
        n_keys += int(packet.is_keyframe)
        if since_key >= n_after_key or (n_keys - 1) % every:
            continue
        if packet.pts is not None:
            times[packet.pts] = at_s
        for frame in _decoded(film, packet, lost):
            last_s = times.pop(frame.pts, last_s) if frame.pts is not None else at_s
            yield frame, last_s
    for frame in _decoded(film, None, lost):
        last_s = times.pop(frame.pts, last_s) if frame.pts is not None else last_s + TINY_S
        yield frame, last_s


def _decoded(film: Film, packet: VideoPacket | None, lost: list[str]) -> Sequence[VideoFrame]:
    """The frames that a packet completes; a packet that is refused gives none."""
    try:
        return film.pictures.codec_context.decode(packet)
    except MemoryError:
        lost.append("they need more memory than a film may take")
        return []
    except (FFmpegError, ValueError):
        return []


def _around(found: Candidates) -> list[tuple[float, float]]:
    """The time from the frame before to the frame after each that shows something."""
    times = found.times
    return [
        (times[max(place - 1, 0)], times[min(place + 1, len(times) - 1)])
        for place, look in enumerate(found.looks)
        if not look.is_poor
    ]


def _share(within: Windows, seen: Survey) -> float:
    """About which part of a film the windows are."""
    if not within:
        return 1.0
    end = max([*(w[1] for w in within), *seen.times, 1e-6])
    return min(sum(w[1] - w[0] for w in within) / end, 1.0)
