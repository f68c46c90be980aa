"""Results: what every step of validate_inputs returns: rows, what it refused, what it counted.

A step keeps nothing and changes nothing that it was given; whoever calls two joins what they say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from vidrec_tasks.contracts.rejects import Rejects, no_rejects


@dataclass(frozen=True)
class StepResult:
    """What a step makes of some rows of one table.

    Attributes:
        rows: what the next step takes.
        rejects: columns table, row_num, reason, sample.
        counts: numbers by name (``read``, ``opted_out``), without the name of the table.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=no_rejects)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What was refused and counted of a whole table.

    Attributes:
        rejects: as of `Rejects`.
        counts: as of `StepResult`.
    """

    rejects: Rejects
    counts: Mapping[str, int] = field(default_factory=dict)


class Accounted(Protocol):
    """What says which rows of a table it refused, and what it counted."""

    @property
    def rejects(self) -> Rejects:
        """How many were refused, and the first of them."""

    @property
    def counts(self) -> Mapping[str, int]:
        """As of `StepResult`."""


def join_rejects(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Rejects of several steps, in the order given."""
    filled = [part for part in parts if len(part)]
    return pd.concat([no_rejects(), *filled], ignore_index=True)


def sum_counts(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts of several steps by name; a count of nothing keeps its name."""
    total: dict[str, int] = {}
    for part in parts:
        for name, number in part.items():
            total[name] = total.get(name, 0) + number
    return total


def name_counts(table: str, counts: Mapping[str, int]) -> dict[str, int]:
    """Counts as a receipt says them: ``videos_read``."""
    return {f"{table}_{name}": number for name, number in counts.items()}
