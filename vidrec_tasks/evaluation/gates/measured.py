"""Measured: bounds on what `evaluate_lists` measured; of ratios, what was lost beyond doubt."""

from collections.abc import Mapping
from typing import Any, Final

from vidrec_tasks.evaluation.gates.evidence import Evidence
from vidrec_tasks.evaluation.gates.gate import Gate
from vidrec_tasks.settings import Settings


def _sure_high(ratio: Mapping[str, float], night: Evidence) -> float | None:
    """The upper end of the ratio's 95% interval; None: of too few users to say anything.

    Args:
        ratio: ``high`` and ``n_users`` (see `comparing`), or nothing.
        night: says how few are too few.
    """
    high, least = ratio.get("high"), night.settings.evaluation.min_gate_users
    return None if high is None or ratio.get("n_users", 0) < least else high


def _sure_drop(ratio: Mapping[str, float], night: Evidence) -> float | None:
    """What is lost beyond doubt: one less the upper end of the interval."""
    high = _sure_high(ratio, night)
    return None if high is None else 1 - high


def _champion(night: Evidence) -> Mapping[str, Any]:
    champion: Mapping[str, Any] = night.metrics.get("champion", {})
    return champion


def _worst_segment(night: Evidence) -> float | None:
    ratios = _champion(night).get("segments", {}).values()
    drops = [_sure_drop(ratio, night) for ratio in ratios]
    return max((drop for drop in drops if drop is not None), default=None)


def _scorer_drop(night: Evidence) -> float | None:
    if _is_asked_for(night):
        return None
    return _sure_drop(night.metrics.get("scorer_ratio", {}), night)


def _is_asked_for(night: Evidence) -> bool:
    return night.settings.recommending.scorer != "auto"


def _few(night: Evidence) -> str:
    return f"fewer than {night.settings.evaluation.min_gate_users} users were measured"


def _no_champion(night: Evidence) -> str:
    return _few(night) if _champion(night) else "there is no champion to compare with"


def _no_scorer(night: Evidence) -> str:
    return "the setting names the scorer" if _is_asked_for(night) else _few(night)


def _lift_high(night: Evidence) -> float | None:
    lift: Mapping[str, Any] = night.metrics.get("lift", {})
    return _sure_high(lift.get("ndcg@10", {}), night)


def _no_lift(night: Evidence) -> str:
    n_users = night.metric("evaluated_users") or 0.0
    if n_users < night.settings.evaluation.min_gate_users:
        return _few(night)
    return "the simple lists found nothing to compare with"


def _max_drop(settings: Settings) -> float:
    return settings.evaluation.max_ndcg_drop


MEASURED_GATES: Final = (
    Gate(
        "claim_precision", "at_least",
        measure=lambda night: night.metric("claim_precision"),
        bound=lambda settings: settings.evaluation.min_claim_precision,
        formula="as the metric",
        meaning="True claims among all that explanations make.",
        absent="no claim was made",
    ),
    Gate(
        "portrait_claim_precision", "at_least",
        measure=lambda night: night.metric("portrait_claim_precision"),
        bound=lambda settings: settings.evaluation.min_claim_precision,
        formula="as the metric",
        meaning="True claims among all that portraits make.",
        absent="no portrait made a claim",
    ),
    Gate(
        "index_recall", "at_least",
        measure=lambda night: night.metric("index_recall"),
        bound=lambda settings: settings.content.min_index_recall,
        formula="as the metric",
        meaning="Neighbours that the index finds among the true ones.",
        absent="no index was measured",
    ),
    Gate(
        "ndcg_drop", "at_most",
        measure=lambda night: _sure_drop(_champion(night).get("ratio", {}), night),
        bound=_max_drop,
        formula="1 - upper end of the 95% interval of champion.ratio",
        meaning="NDCG@10 lost beyond doubt (95%) against the last night's configuration, as a "
                "share.",
        absent=_no_champion,
    ),
    Gate(
        "ndcg_drop_segment", "at_most",
        measure=_worst_segment,
        bound=_max_drop,
        formula="the largest such drop of a segment of at least 50 users",
        meaning="The same in the segment of users that lost most.",
        absent=_no_champion,
    ),
    Gate(
        "scorer_drop", "at_most",
        measure=_scorer_drop,
        bound=_max_drop,
        formula="1 - upper end of the 95% interval of scorer_ratio",
        meaning="NDCG@10 that the serving scorer lost beyond doubt (95%) against the best other.",
        absent=_no_scorer,
    ),
    Gate(
        "lift_over_baseline", "at_least",
        measure=_lift_high,
        bound=lambda settings: settings.evaluation.min_lift,
        formula="upper end of the 95% interval of lift.ndcg@10",
        meaning="NDCG@10 of the served lists over that of the best simple list, at most (95%).",
        absent=_no_lift,
        next_step="compare scorers and sources in the report's metrics; until the models are "
                  "better than lift.best says, approve the run or lower "
                  "VIDREC_EVALUATION__MIN_LIFT",
    ),
)  # fmt: skip
