"""Signatures: what a film looks like over time, in a form that two films can be compared by.

A frame is a 12 × 12 grey picture of its central square, brought to mean 0 and length 1, so that
scale, bit rate, brightness, contrast and cropping to a square change little.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, FRAME_HASH, FRAME_LUMA, FRAME_NUM, SOUND, VIDEO_ID

NOISE: Final = 0.006
"""Cosine distance that compression alone makes between two copies of a frame (0.000 to 0.012
measured; larger where a film moves, and the steps of the film itself allow for that)."""

FLAT: Final = 1.0
"""Standard deviation (of 0..255) under which a frame says nothing."""


@dataclass(frozen=True)
class Signatures:
    """The frames of films, one film after the other.

    Attributes:
        frames: ``(n_frames, dim)`` float32 unit rows.
        steps: ``(n_frames,)`` mean distance of a frame to those before and after it.
        moments: ``(n_frames,)`` its time, 0 at the film's first frame, 1 at its last.
        nums: ``(n_frames,)`` row of each frame in the keyframes table.
        starts: ``(n_films + 1,)`` where each film's frames begin.
        video_ids: ``(n_films,)`` in ascending order.
        sounds: ``(n_films,)`` what a film of one still picture sounds like (see `sounds`), else ''.
    """

    frames: npt.NDArray[np.float32]
    steps: npt.NDArray[np.float32]
    moments: npt.NDArray[np.float32]
    nums: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    video_ids: npt.NDArray[np.object_]
    sounds: npt.NDArray[np.object_]

    def films(self) -> npt.NDArray[np.float32]:
        """``(n_films, dim)`` unit rows: the mean frame of each film, to find neighbours by."""
        if not len(self.video_ids):
            return np.zeros((0, self.frames.shape[1]), dtype=np.float32)
        sums = np.add.reduceat(self.frames, self.starts[:-1], axis=0)
        return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9))


def read_signatures(keyframes: pd.DataFrame) -> Signatures:
    """The signatures of films.

    Args:
        keyframes: video_id, frame_num, at_s, frame_hash, sound where it is known, and frame_luma
            likewise; without it the 64 bits of the hash stand in.
    """
    keyframes = keyframes.reset_index(drop=True)
    vectors = _vectors(keyframes)
    says = np.linalg.norm(vectors, axis=1) > 0
    table = keyframes[says].sort_values([VIDEO_ID, AT_S, FRAME_NUM], kind="stable")
    nums = table.index.to_numpy(dtype=np.int64)
    ids = table[VIDEO_ID].to_numpy(dtype=object)
    is_first = np.ones(len(ids), dtype=bool)
    is_first[1:] = ids[1:] != ids[:-1]
    starts = np.append(np.flatnonzero(is_first), len(ids)).astype(np.int64)
    frames = vectors[nums]
    moments = _moments(table[AT_S].to_numpy(dtype=np.float64), starts)
    known = table[SOUND].fillna("") if SOUND in table else pd.Series("", index=table.index)
    sounds = known.to_numpy(dtype=object)[is_first]
    return Signatures(
        frames, _steps(frames, is_first), moments, nums, starts, ids[is_first], sounds
    )


@dataclass(frozen=True)
class Likeness:
    """How films compare, one value a pair.

    Attributes:
        strangeness: median distance of a frame to the nearest of the other film, in steps of its
            own film: 0 to 0.8 for copies; films of another scene, however alike, have more.
        distance: that distance, 0 to 2; alone it cannot tell a copy from another take.
        disorder: median of how far apart in time nearest frames lie, as a share of the film: up to
            0.1 for copies, about 0.3 for films that only show the same things.
    """

    strangeness: npt.NDArray[np.float32]
    distance: npt.NDArray[np.float32]
    disorder: npt.NDArray[np.float32]


def compare(signatures: Signatures, pairs: npt.NDArray[np.int64]) -> Likeness:
    """How far apart films are, by their own measure.

    A copy's frames lie between those of the original, so each is at most about a step of the film
    away from the nearest; another film of the same scene is many steps away, however alike.

    Args:
        signatures: the films.
        pairs: ``(n, 2)`` film numbers.
    """
    first, first_there = _gather(signatures, pairs[:, 0])
    second, second_there = _gather(signatures, pairs[:, 1])
    distances = 1.0 - np.einsum(
        "pid,pjd->pij", signatures.frames[first], signatures.frames[second], optimize=True
    )  # (n, n_frames, n_frames)
    distances[~(first_there[:, :, None] & second_there[:, None, :])] = np.inf
    own, other = distances.min(axis=2), distances.min(axis=1)
    strangeness = np.maximum(
        _median(own / _allowed(signatures, first), first_there),
        _median(other / _allowed(signatures, second), second_there),
    )
    here, yonder = signatures.moments[first], signatures.moments[second]
    off_own = np.abs(here - np.take_along_axis(yonder, distances.argmin(axis=2), axis=1))
    off_other = np.abs(yonder - np.take_along_axis(here, distances.argmin(axis=1), axis=1))
    there = np.concatenate([first_there, second_there], axis=1)
    return Likeness(
        strangeness,
        _median(np.concatenate([own, other], axis=1), there),
        _median(np.concatenate([off_own, off_other], axis=1), there),
    )


def _vectors(keyframes: pd.DataFrame) -> npt.NDArray[np.float32]:
    """``(n_frames, dim)`` unit rows, zero where a frame is flat."""
    if FRAME_LUMA in keyframes:
        grey = _bytes(keyframes[FRAME_LUMA]).astype(np.float32)
    else:
        grey = 255.0 * np.unpackbits(_bytes(keyframes[FRAME_HASH]), axis=1).astype(np.float32)
    centred = grey - grey.mean(axis=1, keepdims=True) if grey.size else grey
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    is_flat = lengths < FLAT * np.sqrt(max(grey.shape[1], 1))
    return np.where(is_flat, 0.0, centred / np.maximum(lengths, 1e-9)).astype(np.float32)


def _bytes(hexes: pd.Series) -> npt.NDArray[np.uint8]:
    data = b"".join(bytes.fromhex(text) for text in hexes)
    return np.frombuffer(data, dtype=np.uint8).reshape(len(hexes), -1 if data else 0)


def _steps(
    frames: npt.NDArray[np.float32], is_first: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """``(n_frames,)`` mean distance to the frame before and after in the same film."""
    n = len(frames)
    gaps = np.zeros(n + 1, dtype=np.float32)
    gaps[1:n] = 1.0 - (frames[1:] * frames[:-1]).sum(axis=1)
    is_gap = np.zeros(n + 1, dtype=bool)
    is_gap[1:n] = ~is_first[1:]
    gaps[~is_gap] = 0.0
    n_gaps = is_gap[:-1].astype(np.float32) + is_gap[1:]
    return np.asarray((gaps[:-1] + gaps[1:]) / np.maximum(n_gaps, 1.0), dtype=np.float32)


def _moments(
    times: npt.NDArray[np.float64], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    lengths = np.diff(starts)
    begin = np.repeat(times[starts[:-1]], lengths)
    end = np.repeat(times[starts[1:] - 1], lengths)
    return ((times - begin) / np.maximum(end - begin, 1e-6)).astype(np.float32)


def _gather(
    signatures: Signatures, films: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """``(n, longest)`` frame rows of films, and which of them are there."""
    begin = signatures.starts[films]
    length = signatures.starts[films + 1] - begin
    steps = np.arange(int(length.max(initial=1)))
    there = steps < length[:, None]
    return np.where(there, begin[:, None] + steps, begin[:, None]), there


def _allowed(signatures: Signatures, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return np.asarray(NOISE + signatures.steps[rows])


def _median(
    values: npt.NDArray[np.float32], there: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """``(n,)`` median over those that are there."""
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    n = there.sum(axis=1)
    rows = np.arange(len(values))
    middle = 0.5 * (ordered[rows, (n - 1) // 2] + ordered[rows, n // 2])
    return np.asarray(middle, dtype=np.float32)
