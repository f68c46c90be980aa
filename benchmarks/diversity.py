"""The diversity curve of `benchmarks.quality`: what variety costs, by the product's re-ranker.

For each re-ranker and weight: NDCG@10 of the held-out videos and intra-list diversity (mean
``1 - cosine`` of two videos of a list); likewise what calibration costs and mends.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.columns import RANK, USER_ID
from vidrec_tasks.evaluation.offline import as_matrix
from vidrec_tasks.measuring.lists import list_metrics, topic_mix
from vidrec_tasks.measuring.metrics import ranking_metrics
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.reranker import rerank_lists
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.settings import RecommendingSettings

Ints = npt.NDArray[np.int64]

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5)
CALIBRATIONS = (0.05, 0.1, 0.2)
MAX_LOSS = 0.02


def diversity_curve(
    models: Models, histories: Histories, held_out: list[Ints], settings: RecommendingSettings
) -> dict[str, Any]:
    """Measure the re-ranked lists under every weight.

    Returns:
        ``curve``: rows of reranker, diversity, calibration, ndcg@10, intra_list_diversity,
        miscalibration; ``diversity_gain``: the largest gain of intra-list diversity for a loss of
        NDCG@10 of at most 2%.
    """
    ranked = ranked_of(models, histories, settings)
    asked = [set(held.tolist()) for held in held_out]
    plain = {"max_per_creator": 200, "n_exploration": 0}
    tried = [(name, weight, 0.0) for name in ("msd", "mmr", "dpp") for weight in WEIGHTS]
    tried += [("msd", weight, c) for c in CALIBRATIONS for weight in (0.0, *WEIGHTS[3:])]
    curve = []
    for name, diversity, calibration in tried:
        chosen = settings.model_copy(
            update={**plain, "reranker": name, "diversity": diversity, "calibration": calibration}
        )
        lists = reranked(ranked, histories, models, chosen)[:, :10]
        row = {"reranker": name, "diversity": diversity, "calibration": calibration}
        curve.append(row | _measured(lists, asked, models.content, histories))
    base = curve[0]
    kept = [r for r in curve if r["ndcg@10"] >= (1 - MAX_LOSS) * base["ndcg@10"]]
    best = max(kept, key=lambda row: row["intra_list_diversity"])
    _print(curve)
    gain = best["intra_list_diversity"] / base["intra_list_diversity"] - 1
    return {"curve": curve, "diversity_gain": gain, "at": best}


def ranked_of(
    models: Models, histories: Histories, settings: RecommendingSettings
) -> list[pd.DataFrame]:
    """The ranked candidates of each block of users, by the nightly jobs' own steps."""
    tables = []
    for _, block in histories.blocks():
        everything = Eligible.everything(block.n_users, models.content.n_videos)
        _, candidates = find_candidates(Search(models), block, everything, settings)
        scorer = models.configuration.scorer
        tables.append(rank_candidates(models, block, candidates, scorer=scorer))
    return tables


def reranked(
    ranked: list[pd.DataFrame], histories: Histories, models: Models, settings: RecommendingSettings
) -> Ints:
    """``(n_users, settings.n)`` re-ranked lists, every video allowed to everybody."""
    rules = _no_rules(models.content)
    parts = []
    for table, (_, block) in zip(ranked, histories.blocks(), strict=True):
        lists = rerank_lists(table, block, models.content, rules, settings)
        parts.append(as_matrix(lists[[USER_ID, RANK, "video_id"]], block, models))
    return np.concatenate(parts)


def _no_rules(content: Content) -> UserRules:
    """Every video may be shown to everybody: the data say nothing else."""
    n = content.n_videos
    never = pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]")
    videos = pd.DataFrame(
        {
            "video_id": content.video_ids, "status": "active", "published_at": never,
            "expires_at": never, "age_rating": 0, "regions": [[] for _ in range(n)],
        }
    )  # fmt: skip
    users = pd.DataFrame(columns=["user_id", "region", "max_age_rating", "opted_out"])
    moment = pd.Timestamp.now(tz="UTC")
    return UserRules(videos, users, moment=moment, default_max_age_rating=18)


def _measured(
    lists: Ints, asked: list[set[int]], content: Content, histories: Histories
) -> dict[str, float]:
    topics, _ = topic_matrix(content.topics)
    found = list_metrics(
        lists,
        n_videos=content.n_videos,
        vectors=content.fused,
        topics=topics,
        tastes=topic_mix(histories, topics),
    )
    ndcg = float(ranking_metrics(lists, asked)["ndcg@10"].mean())
    names = ("intra_list_diversity", "miscalibration", "coverage")
    return {"ndcg@10": ndcg, **{name: found[name] for name in names if name in found}}


def _print(curve: list[dict[str, Any]]) -> None:
    names = ("ndcg@10", "intra_list_diversity", "miscalibration", "coverage")
    head = f"{'re-ranker':10}{'diversity':>10}{'calibration':>12}"
    sys.stdout.write(head + "".join(f"{name:>22}" for name in names) + "\n")
    for row in curve:
        cells = "".join(f"{row.get(name, float('nan')):22.4f}" for name in names)
        start = f"{row['reranker']:10}{row['diversity']:10.2f}{row['calibration']:12.2f}"
        sys.stdout.write(start + cells + "\n")
