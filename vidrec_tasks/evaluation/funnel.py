"""Funnel: from what was read to what is published, where rows are lost on the way.

It is read from the receipts of the jobs alone, so it costs the same for any number of users.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from markupsafe import Markup

from vidrec_tasks.evaluation.plots import bar_chart

Steps: TypeAlias = list[tuple[str, int]]

_STEPS: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "interactions": (
        ("read", "validate_inputs", "interactions_read"),
        ("accepted", "validate_inputs", "interactions_accepted"),
        ("taken as visits", "build_profiles", "visits"),
    ),
    "videos": (
        ("read", "validate_inputs", "videos_read"),
        ("in the catalogue", "validate_inputs", "videos_accepted"),
        ("with a film", "extract_keyframes", "with_media"),
        ("in quarantine", "extract_keyframes", "quarantined"),
        ("like another", "list_similar", "with_list"),
    ),
    "users": (
        ("known", "build_profiles", "users"),
        ("with candidates", "find_candidates", "users"),
        ("with a list", "rerank_lists", "with_a_list"),
    ),
    "rows": (
        ("candidates", "find_candidates", "candidates"),
        ("ranked", "rank_candidates", "ranked"),
        ("in lists", "rerank_lists", "rows"),
        ("verified", "explain_lists", "verified"),
        ("published", "publish_lists", "recommendations"),
    ),
}
"""Of what -> (step, the job that counts it, the name of the count)."""


def funnel_of(receipts: Iterable[Mapping[str, Any]]) -> dict[str, Steps]:
    """Of what -> (step, how many), summed over shards; what no job has counted yet is absent."""
    counted: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        for name, n in receipt["counts"].items():
            if isinstance(n, int | float):
                key = (str(receipt["job"]), str(name))
                counted[key] = counted.get(key, 0) + int(n)
    found = {
        of: [(step, counted[job, name]) for step, job, name in steps if (job, name) in counted]
        for of, steps in _STEPS.items()
    }
    return {of: steps for of, steps in found.items() if steps}


def funnel_charts(funnel: Mapping[str, Sequence[tuple[str, int]]]) -> list[tuple[str, Markup]]:
    """A bar chart for each part of a funnel."""
    return [
        (of, bar_chart([(step, float(n)) for step, n in steps], name=f"Funnel of {of}"))
        for of, steps in funnel.items()
    ]
