"""Worth: what the served lists of a night are worth, in one sentence made of its metrics.

The page imports it, so it imports no model; leaves measuring to `lift`.
"""

from collections.abc import Mapping
from typing import Any, Final

WORDS: Final[Mapping[str, str]] = {
    "popular_1d": "most liked of the last day",
    "popular_3d": "most liked of the last 3 days",
    "popular_7d": "most liked of the last 7 days",
    "popular_14d": "most liked of the last 14 days",
    "popular_30d": "most liked of the last 30 days",
    "item_knn": "item-kNN over who liked what",
    "similar_to_last": "liked by those who liked the user's last video",
}
"""Simple list (`baselines.BASELINES`) -> what it is."""


def say_worth(metrics: Mapping[str, Any]) -> str:
    """What the served lists of a night are worth, in a sentence; empty without metrics.

    Args:
        metrics: as `evaluate_lists` measured them, of this version or an earlier one.
    """
    if not metrics:
        return ""
    served = metrics.get("ndcg@10.served")
    if not isinstance(served, Mapping):
        return "Served lists: not measured, as no user liked a new video in the held-out days."
    users = f"{int(served['n_users']):,} user{'s' if served['n_users'] != 1 else ''}"
    if "holdout_days" in metrics:
        days = int(metrics["holdout_days"])
        users += f" over the last {days:,} days" if days != 1 else " over the last day"
    worth = f"Served lists: NDCG@10 {served['value']:.3f}"
    lift = metrics.get("lift", {})
    if "ndcg@10" not in lift:
        found = "found nothing to compare with" if lift else "were not measured"
        return f"{worth}, {users}; the simple lists {found}."
    ratio = lift["ndcg@10"]
    return (
        f"{worth}, {ratio['value']:.2f} times [{ratio['low']:.2f}, {ratio['high']:.2f}] the best "
        f"simple list ({WORDS.get(lift['best'], lift['best'])}), {users}."
    )


def say_lift_of_words(metrics: Mapping[str, Any]) -> str:
    """What the language model's words add in ranking, in a sentence; empty where not measured.

    Args:
        metrics: as `evaluate_lists` measured them, of this version or an earlier one.
    """
    lift = metrics.get("llm_lift")
    if not isinstance(lift, Mapping):
        return ""
    words = (
        "Portraits and the model's relevance" if metrics.get("relevance_weight") else "Portraits"
    )
    return (
        f"{words} in ranking: {lift['value']:+.4f} [{lift['low']:+.4f}, {lift['high']:+.4f}] "
        f"NDCG@10 of the candidates, {int(lift['n_users']):,} users."
    )


def say_night(metrics: Mapping[str, Any]) -> str:
    """Both sentences, as far as they were measured."""
    return " ".join(filter(None, (say_worth(metrics), say_lift_of_words(metrics))))
