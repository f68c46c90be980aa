"""Shots: what a film of the demo world shows, one camera move after another."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vidrec_tasks.demo.photographs import SOURCES
from vidrec_tasks.demo.planned import PlannedVideo

GRADES: Final = ("plain", "plain", "warm", "cool", "faded", "vivid", "mono")
BACKDROP_SHARE: Final = 0.2
SHOT_S: Final = 5.0
"""Mean seconds of a shot; long films hold theirs longer."""
N_SHOTS: Final = 14
"""Shots that a film has at most."""


@dataclass(frozen=True)
class Frame:
    """What part of a photograph is seen: its centre and width, as shares of the photograph."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Shot:
    """One camera move over one photograph.

    Attributes:
        photograph: its name.
        begin, end: what is seen first and last; the same when the camera rests.
        n_frames: how many pictures it lasts.
        grade: how its colours are set.
        is_mirrored: left is right.
        fades_in: it grows out of the shot before instead of cutting.
    """

    photograph: str
    begin: Frame
    end: Frame
    n_frames: int
    grade: str
    is_mirrored: bool
    fades_in: bool


def plan_shots(video: PlannedVideo, n_frames: int, rng: np.random.Generator) -> list[Shot]:
    """Shots that last ``n_frames`` pictures in all.

    Args:
        video: what it is about decides the photographs.
        n_frames: at least 1.
        rng: everything else.
    """
    seconds = n_frames / video.fps
    n_shots = int(np.clip(round(seconds / SHOT_S), 2, N_SHOTS))
    lengths = _split(n_frames, n_shots, rng)
    return [
        _shot(video, length, is_first=place == 0, rng=rng) for place, length in enumerate(lengths)
    ]


def _split(n_frames: int, n_shots: int, rng: np.random.Generator) -> list[int]:
    """Uneven lengths that add up."""
    shares = rng.uniform(0.6, 1.4, n_shots)
    ends = np.rint(np.cumsum(shares) / shares.sum() * n_frames).astype(int)
    return [int(length) for length in np.diff(ends, prepend=0) if length > 0]


def _shot(video: PlannedVideo, n_frames: int, *, is_first: bool, rng: np.random.Generator) -> Shot:
    name = _photograph(video, is_first=is_first, rng=rng)
    move = rng.choice(["pan", "zoom in", "zoom out", "rest"], p=[0.4, 0.25, 0.2, 0.15])
    is_mirrored = bool(rng.random() < 0.5) and name not in ("page", "handwriting")
    begin, end = _move(str(move), name, is_mirrored, rng)
    grade = str(rng.choice(GRADES))
    fades_in = not is_first and bool(rng.random() < 0.25)
    return Shot(name, begin, end, n_frames, grade, is_mirrored, fades_in)


def _photograph(video: PlannedVideo, *, is_first: bool, rng: np.random.Generator) -> str:
    """Mostly the main topic; the first shot always shows its subject."""
    main = video.topics[0]
    if is_first:
        return str(rng.choice(main.photographs))
    if rng.random() < BACKDROP_SHARE:
        return str(rng.choice(main.backdrops))
    topic = video.topics[rng.integers(len(video.topics))]
    return str(rng.choice(topic.photographs))


def _move(move: str, name: str, is_mirrored: bool, rng: np.random.Generator) -> tuple[Frame, Frame]:
    """Where the camera goes: it always keeps the subject in view or comes to it."""
    x, y = SOURCES[name].focus
    x = 1 - x if is_mirrored else x
    near, far = float(rng.uniform(0.45, 0.65)), float(rng.uniform(0.7, 0.95))
    aside = Frame(x + float(rng.uniform(-0.3, 0.3)), y + float(rng.uniform(-0.2, 0.2)), near)
    close = Frame(x + float(rng.uniform(-0.06, 0.06)), y + float(rng.uniform(-0.06, 0.06)), near)
    wide = Frame(x + float(rng.uniform(-0.1, 0.1)), y + float(rng.uniform(-0.1, 0.1)), far)
    if move == "pan":
        return aside, close
    if move == "zoom in":
        return wide, close
    if move == "zoom out":
        return close, wide
    return wide, wide
