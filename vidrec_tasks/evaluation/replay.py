"""Replay: the lists that were published against what was then watched.

The only measure taken on lists that readers really saw. It says nothing of why: a list that was
shown is watched because it was shown, so its figures compare nights, not models.
"""

import logging
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import EVENT_AT, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.measuring.metrics import PADDING, ranking_metrics

log = logging.getLogger(__name__)

K = 10


def replay(lists: pd.DataFrame, fresh: pd.DataFrame) -> dict[str, float]:
    """Measure published lists by what their users then watched for the first time.

    Args:
        lists: user_id, rank (from 1), video_id, as they were published.
        fresh: `newly_watched` while they were served.

    Returns:
        n_lists, n_users (with a list and a new video watched in the time), n_watched (new videos
        they watched), and, if there was such a user, means over them: hit_rate (one in the first
        10), ndcg@10, recall@10, mrr@10 as `metrics.ranking_metrics` defines them.
    """
    user_ids = pd.Index(sorted(set(lists[USER_ID])))
    fresh = fresh[fresh[USER_ID].isin(user_ids)]
    video_ids = pd.Index(sorted(set(lists[VIDEO_ID]) | set(fresh[VIDEO_ID])))
    counts = {
        "n_lists": float(len(user_ids)),
        "n_users": float(fresh[USER_ID].nunique()),
        "n_watched": float(len(fresh)),
    }
    log.info("replay: %d of %d users came back", counts["n_users"], counts["n_lists"])
    if fresh.empty:
        return counts
    relevant = _by_user(fresh, user_ids, video_ids)
    per_user = ranking_metrics(_as_matrix(lists, user_ids, video_ids), relevant, ks=(K,))
    means = {str(name): float(value) for name, value in per_user.mean().items() if "@" in str(name)}
    named = {name: means[name] for name in (f"ndcg@{K}", f"recall@{K}", f"mrr@{K}")}
    return {**counts, "hit_rate": means[f"hr@{K}"], **named}


def newly_watched(watched: pd.DataFrame, *, start: datetime, end: datetime) -> pd.DataFrame:
    """What users watched for the first time while lists were served.

    Args:
        watched: user_id, video_id, event_at of what was watched and not rejected, of any users but
            all of theirs; earlier events say which videos were known already.
        start: from when on the lists were served (UTC, inclusive).
        end: the moment that ends the measurement (UTC, exclusive); no event at or after it counts.

    Returns:
        user_id, video_id, event_at of the first viewings in that time.
    """
    known = watched[watched[EVENT_AT] < pd.Timestamp(end)]
    first = known.groupby([USER_ID, VIDEO_ID], sort=True)[EVENT_AT].min().reset_index()
    return first[first[EVENT_AT] >= pd.Timestamp(start)]


def _as_matrix(
    lists: pd.DataFrame, user_ids: pd.Index, video_ids: pd.Index
) -> npt.NDArray[np.int64]:
    """``(n_users, longest rank)`` video_nums by rank."""
    ranked = np.full((len(user_ids), int(lists[RANK].max())), PADDING, dtype=np.int64)
    rows = user_ids.get_indexer(pd.Index(lists[USER_ID]))
    ranked[rows, lists[RANK].to_numpy(np.int64) - 1] = video_ids.get_indexer(
        pd.Index(lists[VIDEO_ID])
    )
    return ranked


def _by_user(fresh: pd.DataFrame, user_ids: pd.Index, video_ids: pd.Index) -> list[set[int]]:
    relevant: list[set[int]] = [set() for _ in user_ids]
    users = user_ids.get_indexer(pd.Index(fresh[USER_ID]))
    videos = video_ids.get_indexer(pd.Index(fresh[VIDEO_ID]))
    for user, video in zip(users, videos, strict=True):
        relevant[user].add(int(video))
    return relevant
