"""Surveying: which key frames a film has, and when, before a single picture is decoded.

A short film's packets are all looked at (3 µs each); a long one is sought at even moments, or at
even places where its clock cannot be trusted. Either way what is found is spread over the whole
film and the same each time. Declared lengths and rates only say where to look.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from av.error import FFmpegError
from av.stream import Discard

from vidrec_tasks.content.decoding.containers import Film, VideoPacket, packets

SCANNED: Final = 256 << 20
"""Bytes up to which every packet of a film is looked at."""

KEPT: Final = 256 << 20
"""Bytes of key frames that are kept at once."""

STEPS: Final = 20_000
"""Packets read at most after a leap, until a key frame comes."""

BACK_S: Final = 0.5
BACK_FRAMES: Final = 17
LEAP_S: Final = 600.0
"""A clock that falls back by more than half a second and 17 frames (decoders sort 16), or that in
a format whose clock may jump leaps by more than ten minutes, was started anew: time goes on where
it stood."""

USUAL_RATE: Final = 25

Windows = Sequence[tuple[float, float]]
"""Parts of a film, in seconds of its own time."""


class Clock:
    """Seconds since a film's first packet, rising, whatever the container's clock does.

    Args:
        may_leap: whether a leap forward is a new clock.
        frame_s: seconds a picture lasts, where packets have no time at all (elementary streams).
    """

    def __init__(self, *, may_leap: bool, frame_s: float) -> None:
        self._may_leap = may_leap
        self._frame_s = frame_s
        self._back_s = max(BACK_S, BACK_FRAMES * frame_s)
        self._n_timeless = 0
        self._offset: float | None = None
        self._last = 0.0
        self._step = 0.0

    def time_of(self, packet: VideoPacket) -> float:
        """When a packet's picture is shown; packets come in the order of the file."""
        unit = float(packet.time_base)
        shown = packet.pts if packet.pts is not None else packet.dts
        decoded = packet.dts if packet.dts is not None else packet.pts
        if shown is None or decoded is None:
            self._n_timeless += 1
            return self._last + (self._n_timeless - 1) * self._frame_s
        here = decoded * unit
        if self._offset is None:
            self._offset = -shown * unit
            self._last = here + self._offset
        step = here + self._offset - self._last
        if step < -self._back_s or (self._may_leap and step > LEAP_S):
            self._offset += self._step - step
            step = self._step
        self._last += step
        self._step = step if 0 < step < self._back_s else self._step
        return max(self._last + (shown - decoded) * unit, 0.0)


@dataclass
class Survey:
    """What a look at a film's packets found.

    Attributes:
        keys: key frames, spread over the time that was looked at, in the order of the file.
        times: their seconds.
        n: packets seen.
        n_keys: key frames seen.
        n_pixels: pixels of a frame, as declared.
        is_whole: whether every packet was seen.
        may_need_others: whether the codec makes frames that need others.
        is_only_keys: whether the demuxer was told to leave the others out; some do not.
    """

    limit: int
    keys: list[VideoPacket] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    n: int = 0
    n_keys: int = 0
    n_pixels: int = 1
    is_whole: bool = True
    is_only_keys: bool = False
    may_need_others: bool = False
    _n_bytes: int = 0

    @property
    def is_thinned(self) -> bool:
        """Whether there are key frames that were not kept."""
        return not self.is_whole or self.n_keys > len(self.keys)

    @property
    def is_doubtful(self) -> bool:
        """Whether every packet claims to be a key frame, of a codec that makes others too."""
        return self.may_need_others and not self.is_only_keys and self.n_keys == self.n > 1

    def add(self, packet: VideoPacket, at_s: float) -> None:
        """Keep a key frame; when there are too many, those nearest to their neighbours go."""
        self.keys.append(packet)
        self.times.append(at_s)
        self.n_keys += 1
        self._n_bytes += packet.size
        if len(self.keys) > 2 * self.limit:
            self.thin(self.limit)
        while self._n_bytes > KEPT and len(self.keys) > 1:
            self.thin(len(self.keys) // 2)

    def thin(self, limit: int) -> None:
        """Keep at most so many key frames, as even in time as they come."""
        if len(self.keys) <= limit:
            return
        places = self._even_in_time(limit)[:limit]
        if len(places) < limit / 2:  # a few lie far from all others: even in number then
            places = np.linspace(0, len(self.times) - 1, limit).astype(int).tolist()
        self.keys = [self.keys[place] for place in places]
        self.times = [self.times[place] for place in places]
        self._n_bytes = sum(packet.size for packet in self.keys)

    def _even_in_time(self, limit: int) -> list[int]:
        first, last = min(self.times), max(self.times)
        step = (last - first) / max(limit - 1, 1)
        places, due = [], first
        for place, at_s in enumerate(self.times):
            if at_s >= due - 1e-9:
                places.append(place)
                due = max(due + step, at_s + step / 2)
        return places


def survey(
    film: Film,
    *,
    limit: int,
    within: Windows = (),
    only_keys: bool = False,
    is_thorough: bool = False,
) -> Survey:
    """Look for a film's key frames.

    Args:
        film: open, at its first byte.
        limit: key frames to keep.
        within: look at these parts alone; everywhere by default.
        only_keys: leave the other packets unread where the demuxer can: how many there are is not
            known then.
        is_thorough: look at every packet however long the film is.
    """
    film.pictures.discard = Discard.nonkey if only_keys else Discard.default
    is_scanned = film.n_bytes <= SCANNED or is_thorough
    found = _scan(film, limit, within) if is_scanned else _leap(film, limit, within)
    found.thin(limit)
    found.is_only_keys = only_keys and found.is_whole and found.n == found.n_keys
    context = film.pictures.codec_context
    found.may_need_others = not context.codec.intra_only
    found.n_pixels = max(context.width * context.height, 1)
    return found


def clock_of(film: Film, *, may_leap: bool = True) -> Clock:
    """A clock for a film that is read from its first byte; ``may_leap``: see `Clock`."""
    rate = film.pictures.average_rate or film.pictures.guessed_rate or USUAL_RATE
    return Clock(may_leap=may_leap and film.has_broken_clock, frame_s=1.0 / float(rate))


def timed_packets(film: Film) -> Iterator[tuple[VideoPacket, float]]:
    """A film's packets from its first byte, each with its seconds.

    What a change of format says once (extradata) is said again with every key frame after it.
    """
    clock = clock_of(film)
    extradata = None
    for packet in packets(film):
        if packet.is_keyframe:
            if packet.has_sidedata("new_extradata"):
                extradata = packet.get_sidedata("new_extradata")
            elif extradata is not None:
                packet.set_sidedata(extradata)
        yield packet, clock.time_of(packet)


def _scan(film: Film, limit: int, within: Windows) -> Survey:
    found = Survey(limit)
    for packet, at_s in timed_packets(film):
        found.n += 1
        if packet.is_keyframe and is_within(at_s, within):
            found.add(packet, at_s)
    return found


def _leap(film: Film, limit: int, within: Windows) -> Survey:
    """Key frames at even moments of a long film, or at even places."""
    found = Survey(limit, is_whole=False)
    clock = clock_of(film, may_leap=False)  # every leap is one of ours
    seen: set[tuple[int | None, int | None]] = set()
    for target in _targets(film, limit, within):
        try:
            film.container.seek(
                target,
                stream=None if film.has_broken_clock else film.pictures,
                unsupported_byte_offset=film.has_broken_clock,
            )
        except (FFmpegError, ValueError, OverflowError):
            continue
        for n, packet in enumerate(packets(film)):
            found.n += 1
            if packet.is_keyframe:
                if (packet.pts, packet.pos) not in seen:
                    seen.add((packet.pts, packet.pos))
                    found.add(packet, _second_of(film, packet, clock))
                break
            if n >= STEPS:
                break
    return found


def _second_of(film: Film, packet: VideoPacket, clock: Clock) -> float:
    """When a picture is shown to which was leapt: the first packet seen need not be the film's."""
    if film.has_broken_clock or packet.pts is None:
        return clock.time_of(packet)
    begins = (film.pictures.start_time or 0) * float(film.pictures.time_base or 1)
    return max(packet.pts * float(packet.time_base) - begins, 0.0)


def _targets(film: Film, limit: int, within: Windows) -> list[int]:
    """Where to leap to: bytes, or units of the stream's time."""
    begin, end = (min(w[0] for w in within), max(w[1] for w in within)) if within else (0.0, 0.0)
    if film.has_broken_clock:
        return [film.n_bytes * part // limit for part in range(limit)]
    unit = float(film.pictures.time_base or 1)
    first = (film.pictures.start_time or 0) * unit
    end = end or _length_s(film)
    return [round((first + begin + (end - begin) * part / limit) / unit) for part in range(limit)]


def _length_s(film: Film) -> float:
    """Seconds that a film may last: what its index, its stream or its container says."""
    unit = float(film.pictures.time_base or 1)
    entries = film.pictures.index_entries
    if len(entries) > 1:
        return float(entries[len(entries) - 1].timestamp - entries[0].timestamp) * unit
    if film.pictures.duration:
        return float(film.pictures.duration) * unit
    return (film.container.duration or 0) / 1e6


def is_within(at_s: float, within: Windows) -> bool:
    """Whether a moment lies in one of the parts; in all of a film where there are none."""
    return not within or any(begin <= at_s <= end for begin, end in within)
