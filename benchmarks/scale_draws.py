"""Draws of a synthetic catalogue and its users: embeddings of a real geometry, a long tail.

Everything follows from a seed, for any number of videos; a shard's users are drawn when the shard
is, from (seed, shard) alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DIM: Final = 384
"""As the embedded text encoder's."""
N_TOPICS: Final = 64
EVENTS_A_USER: Final = 20
SEED: Final = 7

_A_SERIES: Final = 20
"""Videos that belong closely together."""
_FOLLOWED: Final = 4
_LOYAL: Final = 0.5
"""Series that a user follows, and the share of their plays that is of these."""
_SLOPE, _N_WIDE, _MEAN = 0.9, 256, 0.415
_TOPIC, _SERIES = 0.3, 0.25
"""Geometry of the drawn embeddings, set to that of the embedded encoder over 3,599 real titles: a
mean of length 0.41, variances that fall as a power of their number (-0.98 from the 4th to the
200th) over 256 directions, cosines of the median video with its 1st, 10th and 100th neighbour of
0.76, 0.64 and 0.50. Drawn: 0.43, -0.9, and 0.73, 0.64 and 0.41. Shares of the variance are that
between topics, that between series of a topic, and what is a video's own."""
_BLOCK: Final = 65_536


@dataclass(frozen=True)
class Drawn:
    """What is drawn of a catalogue.

    Attributes:
        topic_of: ``(n_videos,)``.
        by_topic: ``(n_videos,)`` the videos of each topic in turn, most watched first.
        starts: ``(N_TOPICS + 1,)`` where each topic begins there.
        duration_s: ``(n_videos,)``.
        series_of: ``(n_videos,)``.
        by_series: ``(n_videos,)`` the videos of each series in turn, most watched first.
        series_starts: ``(n_series + 1,)`` where each series begins there.
    """

    topic_of: Ints
    by_topic: Ints
    starts: Ints
    duration_s: npt.NDArray[np.float64]
    series_of: Ints
    by_series: Ints
    series_starts: Ints

    @classmethod
    def of(cls, n_videos: int) -> "Drawn":
        """Topics, who is watched most in each, and durations."""
        rng = np.random.default_rng([SEED, 2])
        series_topic = rng.integers(0, N_TOPICS, _n_series(n_videos))
        series_of = _series_of(n_videos)
        topic_of = series_topic[series_of]
        fame = rng.random(n_videos)
        by_topic, by_series = np.lexsort((fame, topic_of)), np.lexsort((fame, series_of))
        starts = np.searchsorted(topic_of[by_topic], np.arange(N_TOPICS + 1))
        ends = np.searchsorted(series_of[by_series], np.arange(_n_series(n_videos) + 1))
        duration_s = rng.uniform(30, 1_800, n_videos)
        return cls(topic_of, by_topic, starts, duration_s, series_of, by_series, ends)


@dataclass(frozen=True)
class Plays:
    """Plays of some users; arrays of one length.

    Attributes:
        users, videos: who watched what, numbers.
        ago_s: seconds before the night.
        watched_s: how long.
    """

    users: Ints
    videos: Ints
    ago_s: Ints
    watched_s: npt.NDArray[np.float64]


def draw_embeddings(drawn: Drawn, path: Path) -> Floats:
    """``(n_videos, DIM)`` unit rows, written as ``.npy`` a block at a time and mapped."""
    n_videos = len(drawn.topic_of)
    spread = np.sqrt(_variances())
    rng = np.random.default_rng([SEED, 3])
    topics = rng.standard_normal((N_TOPICS, DIM)).astype(np.float32)
    series = rng.standard_normal((_n_series(n_videos), DIM)).astype(np.float32)
    series_of = _series_of(n_videos)
    rows = np.lib.format.open_memmap(path, "w+", np.float32, (n_videos, DIM))
    for first in range(0, n_videos, _BLOCK):
        some = slice(first, first + _BLOCK)
        own = rng.standard_normal((len(series_of[some]), DIM)).astype(np.float32)
        mixed = (
            _TOPIC**0.5 * topics[drawn.topic_of[some]]
            + _SERIES**0.5 * series[series_of[some]]
            + (1 - _TOPIC - _SERIES) ** 0.5 * own
        ) * spread
        mixed[:, -1] += _MEAN
        rows[some] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    rows.flush()
    return rows


def draw_plays(drawn: Drawn, rng: np.random.Generator, n_users: int, window_days: int) -> Plays:
    """Plays of users with two topics each, half of them within a few series of these.

    Of a topic's or a series' videos that of rank r is played with 1 / r (Zipf). By topics alone the
    best possible lists of everybody would show 1% of 200,000 videos.
    """
    counts = rng.geometric(1 / EVENTS_A_USER, n_users).clip(2, 10 * EVENTS_A_USER)
    users = np.repeat(np.arange(n_users), counts)
    tastes = rng.integers(0, N_TOPICS, (n_users, 2))
    topics = tastes[users, rng.integers(0, 2, len(users))]
    size = np.maximum(drawn.starts[topics + 1] - drawn.starts[topics], 1)
    place = np.minimum((size + 1.0) ** rng.random(len(users)) - 1, size - 1).astype(np.int64)
    videos = drawn.by_topic[np.minimum(drawn.starts[topics] + place, len(drawn.by_topic) - 1)]
    in_series = rng.random(len(users)) < _LOYAL
    videos[in_series] = _of_series(drawn, rng, tastes, users[in_series])
    ago_s = rng.integers(3_600, window_days * 86_400, len(users))
    return Plays(users, videos, ago_s, rng.random(len(users)) * drawn.duration_s[videos])


def _of_series(drawn: Drawn, rng: np.random.Generator, tastes: Ints, users: Ints) -> Ints:
    """``(n_plays,)`` videos of the series that each user follows, which lie in their topics."""
    followed = []  # a video of each series
    for num in range(_FOLLOWED):
        topics = tastes[:, num % 2]
        size = np.maximum(np.diff(drawn.starts)[topics], 1)
        place = np.minimum(drawn.starts[topics] + rng.integers(0, size), len(drawn.by_topic) - 1)
        followed.append(drawn.by_topic[place])
    chosen = rng.integers(0, _FOLLOWED, len(users))
    series = drawn.series_of[np.stack(followed, axis=1)[users, chosen]]
    begin, end = drawn.series_starts[series], drawn.series_starts[series + 1]
    place = np.minimum((end - begin + 1.0) ** rng.random(len(users)) - 1, end - begin - 1)
    return np.asarray(drawn.by_series[begin + place.astype(np.int64)])


def _variances() -> Floats:
    variances = np.arange(1.0, DIM + 1) ** -_SLOPE
    variances[_N_WIDE:] *= 0.1
    return np.asarray((1 - _MEAN**2) * variances / variances.sum(), dtype=np.float32)


def _n_series(n_videos: int) -> int:
    return max(1, n_videos // _A_SERIES)


def _series_of(n_videos: int) -> Ints:
    rng = np.random.default_rng([SEED, 4])
    return rng.integers(0, _n_series(n_videos), n_videos)
