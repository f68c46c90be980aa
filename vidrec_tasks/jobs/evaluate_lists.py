"""evaluate_lists: how good the evaluation fit was, and what tonight's lists look like."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.columns import EVENT_AT, IS_WATCHED, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.evaluation.baselines import Crowd, baseline_lists, count_likers
from vidrec_tasks.evaluation.comparing import compare, compare_scorers
from vidrec_tasks.evaluation.lift import measure_lift
from vidrec_tasks.evaluation.offline import SERVED, evaluate_offline, summarise_offline
from vidrec_tasks.evaluation.replay import newly_watched, replay
from vidrec_tasks.jobs.shared.reading import (
    epoch_of,
    evaluation_night,
    holdout_days,
    read_champion,
    read_content,
    read_models,
    read_rules,
)
from vidrec_tasks.jobs.shared.visits import Draw, draw_learners, visits_by_shard
from vidrec_tasks.measuring.lists import list_metrics, topic_mix
from vidrec_tasks.measuring.splits import time_split
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import DAYS
from vidrec_tasks.recommending.lists.scorers.registry import BLEND
from vidrec_tasks.running.job import Context, Made, job, midnight, shards_of

LISTED: Final = (USER_ID, RANK, VIDEO_ID)


@job()
def evaluate_lists(context: Context) -> Made:
    """Measure the evaluation fit, the served lists, the words and the indexes."""
    content = read_content(context)
    topics, _ = topic_matrix(content.topics)
    seen = _look(context, topics)
    metrics = {
        **_offline(context, content, seen.asked),
        **_served(context, content, topics, seen),
        **_words(context),
        **_models(context),
        **_replay(context, seen.fresh),
    }
    numbers = {name: value for name, value in metrics.items() if value is not None}
    counts = {"metrics": len(numbers)}
    if ndcg := numbers.get(f"ndcg@10.{SERVED}"):  # absent where nobody could be measured
        counts[f"ndcg@10.{SERVED}"] = round(ndcg["value"], 4)
    return Made({"metrics": {"metrics": numbers}}, counts)


@dataclass(frozen=True)
class _Seen:
    """What is kept of everybody's visits, which pass by a shard at a time.

    Attributes:
        asked: visits of the users whom the evaluation fit is asked about.
        lists: user_id, rank, video_id of tonight's lists.
        user_ids: ``(n_users,)`` who has one, sorted.
        tastes: ``(n_users, n_topics)`` their topic mix.
        fresh: user_id and video_id of what was first watched since the night before was read.
    """

    asked: pd.DataFrame
    lists: pd.DataFrame
    user_ids: npt.NDArray[np.object_]
    tastes: sparse.csr_array
    fresh: pd.DataFrame


def _look(context: Context, topics: sparse.csr_array) -> _Seen:
    cut = epoch_of(evaluation_night(context))
    parent = context.parent("previous")
    since = midnight(context.night if parent is None else parent.night)
    draw = Draw(context.settings.evaluation.n_users)
    lists, user_ids, tastes, fresh = [], [], [], []
    for shard, visits in enumerate(visits_by_shard(context, context.night)):
        draw.add(visits[visits[USER_ID].isin(_asked(gather(visits), cut))])
        lists.append(context.read_rows(f"explained.{shard}", columns=LISTED))
        user_ids.append(np.array(sorted(lists[-1][USER_ID].unique()), dtype=object))
        tastes.append(topic_mix(gather(visits, user_ids[-1]), topics))
        watched = visits.loc[visits[IS_WATCHED], [USER_ID, VIDEO_ID, EVENT_AT]]
        fresh.append(newly_watched(watched, start=since, end=midnight(context.night)))
    everybody = np.concatenate(user_ids)
    order = np.argsort(everybody, kind="stable")
    return _Seen(
        draw.rows(),
        pd.concat(lists, ignore_index=True),
        everybody[order],
        sparse.csr_array(sparse.vstack(tastes))[order],
        pd.concat(fresh, ignore_index=True),
    )


def _asked(histories: Histories, cut: int) -> npt.NDArray[np.object_]:
    """Who liked something new after the cut."""
    held_out = time_split(histories, cut=cut).held_out
    return histories.user_ids[np.array([len(videos) > 0 for videos in held_out], dtype=bool)]


def _offline(context: Context, content: Content, visits: pd.DataFrame) -> dict[str, Any]:
    """The evaluation fit against the held-out days, of the users who are asked about."""
    settings = context.settings.evaluation
    night = evaluation_night(context)
    split = time_split(gather(visits), cut=epoch_of(night))
    rules = read_rules(context, night, split.train.user_ids)
    measured = (split.train, split.held_out, rules, context.settings.recommending)
    draws = {"n_draws": settings.n_bootstrap, "seed": context.settings.recommending.seed}
    evaluation = read_models(context, "evaluation", content)
    offline = evaluate_offline(evaluation, *measured)
    n_users = float(split.train.n_users)
    metrics: dict[str, Any] = {"holdout_days": float(holdout_days(context))}
    metrics |= {"evaluated_users": n_users, **summarise_offline(offline, **draws)}
    metrics["scorer"] = evaluation.configuration.scorer
    metrics["scorer_ratio"] = compare_scorers(offline, evaluation.configuration.scorer, **draws)
    crowd, n = _crowd(context, content.n_videos), context.settings.recommending.n
    simple = baseline_lists(split.train, crowd, content, rules, n=n)
    metrics |= measure_lift(offline, simple, **draws)
    champion = read_champion(context, content, evaluation)
    if champion is not None:
        metrics["champion"] = compare(offline, evaluate_offline(champion, *measured), **draws)
    return metrics


def _crowd(context: Context, n_videos: int) -> Crowd:
    """What everybody had liked, as a night at the cut would have read it: nothing later is weighed.

    The draw is that of the evaluation fit, so that item-kNN learns from the same users.
    """
    night = evaluation_night(context)
    draw = draw_learners(context)
    n_likers = np.zeros((len(DAYS), n_videos), dtype=np.int64)
    for visits in visits_by_shard(context, night):
        draw.add(visits)
        n_likers += count_likers(gather(visits), n_videos, cut=epoch_of(night))
    return Crowd(n_likers, gather(draw.rows()))


def _served(
    context: Context, content: Content, topics: sparse.csr_array, seen: _Seen
) -> dict[str, Any]:
    """What tonight's lists look like."""
    lists = seen.lists
    if lists.empty:
        return {"coverage": 0.0}
    ranked = np.full((len(seen.user_ids), int(lists[RANK].max())), -1, dtype=np.int64)
    users = pd.Index(seen.user_ids).get_indexer(pd.Index(lists[USER_ID].astype(object)))
    ranked[users, lists[RANK].to_numpy(np.int64) - 1] = content.nums_of(lists[VIDEO_ID])
    return dict(
        list_metrics(
            ranked,
            n_videos=content.n_videos,
            popularity=read_models(context, "serving", content).popularity.n_users,
            vectors=content.fused,
            topics=topics,
            tastes=seen.tastes,
            rng=np.random.default_rng(context.settings.recommending.seed),
        )
    )


def _words(context: Context) -> dict[str, Any]:
    """What explanations and portraits are worth, summed over shards."""
    claims = _counts_of(context, "explained", "claims")
    n_claims, n_true, n_rows, n_lowered = _sums(
        claims, "n_claims", "n_true", "n_counterfactual", "n_lowered"
    )
    n_explained, n_lists, n_kinds = _sums(claims, "n_explained", "n_lists", "n_kinds")
    portraits = _counts_of(context, "portraits", "counts")
    n_with_topic, n_by_model, n_said, n_right, n_stating = _sums(
        portraits, "n_with_topic", "n_by_model", "n_claims", "n_true", "n_stating"
    )
    dropped = sum((Counter(counts["n_dropped"]) for counts in portraits), Counter[str]())
    return {
        "claim_precision": n_true / n_claims if n_claims else None,
        "claims_per_explanation": n_claims / n_explained if n_explained else None,
        "reasons_per_list": n_kinds / n_lists if n_lists else None,
        "counterfactual_share": n_lowered / n_rows if n_rows else None,
        "explanations_replaced": float(sum(counts["n_replaced"] for counts in claims)),
        "model_written_share": n_by_model / max(1, n_with_topic),
        "portrait_claim_precision": n_right / n_said if n_said else None,
        "claims_per_portrait": n_said / n_stating if n_stating else None,
        "portrait_shapes": float(max(counts["n_shapes"] for counts in portraits)),
        **{
            f"portrait_claims_dropped.{reason.replace(' ', '_').lower()}": float(n)
            for reason, n in sorted(dropped.items())
        },
    }


def _counts_of(context: Context, kind: str, part: str) -> list[dict[str, Any]]:
    """The counts that every shard of a kind wrote as JSON."""
    return [context.read_json(name, part) for name in shards_of(context.run, kind)]


def _sums(counts: Sequence[Mapping[str, int]], *names: str) -> list[int]:
    """Each count over all shards."""
    return [sum(row[name] for row in counts) for name in names]


def _models(context: Context) -> dict[str, Any]:
    """Recall of the indexes and how the fits went."""
    infos: list[dict[str, Any]] = [
        context.read_json(name, "info") for name in ("content_index", "video_vectors")
    ]
    known = [info["recall"] for info in infos if info["recall"] is not None]
    fit: dict[str, Any] = context.read_json("models.evaluation", "info")
    chosen = fit["configuration"]
    measured = dict(chosen["measured"])
    lift = {end: measured.pop(f"llm_lift{end}", None) for end in ("", "_low", "_high")}
    of_portraits = (
        None
        if lift[""] is None
        else {
            "value": lift[""],
            "low": lift["_low"],
            "high": lift["_high"],
            "n_users": measured["n_measured"],
        }
    )
    learned: dict[str, Any] = context.read_json("relevance", "learned")
    weight, said = float(learned["weight"]), learned["measured"]
    return {
        "llm_lift": said["llm_lift"] if weight else of_portraits,
        "relevance_lift": said.get("relevance_lift"),
        "relevance_weight": weight if said else None,
        "index_recall": min(known) if known else None,
        "held_out": {"n_users": float(chosen["n_held_out"]), **measured},
        "tower_epochs": float(chosen["tower_epochs"]),
        "overfitting_gap": chosen["measured"].get("tower_gap"),
        "blend": chosen["learned"].get(BLEND.name, BLEND.usual)["weights"],
    }


def _replay(context: Context, fresh: pd.DataFrame) -> dict[str, Any]:
    """The lists of the night before against what was first watched since."""
    parent = context.parent("previous")
    names = [] if parent is None else shards_of(parent, "explained")
    if parent is None or any(parent.find(name) is None for name in names):
        return {}
    lists = pd.concat([parent.read_rows(n, columns=LISTED) for n in names], ignore_index=True)
    return {"replay": replay(lists, fresh)}
