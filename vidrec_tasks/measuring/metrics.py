"""Metrics: how well ranked lists hold what was then watched, one row a user.

Full ranking only: a list was chosen among all videos, never among sampled ones. Leaves what a list
looks like by itself (coverage, diversity) to `lists`, and intervals to `intervals`.
"""

import logging
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.columns import USER_NUM
from vidrec_tasks.errors import ContractError

log = logging.getLogger(__name__)

N_RELEVANT: Final = "n_relevant"
PADDING: Final = -1
"""Stands where a list is shorter than its row."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Relevant: TypeAlias = Sequence[Collection[int]] | Sequence[Ints] | sparse.csr_array


def ranking_metrics(
    ranked: Ints, relevant: Relevant, *, ks: Sequence[int] = (10, 20)
) -> pd.DataFrame:
    r"""Measure each user's list against what was relevant to that user.

    With rel(i) = 1 where the video at rank i is relevant, R relevant videos, and log to base 2:

    * ``ndcg@k``: ``sum_{i<=k} rel(i) / log(i + 1)`` over the same sum of the best list there can
      be, with ``min(k, R)`` hits at its top (Järvelin & Kekäläinen, 2002, binary gains).
    * ``hr@k``: 1 if there is a hit among the first k (Deshpande & Karypis, 2004).
    * ``recall@k``: hits among the first k over R; ``precision@k``: the same over k.
    * ``map@k``: ``sum_{i<=k} rel(i) precision@i / min(k, R)`` (average precision: Buckley &
      Voorhees, 2000; cut so that the best list gets 1).
    * ``mrr@k``: 1 over the rank of the first hit among the first k, else 0 (Voorhees, 1999).

    Args:
        ranked: ``(n_users, n)`` video_nums, best first, no repeats; `PADDING` after the end. A list
            shorter than k counts as one with misses after its end.
        relevant: for each user the relevant video_nums: sets, arrays, or a ``(n_users, n_videos)``
            matrix whose stored non-zero cells are relevant.
        ks: cut-offs.

    Returns:
        user_num (row of ``ranked``), n_relevant and the six metrics for each k. Users without
        relevant videos are left out: they are ``len(ranked) - len(result)``, and logged.

    Raises:
        ContractError: a list repeats a video, or lists and users differ in number.
    """
    offsets, wanted = _as_csr(relevant)
    _refuse_bad_lists(ranked, len(offsets) - 1)
    n_relevant = np.diff(offsets)
    users = np.flatnonzero(n_relevant > 0)
    log.info("%d of %d users have relevant videos to measure by", len(users), len(ranked))
    hits = _hits(ranked, offsets, wanted)[users]  # (n_measured, n)
    measured: dict[str, npt.NDArray[np.generic]] = {USER_NUM: users, N_RELEVANT: n_relevant[users]}
    for k in ks:
        measured |= _at(hits[:, :k], n_relevant[users], k)
    return pd.DataFrame(measured)


def _at(hits: npt.NDArray[np.bool_], n_relevant: Ints, k: int) -> dict[str, Floats]:
    """The six metrics of lists cut at k (or at their own end, if that comes sooner)."""
    n = hits.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, k + 2))  # (k,)
    best = np.minimum(n_relevant, k)
    found = hits.sum(axis=1)
    ranks = np.arange(1, n + 1)
    precision_at_hit = np.where(hits, np.cumsum(hits, axis=1) / ranks, 0.0)
    first = np.where(hits, 1.0 / ranks, 0.0)
    return {
        f"ndcg@{k}": (hits @ discounts[:n]) / np.cumsum(discounts)[best - 1],
        f"hr@{k}": (found > 0).astype(np.float64),
        f"recall@{k}": found / n_relevant,
        f"precision@{k}": found / k,
        f"map@{k}": precision_at_hit.sum(axis=1) / best,
        f"mrr@{k}": first.max(axis=1, initial=0.0),
    }


def _hits(ranked: Ints, offsets: Ints, wanted: Ints) -> npt.NDArray[np.bool_]:
    """``(n_users, n)`` whether the video there is relevant to the user of the row."""
    n_videos = int(max(ranked.max(initial=0), wanted.max(initial=0))) + 1
    users = np.arange(len(ranked))
    relevant_keys = np.repeat(users, np.diff(offsets)) * n_videos + wanted
    keys = users[:, None] * n_videos + ranked
    return np.isin(keys, relevant_keys) & (ranked != PADDING)


def _as_csr(relevant: Relevant) -> tuple[Ints, Ints]:
    """Offsets ``(n_users + 1,)`` and the relevant video_nums, without repeats."""
    if isinstance(relevant, sparse.csr_array):
        matrix = relevant.copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)
    rows = [np.unique(np.fromiter(videos, dtype=np.int64)) for videos in relevant]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return offsets, np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)


def _refuse_bad_lists(ranked: Ints, n_users: int) -> None:
    if ranked.ndim != 2 or len(ranked) != n_users:
        message = f"ranked lists: shape {ranked.shape} for {n_users:,} users; one row a user"
        raise ContractError(message)
    ordered = np.sort(ranked, axis=1)
    twice = ((np.diff(ordered, axis=1) == 0) & (ordered[:, 1:] != PADDING)).any(axis=1)
    if twice.any():
        message = (
            f"ranked lists: {int(twice.sum()):,} of {n_users:,} repeat a video "
            f"(first: row {int(np.argmax(twice))}); a list holds a video once"
        )
        raise ContractError(message)
