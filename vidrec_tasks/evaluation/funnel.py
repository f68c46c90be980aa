"""Funnel: from what was read to what is published, where rows are lost on the way.

What each job counts is declared in `vidrec_tasks.night`; the numbers are read from the receipts
alone, so it costs the same for any number of users.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from markupsafe import Markup

from vidrec_tasks.evaluation.plots import bar_chart
from vidrec_tasks.night import JOBS

Steps: TypeAlias = list[tuple[str, int]]


def funnel_of(receipts: Iterable[Mapping[str, Any]]) -> dict[str, Steps]:
    """Of what -> (step, how many), summed over shards; what no job has counted yet is absent."""
    counted: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        for name, n in receipt["counts"].items():
            if isinstance(n, int | float):
                key = (str(receipt["job"]), str(name))
                counted[key] = counted.get(key, 0) + int(n)
    found: dict[str, Steps] = {}
    for plan in JOBS:
        for of, step, name in plan.counts:
            if (plan.name, name) in counted:
                found.setdefault(of, []).append((step, counted[plan.name, name]))
    return found


def funnel_charts(funnel: Mapping[str, Sequence[tuple[str, int]]]) -> list[tuple[str, Markup]]:
    """A bar chart for each part of a funnel."""
    return [
        (of, bar_chart([(step, float(n)) for step, n in steps], name=f"Funnel of {of}"))
        for of, steps in funnel.items()
    ]
