"""Selection: which of a film's frames cover it best.

Greedy farthest-point choice (Gonzalez, 1985) over time and colour: each next keyframe is the one
farthest from those already taken, and one that shows what these show is left out: few pictures give
few keyframes. Black, white and faded frames are taken only where a film has
nothing else; the first and the last second are considered last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

DARK: Final = 16.0
LIGHT: Final = 239.0
FLAT: Final = 6.0
"""Standard deviation of the grey values (0..255) under which a frame shows nothing."""

FAINT: Final = 12.0
"""Likewise for a black or white frame: a line drawing on white paper lies above it."""

FADE_S: Final = 2.0
FADE_CONTRAST: Final = 0.6
FADE_LIKENESS: Final = 0.8
"""A frame is a fade of one within `FADE_S` that is the same picture with more contrast."""

EDGE_S: Final = 1.0
EDGE_SHARE: Final = 0.2
"""The edges are a second, or a fifth of a film that is shorter than five."""

STILL: Final = 24.0
"""Difference that the grey values (0..255, 64 × 36 pixels) of a still picture may have after
compression: measured are 1 for covers under sound, 70 and more for the stillest of 91 clips that
move."""

TOO_NEAR: Final = 0.25
"""Distance (0..1, see `_distances`) below which a frame adds too little to those taken: a flash of
ten pictures within two seconds of a calm minute gives two or three keyframes."""

SCENE_CHANGE: Final = 0.35
"""Total variation of colour histograms from which a frame begins a scene."""

THUMB: Final = (64, 36)
LUMA: Final = (12, 12)
"""Of 8, 12 and 16 a side, 12 kept copies and look-alikes farthest apart on 91 clips."""


@dataclass(frozen=True)
class Look:
    """What a frame looks like, in numbers.

    Attributes:
        at_s: seconds from the beginning of the film.
        histogram: ``(96,)`` float32 colour histogram, sums to 1.
        sharpness: variance of the Laplacian at 64 × 36 pixels.
        grey: ``(2304,)`` float32 grey values at 64 × 36 pixels.
        is_poor: black, white or flat.
    """

    at_s: float
    histogram: npt.NDArray[np.float32]
    sharpness: float
    grey: npt.NDArray[np.float32]
    is_poor: bool


def look_at(image: npt.NDArray[np.uint8], at_s: float) -> Look:
    """Measure a BGR frame ``(height, width, 3)``."""
    small = cv2.resize(image, THUMB, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    mean, deviation = float(grey.mean()), float(grey.std())
    is_extreme = mean < DARK or mean > LIGHT
    is_poor = deviation < (FAINT if is_extreme else FLAT)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    return Look(at_s, _histogram(small), sharpness, grey.ravel().astype(np.float32), is_poor)


def frame_hash(image: npt.NDArray[np.uint8]) -> str:
    """Difference hash of a BGR frame: 64 bits as 16 hex digits, alike for like pictures."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).ravel()
    return np.packbits(bits).tobytes().hex()


def frame_luma(image: npt.NDArray[np.uint8]) -> str:
    """The central square of a BGR frame as 12 × 12 grey values: 144 bytes as hex digits.

    A copy that was cropped to a square keeps it.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    grey = cv2.cvtColor(square, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, LUMA, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8).tobytes().hex()


def choose(
    looks: list[Look],
    n: int,
    *,
    by_scene: bool = False,
) -> list[int]:
    """Positions of the frames that cover a film best, in order of time.

    Args:
        looks: the candidates, in order of time.
        n: how many to choose at most: of frames that show one picture one is taken, and poor ones
            are left out where there are others.
        by_scene: take a frame of each scene first.
    """
    if not looks:
        return []
    times = np.array([look.at_s for look in looks])
    good = ~_poor(looks, times)
    usable = np.flatnonzero(good) if good.any() else np.arange(len(looks))
    kept = [looks[place] for place in usable]
    tiers = _tiers(kept, times, by_scene)
    least = 0.0 if by_scene else TOO_NEAR
    return sorted(int(usable[place]) for place in _farthest(kept, tiers, n, least))


def is_one_picture(look: Look, other: Look) -> bool:
    """Whether two frames are the same but for compression: nothing has moved between them."""
    return float(np.abs(look.grey - other.grey).max()) < STILL


def scenes(looks: list[Look]) -> list[tuple[int, int]]:
    """Scenes as ``(first, end)`` positions: a new one begins where the colours change at once."""
    starts = [0]
    for place in range(1, len(looks)):
        change = 0.5 * np.abs(looks[place].histogram - looks[place - 1].histogram).sum()
        if change > SCENE_CHANGE:
            starts.append(place)
    return list(zip(starts, [*starts[1:], len(looks)], strict=True))


def _poor(looks: list[Look], times: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """``(n,)`` which frames are black, white, flat, or a fade of a frame near them."""
    grey = np.stack([look.grey for look in looks])
    deviation = grey.std(axis=1)
    centred = (grey - grey.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-6)[:, None]
    likeness = centred @ centred.T / grey.shape[1]  # (n, n) correlations
    is_near = np.abs(times[:, None] - times) <= FADE_S
    is_fainter = deviation[:, None] < FADE_CONTRAST * deviation
    is_fade = (is_near & is_fainter & (likeness > FADE_LIKENESS)).any(axis=1)
    poor: npt.NDArray[np.bool_] = is_fade | np.array([look.is_poor for look in looks])
    return poor


def _tiers(
    looks: list[Look], times: npt.NDArray[np.float64], by_scene: bool
) -> npt.NDArray[np.int64]:
    """``(n,)`` in which order frames are considered: 0 first, the edges of the film last."""
    first, last = float(times[0]), float(times[-1])
    edge_s = min(EDGE_S, EDGE_SHARE * (last - first))
    own = np.array([look.at_s for look in looks])
    tiers = ((own < first + edge_s) | (own > last - edge_s)).astype(np.int64)
    if by_scene:
        tiers += 1
        tiers[[(start + end - 1) // 2 for start, end in scenes(looks)]] = 0
    return tiers


def _farthest(
    looks: list[Look],
    tiers: npt.NDArray[np.int64],
    n: int,
    least: float,
) -> list[int]:
    """At most ``n`` positions: tier after tier the farthest frames, each another picture.

    A tier is looked at where there are fewer than ``n`` frames before it, whatever they show.
    """
    chosen: list[int] = []
    for place in _in_order(looks, tiers, n, chosen, least):
        if not any(is_one_picture(looks[place], looks[other]) for other in chosen):
            chosen.append(place)
    return chosen


def _in_order(
    looks: list[Look],
    tiers: npt.NDArray[np.int64],
    n: int,
    chosen: list[int],
    least: float,
) -> Iterator[int]:
    """Yield the farthest frame from those chosen so far, until there are ``n`` or none is far."""
    times = np.array([look.at_s for look in looks])
    histograms = np.stack([look.histogram for look in looks])
    worth = _worth(looks)
    even_s = max(float(times[-1] - times[0]) / n, 1e-6)
    nearest = np.full(len(looks), 1.0)
    last_tier = np.sort(tiers)[min(n, len(looks)) - 1]
    for tier in np.unique(tiers[tiers <= last_tier]):
        open_places = tiers == tier
        while open_places.any() and len(chosen) < n:
            best = int(np.argmax(np.where(open_places, nearest * worth, -1.0)))
            open_places[best] = False
            if nearest[best] < least:
                continue
            n_before = len(chosen)
            yield best
            if len(chosen) > n_before:
                nearest = np.minimum(nearest, _distances(times, histograms, best, even_s))


def _worth(looks: list[Look]) -> npt.NDArray[np.float64]:
    """How much each frame is wanted: a blurred one up to a quarter less than a sharp one."""
    sharpness = np.array([look.sharpness for look in looks])
    typical = max(float(np.median(sharpness)), 1e-6)
    return 0.75 + 0.25 * np.clip(sharpness / typical, 0.0, 1.0)


def _distances(
    times: npt.NDArray[np.float64],
    histograms: npt.NDArray[np.float32],
    of: int,
    even_s: float,
) -> npt.NDArray[np.float64]:
    """``(n,)`` distance of every frame to one, in 0..1.

    Time comes first: a flash of colours within a second would else take all keyframes of a film.
    Frames as far apart as n even ones would be are far enough; from there on colour decides.
    """
    apart = np.minimum(np.abs(times - times[of]) / even_s, 1.0)
    colour = 0.5 * np.abs(histograms - histograms[of]).sum(axis=1)
    distance: npt.NDArray[np.float64] = apart * (0.5 + 0.5 * colour)
    return distance


def _histogram(small: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Hue × saturation × value in 8 × 3 × 4 bins."""
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, [8, 3, 4], [0, 180, 0, 256, 0, 256])
    histogram: npt.NDArray[np.float32] = (counts / counts.sum()).ravel().astype(np.float32)
    return histogram
