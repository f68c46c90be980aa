"""Selection: which of a film's frames cover it best.

Greedy farthest-point choice (Gonzalez, 1985) over time and colour: each next keyframe is the one
farthest from those already taken, so that a cut counts as much as a minute of the same picture.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

DARK: Final = 16.0
LIGHT: Final = 239.0
FLAT: Final = 6.0
"""Standard deviation of the grey values (0..255) under which a frame shows nothing."""
POOR_WEIGHT: Final = 0.1
EDGE_WEIGHT: Final = 0.6
EDGE_S: Final = 1.0
THUMB: Final = (64, 36)


@dataclass(frozen=True)
class Look:
    """What a frame looks like, in numbers.

    Attributes:
        at_s: seconds from the beginning of the film.
        histogram: ``(96,)`` float32 colour histogram, sums to 1.
        sharpness: variance of the Laplacian at 64 × 36 pixels.
        is_poor: black, white or flat.
    """

    at_s: float
    histogram: npt.NDArray[np.float32]
    sharpness: float
    is_poor: bool


def look_at(image: npt.NDArray[np.uint8], at_s: float) -> Look:
    """Measure a BGR frame ``(height, width, 3)``."""
    small = cv2.resize(image, THUMB, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    mean, deviation = float(grey.mean()), float(grey.std())
    is_poor = mean < DARK or mean > LIGHT or deviation < FLAT
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    return Look(at_s, _histogram(small), sharpness, is_poor)


def frame_hash(image: npt.NDArray[np.uint8]) -> str:
    """Difference hash of a BGR frame: 64 bits as 16 hex digits, alike for like pictures."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return np.packbits(bits).tobytes().hex()


def choose(looks: list[Look], n: int) -> list[int]:
    """Positions of the ``n`` frames that cover a film best, in order of time.

    Args:
        looks: the candidates, in order of time.
        n: how many to choose at most.
    """
    if len(looks) <= n:
        return list(range(len(looks)))
    times = np.array([look.at_s for look in looks])
    histograms = np.stack([look.histogram for look in looks])
    worth = _worth(looks, times)
    chosen = [int(np.argmax(worth))]
    nearest = _distances(times, histograms, chosen[0])
    while len(chosen) < n:
        gain = nearest * worth
        gain[chosen] = -1.0
        best = int(np.argmax(gain))
        chosen.append(best)
        nearest = np.minimum(nearest, _distances(times, histograms, best))
    return sorted(chosen)


def _worth(looks: list[Look], times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much each frame is wanted: sharp ones more, poor ones and the edges of the film less."""
    sharpness = np.array([look.sharpness for look in looks])
    typical = max(float(np.median(sharpness)), 1e-6)
    worth = 0.75 + 0.25 * np.clip(sharpness / typical, 0.0, 1.0)
    worth[[look.is_poor for look in looks]] *= POOR_WEIGHT
    edge = (times < times[0] + EDGE_S) | (times > times[-1] - EDGE_S)
    if not edge.all():
        worth[edge] *= EDGE_WEIGHT
    return worth


def _distances(
    times: npt.NDArray[np.float64], histograms: npt.NDArray[np.float32], of: int
) -> npt.NDArray[np.float64]:
    """``(n,)`` distance of every frame to one: half time, half colour (total variation)."""
    span = max(float(times[-1] - times[0]), 1e-6)
    colour = 0.5 * np.abs(histograms - histograms[of]).sum(axis=1)
    distance: npt.NDArray[np.float64] = 0.5 * np.abs(times - times[of]) / span + 0.5 * colour
    return distance


def _histogram(small: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Hue × saturation × value in 8 × 3 × 4 bins."""
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, [8, 3, 4], [0, 180, 0, 256, 0, 256])
    histogram: npt.NDArray[np.float32] = (counts / counts.sum()).ravel().astype(np.float32)
    return histogram
