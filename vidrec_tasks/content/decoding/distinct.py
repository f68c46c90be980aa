"""Distinct: whether two frames of a film show the same picture, so that one of them will do.

A film of slides, a screencast at rest, a podcast's cover and a slow pan have many frames and few
pictures. Frames with letters are held to more: another line on the same slide is another picture.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

ALIKE: Final = 10.0
"""Mean difference of grey values (0..255, 64 × 36 pixels) below which two frames are one picture.
Of 91 clips 5.7 frames are kept in place of 8, and captions find them by frames as well (R@1 0.47,
0.45 with 8; R@5 0.75, 0.75); with 15, R@5 falls to 0.74."""

ALIKE_LETTERS: Final = 24.0
"""Largest difference of a grey value likewise, where there may be letters: a line that comes on a
slide changes few pixels, and those much."""

NEAR_COLOURS: Final = 0.2
"""Total variation of colour histograms below which a frame may be another's that moved."""

MOST_MOVED: Final = 0.5
"""Share of width and height by which a picture may have moved and still be the same."""

EDGE: Final = 25.0
BAND: Final = (31, 7)
"""Width and height of the band whose edges are counted, in pixels of a keyframe."""

MIN_DENSITY: Final = 0.6
"""Density of upright edges from which there may be letters: of 728 frames of 91 clips 40% have it,
the 31 with words that stand in them among these."""

THUMB: Final = (64, 36)
_WINDOW: Final = cv2.createHanningWindow(THUMB, cv2.CV_32F)


def letter_density(image: Image) -> float:
    """The most upright edges that a low band of a picture has, as a share of its pixels."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    edges = (np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)) / 4 > EDGE).astype(np.float32)
    return float(cv2.boxFilter(edges, -1, BAND).max())


def are_close(grey: Floats, other: Floats) -> bool:
    """Whether no pixel of two small grey pictures differs much."""
    return float(np.abs(grey - other).max()) < ALIKE_LETTERS


def are_alike(grey: Floats, other: Floats, colours: float) -> bool:
    """Whether two small grey pictures are one, perhaps moved.

    Args:
        grey: ``(2304,)`` grey values at 64 × 36 pixels.
        other: likewise.
        colours: total variation of their colour histograms.
    """
    if float(np.abs(grey - other).mean()) < ALIKE:
        return True
    return colours < NEAR_COLOURS and _moved_difference(grey, other) < ALIKE


def _moved_difference(grey: Floats, other: Floats) -> float:
    """Mean difference where two pictures overlap, one moved over the other (phase correlation).

    Kuglin and Hines, "The phase correlation image alignment method", 1975.
    """
    width, height = THUMB
    first, second = grey.reshape(height, width), other.reshape(height, width)
    (x, y), _ = cv2.phaseCorrelate(first - first.mean(), second - second.mean(), _WINDOW)
    dx, dy = round(x), round(y)
    if abs(dx) > MOST_MOVED * width or abs(dy) > MOST_MOVED * height:
        return float("inf")
    here = first[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
    there = second[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
    return float(np.abs(here - there).mean())
