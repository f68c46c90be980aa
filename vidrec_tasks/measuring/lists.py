"""Lists: what a set of recommendation lists looks like, whatever was then watched.

Leaves whether they were right to `metrics`. Every measure is a mean over lists or over all rows.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.measuring.metrics import PADDING

POPULAR_SHARE: Final = 0.01
"""The share of all videos, most watched first, that counts as the popular ones."""

SMOOTHING: Final = 0.01
"""alpha of Steck (2018): how much of p is mixed into q so that the divergence stays finite."""

BLOCK: Final = 1024
"""Lists whose vectors are gathered at once: 1,024 x 10 x 384 float32 are 16 MB."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def list_metrics(
    ranked: Ints,
    *,
    n_videos: int,
    popularity: npt.NDArray[np.generic] | None = None,
    vectors: npt.NDArray[np.float32] | None = None,
    topics: sparse.csr_array | None = None,
    tastes: sparse.csr_array | None = None,
    n_pairs: int = 10_000,
    rng: np.random.Generator | None = None,
) -> dict[str, float]:
    """Measure lists as they are.

    Args:
        ranked: ``(n_users, n)`` video_nums, best first; `PADDING` after the end of a list.
        n_videos: videos that could have been recommended.
        popularity: ``(n_videos,)`` users (or events) a video, before the lists were made.
        vectors: ``(n_videos, dim)`` unit rows, zero where a video has none.
        topics: ``(n_videos, n_topics)`` which video carries which topic.
        tastes: ``(n_users, n_topics)`` the topic mix of each user's history (`topic_mix`).
        n_pairs: pairs of users drawn for the overlap.
        rng: where the pairs come from; a fixed seed when None.

    Returns:
        * ``coverage``: distinct videos in the lists over n_videos.
        * ``exposure_gini``: 0 when all videos are listed equally often, near 1 when one takes all.
        * ``user_overlap``: mean Jaccard similarity of two users' lists.
        * with popularity ``novelty_bits``: mean ``-log2 p(v)`` over all rows (self-information,
          Zhou et al., 2010), ``p(v) = (c_v + 1) / sum(c + 1)``; ``popular_share``: rows taken by
          the most watched 1% of the videos, at least one.
        * with vectors ``intra_list_diversity``: mean over lists of the mean ``1 - cosine`` of two
          of its videos (Ziegler et al., 2005); videos without a vector are left out of it.
        * with topics and tastes ``miscalibration``: mean over lists of KL(p || q), p the topic mix
          of the history and q that of the list (Steck, 2018, alpha 0.01; natural logarithm); users
          or lists without topics are left out of it.

        A measure that nothing can be said of (no list, no vector) is left out.
    """
    listed = ranked[ranked != PADDING]
    if not len(listed):
        return {"coverage": 0.0}
    counts = np.bincount(listed, minlength=n_videos)
    measured: dict[str, float | None] = {
        "coverage": float((counts > 0).sum() / n_videos),
        "exposure_gini": _gini(counts),
        "user_overlap": _overlap(ranked, n_pairs, rng or np.random.default_rng(0)),
    }
    if popularity is not None:
        measured["novelty_bits"] = _novelty(listed, popularity)
        measured["popular_share"] = _popular_share(counts, popularity)
    if vectors is not None:
        measured["intra_list_diversity"] = _mean(intra_list_diversity(ranked, vectors))
    if topics is not None and tastes is not None:
        measured["miscalibration"] = _mean(miscalibration(ranked, topics, tastes))
    return {name: value for name, value in measured.items() if value is not None}


def intra_list_diversity(ranked: Ints, vectors: npt.NDArray[np.float32]) -> Floats:
    """``(n_users,)`` mean ``1 - cosine`` of two videos of a list; NaN under two vectors.

    The pairs are not visited: of n unit rows with sum s they add up to ``(|s|^2 - n) / 2``.
    """
    diversity = np.full(len(ranked), np.nan)
    for start in range(0, len(ranked), BLOCK):
        block = ranked[start : start + BLOCK]
        rows = vectors[block]
        counted = (block != PADDING) & (np.linalg.norm(rows, axis=-1) > 0.5)
        total = np.where(counted[:, :, None], rows, 0).sum(axis=1, dtype=np.float64)
        n = counted.sum(axis=1)
        similar = (np.square(total).sum(axis=1) - n) / np.maximum(n * (n - 1), 1)
        diversity[start : start + BLOCK] = np.where(n > 1, 1 - similar, np.nan)
    return diversity


def miscalibration(ranked: Ints, topics: sparse.csr_array, tastes: sparse.csr_array) -> Floats:
    """``(n_users,)`` KL(p || q~) with ``q~ = (1 - alpha) q + alpha p``; NaN without topics."""
    users, _ = np.nonzero(ranked != PADDING)
    listed = ranked[ranked != PADDING]
    ones = np.ones(len(listed))
    membership = sparse.csr_array((ones, (users, listed)), shape=(len(ranked), topics.shape[0]))
    q = share_rows(membership @ share_rows(topics))
    p = share_rows(tastes).tocoo()
    if not p.nnz:  # nobody's taste is known, as without any topic
        return np.full(len(ranked), np.nan)
    rows, columns = p.coords
    in_list = np.asarray(q[rows, columns], dtype=np.float64).ravel()
    smoothed = (1 - SMOOTHING) * in_list + SMOOTHING * p.data
    terms = p.data * np.log(p.data / smoothed)
    divergence = np.bincount(rows, terms, minlength=len(ranked))
    known = (_row_sums(q) > 0) & (_row_sums(tastes) > 0)
    return np.where(known, divergence, np.nan)


def topic_mix(histories: Histories, topics: sparse.csr_array) -> sparse.csr_array:
    """``(n_users, n_topics)`` how a user's liked videos spread over topics; rows add up to 1.

    Each positive event gives its weight, shared equally among the topics of its video
    (p(g | u) of Steck, 2018). A row is empty where a user liked nothing that has a topic.
    """
    liked = histories.weights > 0
    cells = (histories.user_nums()[liked], histories.video_nums[liked])
    weights = histories.weights[liked].astype(np.float64)
    shape = (histories.n_users, topics.shape[0])
    taste = sparse.csr_array((weights, cells), shape=shape)
    return share_rows(taste @ share_rows(topics))


def _novelty(listed: Ints, popularity: npt.NDArray[np.generic]) -> float:
    seen = popularity.astype(np.float64) + 1.0  # +1: an unwatched video is new, not infinitely so
    bits = -np.log2(seen / seen.sum())
    return float(bits[listed].mean())


def _popular_share(counts: Ints, popularity: npt.NDArray[np.generic]) -> float:
    n_popular = max(1, round(POPULAR_SHARE * len(popularity)))
    popular = np.argsort(-popularity.astype(np.float64), kind="stable")[:n_popular]
    return float(counts[popular].sum() / counts.sum())


def _gini(counts: Ints) -> float:
    """Gini coefficient of how often each video is listed."""
    ordered = np.sort(counts).astype(np.float64)
    n = len(ordered)
    ranks = np.arange(1, n + 1)
    return float((2 * ranks - n - 1) @ ordered / (n * ordered.sum()))


def _overlap(ranked: Ints, n_pairs: int, rng: np.random.Generator) -> float | None:
    """Mean Jaccard similarity over pairs of different users, both with a list."""
    users = np.flatnonzero((ranked != PADDING).any(axis=1))
    if len(users) < 2:
        return None
    first = rng.integers(0, len(users), size=n_pairs)
    other = (first + rng.integers(1, len(users), size=n_pairs)) % len(users)
    shared = np.zeros(n_pairs)
    a, b = ranked[users[first]], ranked[users[other]]
    for column in range(ranked.shape[1]):
        here = a[:, column, None]
        shared += ((b == here) & (here != PADDING)).any(axis=1)
    either = (a != PADDING).sum(axis=1) + (b != PADDING).sum(axis=1) - shared
    return float((shared / either).mean())


def share_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    """Each row divided by its sum; empty rows stay empty."""
    sums = _row_sums(matrix)
    scale = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    return sparse.csr_array(sparse.diags_array(scale) @ matrix.astype(np.float64))


def _row_sums(matrix: sparse.csr_array) -> Floats:
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
