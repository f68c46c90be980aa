"""Boxes: what the index of an ISO or QuickTime file says of its tracks (ISO/IEC 14496-12).

FFmpeg plays over what these say: it reads protected pictures as if they were not, and the bytes of
a film whose pictures lie in another file from the place where they would be in this one.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

NAMES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"sidx")
"""Boxes that such a file may begin with."""

MAX_INDEX: Final = 64 << 20
HOLDERS: Final = (b"mdia", b"minf", b"stbl", b"dinf")
PROTECTED: Final = (b"drmi", b"encv")
PICTURES: Final = b"vide"


@dataclass
class Track:
    """What a track says of itself.

    Attributes:
        kind: its handler (``vide``, ``soun``).
        entries: the kinds of its sample descriptions (``avc1``, ``encv``).
        is_outside: whether its samples lie in another file.
    """

    kind: bytes = b""
    entries: tuple[bytes, ...] = ()
    is_outside: bool = False


def top_level(file: BinaryIO) -> dict[bytes, tuple[int, int]]:
    """The boxes of a file: name -> (place of its content, length), as far as they make sense."""
    found: dict[bytes, tuple[int, int]] = {}
    place, size = 0, file.seek(0, 2)
    while place + 8 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        start = 8
        if length == 1 and place + 16 <= size:
            (length,) = struct.unpack(">Q", file.read(8))
            start = 16
        length = size - place if length == 0 else length
        if length < start:
            break
        found.setdefault(name, (place + start, min(length, size - place) - start))
        place += length
    return found


def tracks(file: BinaryIO) -> list[Track]:
    """The tracks of a file's index; none where it has none that can be read."""
    place, length = top_level(file).get(b"moov", (0, 0))
    file.seek(place)
    index = memoryview(file.read(min(length, MAX_INDEX)))
    return [_track(content) for name, content in _inner(index) if name == b"trak"]


def is_protected(track: Track) -> bool:
    """Whether a track's pictures are encrypted (Common Encryption, FairPlay)."""
    return track.kind == PICTURES and any(name in PROTECTED for name in track.entries)


def lies_outside(track: Track) -> bool:
    """Whether a track's pictures lie in another file."""
    return track.kind == PICTURES and track.is_outside


def _track(box: memoryview) -> Track:
    found = Track()
    for name, content in _leaves(box):
        if name == b"hdlr" and not found.kind:
            found.kind = bytes(content[8:12])
        elif name == b"stsd":
            found.entries = tuple(name for name, _ in _inner(content[8:]))
        elif name == b"dref":  # flag 1: the samples are in this very file
            flags = [inner[3] & 1 for _, inner in _inner(content[8:]) if len(inner) > 3]
            found.is_outside = bool(flags) and not any(flags)
    return found


def _leaves(box: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    for name, content in _inner(box):
        if name in HOLDERS:
            yield from _leaves(content)
        else:
            yield name, content


def _inner(box: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    place = 0
    while place + 8 <= len(box):
        length, name = struct.unpack(">I4s", box[place : place + 8])
        length = len(box) - place if length == 0 else length
        if length < 8 or place + length > len(box):
            return
        yield name, box[place + 8 : place + length]
        place += length
