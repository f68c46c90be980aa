"""Near-duplicates: groups of videos that are the same film, re-encoded, rescaled or retitled.

Neighbours are found by the mean picture of a film and judged by its frames over time; the frame
embeddings confirm where the pictures alone leave a doubt, and films that show one still picture are
told apart by their sound.
"""

import logging
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from vidrec_tasks.columns import (
    CHECKSUM,
    FRAME_NUM,
    GROUP_ID,
    IS_CANONICAL,
    PUBLISHED_AT,
    VIDEO_ID,
)
from vidrec_tasks.content.decoding.sounds import are_one_sound
from vidrec_tasks.content.index import build_index
from vidrec_tasks.content.signatures import Signatures, compare, read_signatures
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

N_NEIGHBOURS: Final = 32
SURE: Final = 0.8
"""Strangeness up to which the pictures alone decide: 89 copies of clips, re-encoded at other sizes,
rates and key intervals, lie at 0.70 or below, 4,090 pairs of other clips at 1.43 or above."""

DOUBTFUL: Final = 1.2
"""Strangeness up to which the embeddings may confirm a pair."""

FAR: Final = 0.3
MAX_DISTANCE: Final = 0.4
NEAR: Final = 0.1
MAX_DISORDER: Final = 0.12
"""A restless film has steps as long as the way to any other film. So above a median distance of
`NEAR` the like frames must come at like times (copies differ by 0.04 to 0.11 of their length, films
cut from the same pictures by 0.15 and more), above `FAR` the embeddings must confirm, and above
`MAX_DISTANCE` films are unlike."""

CHUNK: Final = 2_048


def find_duplicates(
    videos: pd.DataFrame,
    keyframes: pd.DataFrame,
    frame_table: pd.DataFrame,
    frame_vectors: npt.NDArray[np.float32],
    settings: ContentSettings,
) -> pd.DataFrame:
    """Group videos that show the same film.

    Args:
        videos: video_id, published_at, and checksum of the media file where it is known ('' not).
        keyframes: video_id, frame_num, at_s, frame_hash and frame_luma.
        frame_table: video_id, frame_num: the rows of ``frame_vectors``.
        frame_vectors: ``(n_frames, dim)`` float32 unit rows.
        settings: how alike the embeddings of a doubtful pair must be.

    Returns:
        video_id, group_id (the canonical video's id), is_canonical; only groups of two and more.
        Canonical is the earliest published, then the lowest id; each member was compared with it.
    """
    order = _canonical_order(videos)
    signatures = read_signatures(keyframes[keyframes[VIDEO_ID].isin(order.index)])
    rows = order.loc[list(signatures.video_ids)].to_numpy(dtype=np.int64)
    embeddings = _Embeddings(signatures, keyframes, frame_table, frame_vectors)
    judge = _Judge(signatures, embeddings, settings.min_duplicate_similarity)
    pairs = _neighbours(signatures, settings)
    alike = pairs[judge.are_alike(pairs)]
    certain = _same_files(videos, order)
    film_of = np.full(len(order), -1, dtype=np.int64)
    film_of[rows] = np.arange(len(rows))
    groups = _groups(np.concatenate([rows[alike], certain]), certain, film_of, judge)
    log.info(
        "%d of %d videos are in %d groups of near-duplicates (%d pairs looked at)",
        int((groups >= 0).sum()), len(order), len(np.unique(groups[groups >= 0])), len(pairs),
    )  # fmt: skip
    return _table(order.index.to_numpy(), groups)


def _canonical_order(videos: pd.DataFrame) -> pd.Series:
    """video_id -> its place in the order in which videos become canonical."""
    ordered = videos[[VIDEO_ID, PUBLISHED_AT]].sort_values(
        [PUBLISHED_AT, VIDEO_ID], na_position="last"
    )
    return pd.Series(np.arange(len(ordered)), index=ordered[VIDEO_ID].to_numpy())


def _neighbours(signatures: Signatures, settings: ContentSettings) -> npt.NDArray[np.int64]:
    """``(n, 2)`` pairs of films whose mean pictures are near, each once."""
    films = signatures.films()
    if len(films) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    k = min(N_NEIGHBOURS + 1, len(films))
    _, nums = build_index(films, settings).search(films, k)
    pairs = np.stack([np.repeat(np.arange(len(films)), k), nums.ravel()], axis=1)
    pairs = np.sort(pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs[:, 1] >= 0)], axis=1)
    return np.unique(pairs, axis=0)


class _Embeddings:
    """The frame embeddings in the order of the signatures' frames."""

    def __init__(
        self,
        signatures: Signatures,
        keyframes: pd.DataFrame,
        frame_table: pd.DataFrame,
        frame_vectors: npt.NDArray[np.float32],
    ) -> None:
        self._signatures = signatures
        rows = pd.Series(
            np.arange(len(frame_table)),
            index=pd.MultiIndex.from_frame(frame_table[[VIDEO_ID, FRAME_NUM]]),
        )
        asked = keyframes[keyframes[VIDEO_ID].isin(signatures.video_ids)].reset_index(drop=True)
        names = pd.MultiIndex.from_frame(asked.loc[signatures.nums, [VIDEO_ID, FRAME_NUM]])
        self._rows = rows.reindex(names).fillna(-1).to_numpy(dtype=np.int64)
        self._vectors = frame_vectors

    def similarity(self, first: int, second: int) -> float:
        """Mean over the frames of two films of the cosine with the nearest frame of the other.

        NaN where a film has no embedding.
        """
        a, b = (self._vectors[self._of(film)] for film in (first, second))
        if not len(a) or not len(b):
            return float("nan")
        cosines = a @ b.T
        return float(0.5 * (cosines.max(axis=0).mean() + cosines.max(axis=1).mean()))

    def _of(self, film: int) -> npt.NDArray[np.int64]:
        begin, end = self._signatures.starts[film : film + 2]
        rows = self._rows[begin:end]
        return rows[rows >= 0]


class _Judge:
    """Decides whether two films are one."""

    def __init__(
        self, signatures: Signatures, embeddings: _Embeddings, min_similarity: float
    ) -> None:
        self._signatures = signatures
        self._embeddings = embeddings
        self._min_similarity = min_similarity

    def are_alike(self, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """``(n,)`` for pairs of film numbers ``(n, 2)``."""
        verdicts = np.zeros(len(pairs), dtype=bool)
        for begin in range(0, len(pairs), CHUNK):
            chunk = pairs[begin : begin + CHUNK]
            found = compare(self._signatures, chunk)
            is_in_order = (found.distance <= NEAR) | (found.disorder <= MAX_DISORDER)
            may_be = (found.strangeness <= DOUBTFUL) & (found.distance <= MAX_DISTANCE)
            for place in np.flatnonzero(may_be & is_in_order):
                is_sure = found.strangeness[place] <= SURE and found.distance[place] <= FAR
                verdicts[begin + place] = (
                    is_sure or self._confirms(chunk[place])
                ) and are_one_sound(*self._signatures.sounds[chunk[place]])
        return verdicts

    def _confirms(self, pair: npt.NDArray[np.int64]) -> bool:
        return self._embeddings.similarity(int(pair[0]), int(pair[1])) >= self._min_similarity


def _same_files(videos: pd.DataFrame, order: pd.Series) -> npt.NDArray[np.int64]:
    """``(n, 2)`` pairs of places of videos whose files are the same, byte by byte."""
    if CHECKSUM not in videos:
        return np.zeros((0, 2), dtype=np.int64)
    known = videos[videos[CHECKSUM].fillna("") != ""]
    table = pd.DataFrame(
        {"place": order.loc[known[VIDEO_ID]].to_numpy(), "file": known[CHECKSUM].to_numpy()}
    )
    first = table.groupby("file")["place"].transform("min")
    pairs = np.stack([first.to_numpy(), table["place"].to_numpy()], axis=1).astype(np.int64)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _groups(
    pairs: npt.NDArray[np.int64],
    certain: npt.NDArray[np.int64],
    film_of: npt.NDArray[np.int64],
    judge: _Judge,
) -> npt.NDArray[np.int64]:
    """``(n_videos,)`` the canonical video's place of each video in a group, -1 for the others.

    Within what hangs together the first video is canonical and keeps those that are like it itself;
    the rest is looked at again without it, so a chain of small changes is no group.
    """
    n = len(film_of)
    groups = np.full(n, -1, dtype=np.int64)
    same_file = np.arange(n)
    same_file[certain[:, 1]] = certain[:, 0]
    while len(pairs):
        graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
        _, labels = connected_components(graph, directed=False)
        members = np.unique(pairs)
        first = np.full(n, n, dtype=np.int64)
        np.minimum.at(first, labels[members], members)
        leaders = first[labels[members]]
        joins = (members == leaders) | (same_file[members] == same_file[leaders])
        asked = np.flatnonzero(~joins & (film_of[members] >= 0) & (film_of[leaders] >= 0))
        films = np.stack([film_of[leaders[asked]], film_of[members[asked]]], axis=1)
        joins[asked] = judge.are_alike(films)
        groups[members[joins]] = leaders[joins]
        left = np.zeros(n, dtype=bool)
        left[members[~joins]] = True
        pairs = pairs[left[pairs].all(axis=1)]
    return groups


def _table(video_ids: npt.NDArray[np.object_], groups: npt.NDArray[np.int64]) -> pd.DataFrame:
    sizes = np.bincount(groups[groups >= 0], minlength=len(groups))
    places = np.flatnonzero((groups >= 0) & (sizes[np.maximum(groups, 0)] > 1))
    table = pd.DataFrame(
        {
            VIDEO_ID: pd.Series(video_ids[places], dtype=str),
            GROUP_ID: pd.Series(video_ids[groups[places]], dtype=str),
            IS_CANONICAL: groups[places] == places,
        }
    )
    return table.sort_values([GROUP_ID, VIDEO_ID], ignore_index=True)
