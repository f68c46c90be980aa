"""Gamut: films in the wide colours of phones and HDR, shown in those of a screen, cheaply.

FFmpeg's scaler builds a table of 3 processor-seconds for each film whose primaries are not BT.709.
So its declaration is read and hidden from FFmpeg, and the few thumbnails are converted here.
"""

import io
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

BT709: Final = 1
PQ: Final = 16
HLG: Final = 18
WIDE: Final = (9, 11, 12)
"""BT.2020, DCI-P3 and Display P3, as ITU-T H.273 numbers primaries."""
TRANSFERS: Final = (1, 6, 13, 14, 15, 16, 18)
MATRICES: Final = (1, 5, 6, 9, 10)
WHITE_NITS: Final = 203.0
"""What a white page is in HDR (ITU-R BT.2408)."""
PEAK: Final = 1_000.0 / WHITE_NITS
SEARCHED: Final = 16 << 20

BT2020_TO_709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
P3_TO_709: Final = np.array(
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)


@dataclass(frozen=True)
class Source:
    """A film's file, with what is hidden from FFmpeg.

    Attributes:
        path: the file.
        patches: (place, bytes) that are read instead of what is there.
        primaries, transfer: as declared (H.273), where something is hidden; else BT.709.
    """

    path: Path
    patches: tuple[tuple[int, bytes], ...] = ()
    primaries: int = BT709
    transfer: int = BT709

    def opened(self) -> "str | PatchedFile":
        """What OpenCV can open."""
        return PatchedFile(self) if self.patches else str(self.path.absolute())


class PatchedFile(io.BufferedIOBase):
    """A file whose patches are laid over it as it is read."""

    def __init__(self, source: Source) -> None:
        self._file = source.path.open("rb")
        self._patches = source.patches

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        begin = self._file.tell()
        data = bytearray(self._file.read(size))
        for place, patch in self._patches:
            first, end = max(place, begin), min(place + len(patch), begin + len(data))
            if first < end:
                data[first - begin : end - begin] = patch[first - place : end - place]
        return bytes(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a place."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def source_of(path: Path, header: bytes) -> Source:
    """A film, its wide colours hidden from FFmpeg where it declares any.

    Args:
        path: the file.
        header: the codec's header (extradata) as the container holds it.
    """
    declared = _declared(header)
    if declared is None:
        return Source(path)
    place_bits, primaries, transfer = declared
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        patches = [(place, _with_bt709(header, place_bits)) for place in _places(data, header)]
        patches += [
            (place + 8, bytes([0, BT709, 0, BT709]))
            for kind in (b"colrnclx", b"colrnclc")
            for place in _places(data, kind)
        ]
    return Source(path, tuple(patches), primaries, transfer) if patches else Source(path)


def to_screen(image: npt.NDArray[np.uint8], source: Source) -> npt.NDArray[np.uint8]:
    """A BGR image of a film in the colours of a screen (BT.709, no HDR)."""
    if source.primaries == BT709:
        return image
    matrix = BT2020_TO_709 if source.primaries == WIDE[0] else P3_TO_709
    linear = _to_light(source.transfer)[image[:, :, ::-1]] @ matrix.T  # (height, width, 3) RGB
    linear = np.maximum(linear, 0.0)
    if source.transfer in (PQ, HLG):  # Reinhard et al., 2002, with a white point
        linear = linear * (1 + linear / PEAK**2) / (1 + linear)
    shown = 255.0 * np.minimum(linear, 1.0) ** (1 / 2.2)
    return np.ascontiguousarray(np.rint(shown).astype(np.uint8)[:, :, ::-1])


def _declared(header: bytes) -> tuple[int, int, int] | None:
    """(bit at which the primaries stand, primaries, transfer) in an H.264 or HEVC header.

    There the declaration is ``1 101 r 1`` (present, format unspecified, range, described) and three
    bytes; 30 bits of which at most 1 in 70,000 other headers holds the like by accident.
    """
    bits = np.unpackbits(np.frombuffer(header, dtype=np.uint8))
    for place in range(len(bits) - 30):
        if bits[place : place + 4].tolist() == [1, 1, 0, 1] and bits[place + 5]:
            primaries, transfer, matrix = np.packbits(bits[place + 6 : place + 30]).tolist()
            if primaries in WIDE and transfer in TRANSFERS and matrix in MATRICES:
                return place + 6, primaries, transfer
    return None


def _with_bt709(header: bytes, place_bits: int) -> bytes:
    bits = np.unpackbits(np.frombuffer(header, dtype=np.uint8))
    bits[place_bits : place_bits + 16] = np.unpackbits(np.array([BT709, BT709], dtype=np.uint8))
    return np.packbits(bits).tobytes()


def _places(data: mmap.mmap, sought: bytes) -> Iterator[int]:
    """Where bytes stand in the beginning and in the end of a file."""
    size = len(data)
    for begin, end in ((0, min(SEARCHED, size)), (max(size - SEARCHED, SEARCHED), size)):
        place = data.find(sought, begin, end)
        while place >= 0:
            yield place
            place = data.find(sought, place + 1, end)


def _to_light(transfer: int) -> npt.NDArray[np.float64]:
    """``(256,)`` light of a value, 1 for a white page."""
    value = np.arange(256) / 255.0
    if transfer == PQ:  # SMPTE ST 2084
        root = value ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light: Any = 10_000.0 / WHITE_NITS * ratio ** (1 / 0.1593017578125)
    elif transfer == HLG:  # ARIB STD-B67, with the gamma of a display of 1,000 nits
        dark, bright = value**2 / 3, (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        light = PEAK * np.where(value <= 0.5, dark, bright) ** 1.2
    else:
        light = value**2.2
    return np.asarray(light)
