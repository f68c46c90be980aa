"""Curves: how lists change with their length: what they cover, how varied they are, their scores.

Gathered shard by shard: memory stays with the catalogue and a sample, whatever the number of users.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import RANK, SCORE, USER_ID, VIDEO_ID
from vidrec_tasks.evaluation.plots import Point

USERS_PER_SHARD: Final = 500
"""Users of a shard whose lists are measured for variety and scores: of 10,000, ±0.01 at most."""

_SEED: Final = 7
"""Of the sample of users alone: the figures of two nights stay comparable if the setting `seed`,
which is for models, changes."""
_Z95: Final = 1.96


@dataclass
class ListCurves:
    """What is known of the lists by rank; add every shard, then ask.

    Attributes:
        best_rank: video -> the best rank it has in any list.
        scores: rank -> scores of the sampled lists.
        variety: length -> the mean ``1 - cosine`` of two videos, of each sampled list.
    """

    best_rank: dict[str, int] = field(default_factory=dict)
    scores: dict[int, list[float]] = field(default_factory=dict)
    variety: dict[int, list[float]] = field(default_factory=dict)

    def add(self, lists: pd.DataFrame, vectors: Mapping[str, npt.NDArray[np.float32]]) -> None:
        """Take one shard's lists in.

        Args:
            lists: user_id, rank, video_id, score.
            vectors: video -> its unit row; videos without one say nothing of variety.
        """
        for video_id, rank in lists.groupby(VIDEO_ID)[RANK].min().items():
            known = self.best_rank.get(str(video_id), int(rank))
            self.best_rank[str(video_id)] = min(known, int(rank))
        for _, mine in _sampled(lists).groupby(USER_ID):
            mine = mine.sort_values(RANK)
            for rank, score in zip(mine[RANK], mine[SCORE], strict=True):
                self.scores.setdefault(int(rank), []).append(float(score))
            rows = [vectors[video] for video in mine[VIDEO_ID] if video in vectors]
            for length, variety in _variety(rows):
                self.variety.setdefault(length, []).append(variety)

    def coverage(self, n_videos: int) -> list[Point]:
        """Share of the catalogue that lists of each length show to somebody."""
        ranks = sorted(self.best_rank.values())
        longest = max(ranks, default=0)
        return [
            Point(str(length), int(np.searchsorted(ranks, length, side="right")) / n_videos)
            for length in range(1, longest + 1)
        ]

    def diversity(self) -> list[Point]:
        """Mean ``1 - cosine`` of two videos of a list, by its length, with its 95% interval."""
        return [_mean(str(length), self.variety[length]) for length in sorted(self.variety)]

    def score_by_rank(self) -> list[Point]:
        """The median score at each rank, with the 10th and the 90th percentile."""
        points = []
        for rank in sorted(self.scores):
            low, middle, high = np.percentile(self.scores[rank], [10, 50, 90])
            points.append(Point(str(rank), float(middle), float(low), float(high)))
        return points


def _sampled(lists: pd.DataFrame) -> pd.DataFrame:
    """All rows of at most so many users, always the same ones."""
    users = np.sort(lists[USER_ID].unique().astype(object))
    if len(users) > USERS_PER_SHARD:
        users = np.random.default_rng(_SEED).choice(users, USERS_PER_SHARD, replace=False)
    return lists[lists[USER_ID].isin(users)]


def _variety(rows: Sequence[npt.NDArray[np.float32]]) -> list[tuple[int, float]]:
    """(length, mean ``1 - cosine`` of two of the first videos).

    Of n unit rows with sum s the cosines of pairs add up to ``(|s|^2 - n) / 2``.
    """
    kept = [row for row in rows if float(row @ row) > 0.5]  # a video without content has zeros
    if len(kept) < 2:
        return []
    sums = np.cumsum(np.stack(kept).astype(np.float64), axis=0)  # (n, dim)
    squares = np.square(sums).sum(axis=1)
    return [(n, float(1 - (squares[n - 1] - n) / (n * (n - 1)))) for n in range(2, len(kept) + 1)]


def _mean(label: str, values: Sequence[float]) -> Point:
    mean = float(np.mean(values))
    if len(values) < 2:
        return Point(label, mean)
    half = _Z95 * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Point(label, mean, mean - half, mean + half)
