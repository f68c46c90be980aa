"""Measures: a night's metrics as numbers with intervals, in the order in which they are read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MAIN: Final = (
    "ndcg@10.served", "lift.ndcg@10", "recall@10.served", "hr@10.served", "coverage",
    "intra_list_diversity", "novelty_bits",
)  # fmt: skip
_CENTRE: Final = ("value", "mean", "estimate")
_LOW: Final = ("low", "lower", "ci_low")
_HIGH: Final = ("high", "upper", "ci_high")


@dataclass(frozen=True)
class Measure:
    """One metric of a night, with its interval where one was computed."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def measures_of(metrics: Mapping[str, Any]) -> list[Measure]:
    """The metrics as numbers with intervals; a dict of dicts is spelled ``outer.inner``.

    A dict with a centre (``value`` or ``mean``) and bounds is one number with its interval.
    """
    found: list[Measure] = []
    for name, said in metrics.items():
        if _is_number(said):
            found.append(Measure(name, float(said)))
        elif isinstance(said, Mapping) and _first(said, _CENTRE) is not None:
            centre = float(_first(said, _CENTRE) or 0.0)
            found.append(Measure(name, centre, _first(said, _LOW), _first(said, _HIGH)))
        elif isinstance(said, Mapping) and name not in ("segments", "per_segment"):
            inner = measures_of(said)
            found += [Measure(f"{name}.{m.name}", m.value, m.low, m.high) for m in inner]
    return found


def main_metrics(measures: Sequence[Measure], n: int) -> list[str]:
    """The names of the n metrics to look at first: of the served lists, then the sure ones."""
    names = [measure.name for measure in measures]
    sure = [measure.name for measure in measures if measure.low is not None]
    ordered = [*(name for name in _MAIN if name in names), *sure, *names]
    return list(dict.fromkeys(ordered))[:n]


def by_scorer(
    measures: Sequence[Measure],
) -> tuple[list[str], dict[str, dict[str, Measure]], list[Measure]]:
    """Metrics of lists by who ordered them (``ndcg@10.blend``), apart from the others.

    Returns:
        The scorers; metric -> scorer -> measure; the other measures.
    """
    scorers: list[str] = []
    table: dict[str, dict[str, Measure]] = {}
    others = []
    for measure in measures:
        metric, _, scorer = measure.name.rpartition(".")
        if "@" not in metric or "@" in scorer:
            others.append(measure)
            continue
        table.setdefault(metric, {})[scorer] = measure
        if scorer not in scorers:
            scorers.append(scorer)
    return scorers, table, others


def segments_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The per-segment table, where the metrics hold one."""
    table = metrics.get("segments") or metrics.get("per_segment") or {}
    return {
        str(segment): {measure.name: measure.value for measure in measures_of(row)}
        for segment, row in table.items()
        if isinstance(row, Mapping)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _first(said: Mapping[str, Any], names: Sequence[str]) -> float | None:
    return next((float(said[name]) for name in names if _is_number(said.get(name))), None)
