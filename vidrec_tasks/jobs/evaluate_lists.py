"""evaluate_lists: how good the evaluation fit was, and what tonight's lists look like."""

from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.columns import EVENT_AT, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.evaluation.comparing import compare, compare_scorers
from vidrec_tasks.evaluation.offline import SERVED, evaluate_offline, summarise_offline
from vidrec_tasks.evaluation.replay import replay
from vidrec_tasks.jobs._job import Context, Made, job, midnight, shards_of
from vidrec_tasks.jobs._reading import (
    epoch_of,
    evaluation_night,
    read_champion,
    read_content,
    read_models,
    read_rules,
    weigh_all,
)
from vidrec_tasks.measuring.lists import list_metrics, topic_mix
from vidrec_tasks.measuring.splits import time_split
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.held_out import pick_users
from vidrec_tasks.store.shards import stable_hash


@job(
    needs=(
        "videos", "users", "interactions.*", "watch_statistics", "content", "duplicates",
        "models.evaluation", "models.champion", "models.serving", "content_index",
        "video_vectors", "portraits.*", "explained.*",
    ),
    makes=("metrics",),
    settings=("audience", "recommending", "evaluation"),
    parents=("previous",),
)  # fmt: skip
def evaluate_lists(context: Context) -> Made:
    """Measure the evaluation fit, the served lists, the words and the indexes."""
    content = read_content(context)
    visits = weigh_all(context, context.night)
    metrics = {
        **_offline(context, content, visits),
        **_served(context, content, visits),
        **_words(context),
        **_models(context),
        **_replay(context, visits),
    }
    numbers = {name: value for name, value in metrics.items() if value is not None}
    counts = {"metrics": len(numbers)}
    if ndcg := numbers.get(f"ndcg@10.{SERVED}"):  # absent where nobody could be measured
        counts[f"ndcg@10.{SERVED}"] = round(ndcg["value"], 4)
    return Made({"metrics": {"metrics": numbers}}, counts)


def _offline(context: Context, content: Content, visits: pd.DataFrame) -> dict[str, Any]:
    """The evaluation fit against the held-out days."""
    settings = context.settings.evaluation
    night = evaluation_night(context)
    split = time_split(gather(visits), cut=epoch_of(night))
    asked = np.array([len(videos) > 0 for videos in split.held_out], dtype=bool)
    users = _sample(split.train, asked, settings.n_users)
    measured = (
        pick_users(split.train, users),
        [split.held_out[user] for user in users],
        read_rules(context, night),
        context.settings.recommending,
    )
    draws = {"n_draws": settings.n_bootstrap, "seed": context.settings.recommending.seed}
    evaluation = read_models(context, "evaluation", content)
    offline = evaluate_offline(evaluation, *measured)
    metrics = {"evaluated_users": float(len(users)), **summarise_offline(offline, **draws)}
    metrics["scorer"] = evaluation.configuration.scorer
    metrics["scorer_ratio"] = compare_scorers(offline, evaluation.configuration.scorer, **draws)
    champion = read_champion(context, content, evaluation)
    if champion is not None:
        metrics["champion"] = compare(offline, evaluate_offline(champion, *measured), **draws)
    return metrics


def _sample(histories: Histories, asked: Any, n: int) -> Any:
    """``(n,)`` user_nums, drawn by a stable hash so that every night draws alike."""
    users = np.flatnonzero(asked)
    order = sorted(users, key=lambda user: stable_hash(str(histories.user_ids[user])))
    return np.sort(np.array(order[:n], dtype=np.int64))


def _served(context: Context, content: Content, visits: pd.DataFrame) -> dict[str, Any]:
    """What tonight's lists look like."""
    parts = [
        context.read(name)[[USER_ID, RANK, VIDEO_ID]]
        for name in shards_of(context.run, "explained")
    ]
    lists = pd.concat(parts, ignore_index=True)
    if lists.empty:
        return {"coverage": 0.0}
    user_ids = np.array(sorted(lists[USER_ID].unique()), dtype=object)
    ranked = np.full((len(user_ids), int(lists[RANK].max())), -1, dtype=np.int64)
    users = pd.Index(user_ids).get_indexer(pd.Index(lists[USER_ID].astype(object)))
    ranked[users, lists[RANK].to_numpy(np.int64) - 1] = content.nums_of(lists[VIDEO_ID])
    topics, _ = topic_matrix(content.topics)
    histories = gather(visits, user_ids)
    return dict(
        list_metrics(
            ranked,
            n_videos=content.n_videos,
            popularity=read_models(context, "serving", content).popularity.n_users,
            vectors=content.fused,
            topics=topics,
            tastes=topic_mix(histories, topics),
            rng=np.random.default_rng(context.settings.recommending.seed),
        )
    )


def _words(context: Context) -> dict[str, Any]:
    """What explanations and portraits are worth, summed over shards."""
    claims = [context.read(name, "claims") for name in shards_of(context.run, "explained")]
    names = ("n_claims", "n_true", "n_counterfactual", "n_lowered")
    n_claims, n_true, n_rows, n_lowered = (sum(said[name] for said in claims) for name in names)
    words = [context.read(name, "metrics") for name in shards_of(context.run, "portraits")]
    sizes = [len(context.read(name)) for name in shards_of(context.run, "portraits")]
    weights = np.array(sizes, dtype=np.float64) / max(1, sum(sizes))
    return {
        "claim_precision": n_true / n_claims if n_claims else None,
        "counterfactual_share": n_lowered / n_rows if n_rows else None,
        "explanations_replaced": float(sum(said["n_replaced"] for said in claims)),
        "model_written_share": float(weights @ [said["model_written_share"] for said in words]),
        "grounded_share": float(weights @ [said["grounded_share"] for said in words]),
        "portrait_shapes": float(max((said["n_shapes"] for said in words), default=0)),
    }


def _models(context: Context) -> dict[str, Any]:
    """Recall of the indexes and how the fits went."""
    recalls = [context.read(name, "info")["recall"] for name in ("content_index", "video_vectors")]
    known = [recall for recall in recalls if recall is not None]
    chosen = context.read("models.evaluation", "info")["configuration"]
    return {
        "index_recall": min(known) if known else None,
        "held_out": {"n_users": float(chosen["n_held_out"]), **chosen["measured"]},
        "tower_epochs": float(chosen["tower_epochs"]),
        "overfitting_gap": chosen["measured"].get("tower_gap"),
        "blend": chosen["blend"],
    }


def _replay(context: Context, visits: pd.DataFrame) -> dict[str, Any]:
    """The lists of the night before against what was watched since."""
    parent = context.parent("previous")
    names = [] if parent is None else shards_of(parent, "explained")
    if parent is None or any(parent.find(name) is None for name in names):
        return {}
    lists = pd.concat([parent.read(n)[[USER_ID, RANK, VIDEO_ID]] for n in names], ignore_index=True)
    watched = visits.loc[visits["is_watched"], [USER_ID, VIDEO_ID, EVENT_AT]]
    start, end = midnight(parent.night), midnight(context.night)
    return {"replay": replay(lists, watched, start=start, end=end)}
