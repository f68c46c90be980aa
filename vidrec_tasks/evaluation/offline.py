"""Offline evaluation: the evaluation fit's lists against what was watched after its cut.

The lists are made by the code that makes the night's own lists; every video of the catalogue can be
in them, and none is sampled. Leaves metrics to `measuring`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import RANK, USER_ID, USER_NUM, VIDEO_ID
from vidrec_tasks.measuring.intervals import summarise
from vidrec_tasks.measuring.metrics import PADDING, ranking_metrics
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.reranker import rerank_lists
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.settings import RecommendingSettings

Ints = npt.NDArray[np.int64]

DEPTH: Final = 20
"""Places of a list that are measured."""
SERVED: Final = "served"
"""The lists after re-ranking, as readers would have got them."""
COLD_RECALL: Final = "cold_recall@20"
"""Of liked videos that nobody had liked before the cut."""
SEGMENTS: Final = ((0, 0, "no history"), (1, 4, "1-4 videos"), (5, 19, "5-19 videos"),
                   (20, 10**9, "20 videos and more"))  # fmt: skip
"""Users by how many videos they had watched before the cut."""


@dataclass(frozen=True)
class Offline:
    """What was measured.

    Attributes:
        per_user: scorer (and `SERVED`) -> one row a user of `metrics.ranking_metrics`.
        n_history: ``(n_users,)`` events before the cut, by user_num of the tables.
        served: ``(n_users, n)`` the lists that would have been served.
        cold: metrics of the served lists where only videos count that nobody had liked before.
        relevant: for each user the held-out videos that they might be shown at the cut.
    """

    per_user: dict[str, pd.DataFrame]
    n_history: Ints
    served: Ints
    cold: pd.DataFrame = field(default_factory=pd.DataFrame)
    relevant: list[set[int]] = field(default_factory=list)


def evaluate_offline(
    models: Models,
    histories: Histories,
    held_out: Sequence[Ints],
    rules: UserRules,
    settings: RecommendingSettings,
) -> Offline:
    """Make lists as of the models' cut with every scorer and measure them.

    Args:
        models: the evaluation fit.
        histories: the users who are measured, with their events before the cut.
        held_out: for each of them the new videos they liked after it.
        rules: what each might be shown at the cut; a video that was not there yet cannot be listed
            and is not asked for.
        settings: as for the night's own lists.
    """
    names = [*SCORER_NAMES, SERVED]
    shape = (histories.n_users, DEPTH)
    together = {name: np.full(shape, PADDING, dtype=np.int64) for name in names}
    relevant: list[set[int]] = [set()] * histories.n_users
    search = Search(models)
    for nums, block in histories.blocks():
        for num, user_id in zip(nums, block.user_ids, strict=True):
            may = rules.may(str(user_id), held_out[num])
            relevant[num] = set(held_out[num][may].tolist())
        for name, lists in _lists_of(search, block, rules, settings).items():
            together[name][nums] = lists
    is_unknown = models.popularity.n_users == 0
    unknown = [{num for num in videos if is_unknown[num]} for videos in relevant]
    return Offline(
        {name: ranking_metrics(lists, relevant) for name, lists in together.items()},
        np.diff(histories.offsets).astype(np.int64),
        together[SERVED],
        ranking_metrics(together[SERVED], unknown),
        relevant,
    )


def summarise_offline(offline: Offline, *, n_draws: int, seed: int) -> dict[str, Any]:
    """The metrics by scorer, with bootstrap intervals, and by segment of users.

    Args:
        offline: what was measured.
        n_draws: bootstrap draws.
        seed: of the draws.

    Returns:
        ``<metric>.<scorer>`` and `COLD_RECALL` (where such a video was liked) -> value, low, high,
        n_users; ``segments`` -> segment -> means of the served lists.
    """
    metrics: dict[str, Any] = {}
    for name, per_user in offline.per_user.items():
        rng = np.random.default_rng(seed)  # the same draws for all, so that they can be compared
        for metric, said in summarise(per_user, n_draws=n_draws, rng=rng).items():
            value = {key: said[key] for key in ("low", "high", "n_users")}
            metrics[f"{metric}.{name}"] = {"value": said["mean"], **value}
    if len(offline.cold):
        rng = np.random.default_rng(seed)
        said = summarise(offline.cold, n_draws=n_draws, rng=rng)["recall@20"]
        value = {key: said[key] for key in ("low", "high", "n_users")}
        metrics[COLD_RECALL] = {"value": said["mean"], **value}
    metrics["segments"] = _segments(offline)
    return metrics


def _lists_of(
    search: Search, block: Histories, rules: UserRules, settings: RecommendingSettings
) -> dict[str, Ints]:
    """Scorer -> ``(n_users, DEPTH)`` lists of a block."""
    models = search.models
    _, candidates = find_candidates(search, block, rules.eligible(block.user_ids), settings)
    lists: dict[str, Ints] = {}
    for scorer in SCORER_NAMES:
        table = rank_candidates(models, block, candidates, scorer=scorer)
        table[RANK] = table.groupby(USER_ID).cumcount() + 1
        lists[scorer] = as_matrix(table, block, models)
        if scorer == models.configuration.scorer:
            served = rerank_lists(table, block, models.content, rules, settings)
            lists[SERVED] = as_matrix(served, block, models)
    return lists


def as_matrix(table: pd.DataFrame, block: Histories, models: Models) -> Ints:
    """``(n_users, DEPTH)`` video_nums by rank, `PADDING` behind."""
    top = table[table[RANK] <= DEPTH]
    users = pd.Index(block.user_ids).get_indexer(pd.Index(top[USER_ID].astype(object)))
    ranked = np.full((block.n_users, DEPTH), PADDING, dtype=np.int64)
    ranked[users, top[RANK].to_numpy(np.int64) - 1] = models.content.nums_of(top[VIDEO_ID])
    return ranked


def users_by_segment(offline: Offline) -> dict[str, npt.NDArray[np.bool_]]:
    """Segment -> ``(n_measured,)`` which rows of ``per_user`` are of it; none that is empty."""
    measured = offline.per_user[SERVED][USER_NUM].to_numpy(np.int64)
    n_history = offline.n_history[measured]
    masks = {name: (n_history >= least) & (n_history <= most) for least, most, name in SEGMENTS}
    return {name: mask for name, mask in masks.items() if mask.any()}


def _segments(offline: Offline) -> dict[str, dict[str, float]]:
    found = {}
    for name, mask in users_by_segment(offline).items():
        mine = offline.per_user[SERVED][mask]
        if len(mine):
            means = {m: float(mine[m].mean()) for m in ("ndcg@10", "hr@10", "recall@20")}
            found[name] = {"n_users": float(len(mine)), **means}
    return found
