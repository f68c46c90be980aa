"""Films: the frames of each video's film, and their vectors, known or made.

A film is known by what its vectors follow from, so that re-uploads of one file are encoded once.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, CHECKSUM, FRAME_HASH, FRAME_NUM, PATH, VIDEO_ID
from vidrec_tasks.content.encoding.batching import chunks_of_blocks
from vidrec_tasks.content.encoding.concepts import over_film
from vidrec_tasks.content.encoding.encoders import Encoders, Image

Floats = npt.NDArray[np.float32]
Film = tuple[tuple[str, str, str], ...]
"""(media checksum, path, frame hash) of each frame, in order of time."""

log = logging.getLogger(__name__)

FRAME_COLUMNS: Final = [VIDEO_ID, FRAME_NUM, AT_S, PATH, CHECKSUM, FRAME_HASH]


@dataclass(frozen=True)
class FilmVectors:
    """What is known of a film.

    Attributes:
        vectors: ``(n_frames, dim)`` float32 unit rows.
        concepts: ``[name, probability]`` pairs of the whole film, likeliest first.
    """

    vectors: Floats
    concepts: list[list[Any]]


def frames_of(videos: pd.DataFrame, keyframes: pd.DataFrame) -> pd.DataFrame:
    """The keyframes of these videos, by video and number."""
    mine = keyframes[keyframes[VIDEO_ID].isin(set(videos[VIDEO_ID]))][FRAME_COLUMNS]
    return mine.sort_values([VIDEO_ID, FRAME_NUM], ignore_index=True)


def films_of(frames: pd.DataFrame) -> dict[str, Film]:
    """video_id -> its film; ``frames`` are in order of time within a video."""
    films: dict[str, list[tuple[str, str, str]]] = {}
    columns = (frames[name] for name in (VIDEO_ID, CHECKSUM, PATH, FRAME_HASH))
    for video_id, checksum, path, frame_hash in zip(*columns, strict=True):
        films.setdefault(video_id, []).append((checksum, path, frame_hash))
    return {video_id: tuple(film) for video_id, film in films.items()}


def known_films(
    frames: pd.DataFrame, vectors: Floats, concepts: dict[str, list[list[Any]]]
) -> dict[Film, FilmVectors]:
    """The films of an earlier night.

    Args:
        frames: their frame table.
        vectors: ``(n_frames, dim)`` its rows.
        concepts: video_id -> what the film shows; videos without an entry are left out.
    """
    rows = frames.groupby(VIDEO_ID, sort=False).indices
    return {
        film: FilmVectors(vectors[rows[video_id]], concepts[video_id])
        for video_id, film in films_of(frames).items()
        if video_id in concepts
    }


def encode_films(
    films: Sequence[Film],
    encoders: Encoders,
    *,
    batch_size: int,
    read_image: Callable[[str], Image],
) -> dict[Film, FilmVectors]:
    """Read and encode the films' frames, a batch of films in memory at a time.

    A film is a block: its vectors follow from its own frames, whatever is encoded beside it.
    """
    of_frame = np.repeat(np.arange(len(films)), [len(film) for film in films])
    log.info("%d films to embed, %d frames", len(films), len(of_frame))
    paths = [path for film in films for _, path, _ in film]
    found: dict[Film, FilmVectors] = {}
    for nums in chunks_of_blocks(np.arange(len(paths)), of_frame, batch_size):
        made = encoders.frame.encode(
            [read_image(paths[num]) for num in nums], of_frame[nums].tolist()
        )
        for film in np.unique(of_frame[nums]).tolist():
            rows = np.flatnonzero(of_frame[nums] == film)
            concepts = over_film([made.concepts[row] for row in rows])
            found[films[film]] = FilmVectors(made.vectors[rows], concepts)
    return found
