"""Gate: one thing that must hold of a night, as a value; and what it said of one, a verdict.

A gate that has nothing to be measured on says so and passes; it never stands for a number that was
not measured.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from vidrec_tasks.evaluation.gates.evidence import Evidence
from vidrec_tasks.settings import Settings

Direction = Literal["at_least", "at_most"]

NOT_APPLICABLE: Final = "Not applicable: "


@dataclass(frozen=True)
class Verdict:
    """What a gate said of a night.

    Attributes:
        name: of the gate.
        value: what was measured; None: there is nothing to measure it on.
        bound: what the value is held against.
        direction: whether the value must be ``at_least`` or ``at_most`` the bound.
        passed: whether it holds.
        meaning: one line for the report.
        next_step: what to do when it does not hold, where that is not plain.
    """

    name: str
    value: float | None
    bound: float
    direction: Direction
    passed: bool
    meaning: str
    next_step: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)

    def in_words(self) -> str:
        """With its numbers: ``claim_precision 0.982 (at least 1)``."""
        value = "not measured" if self.value is None else f"{self.value:.4g}"
        return f"{self.name} {value} ({self.direction.replace('_', ' ')} {self.bound:.4g})"


@dataclass(frozen=True)
class Gate:
    """One thing that must hold; the job, the report, the page and docs/METRICS.md read it here.

    Attributes:
        name: its word.
        direction: whether its number must be ``at_least`` or ``at_most`` the bound.
        measure: the number it looks at; None where there is nothing to measure it on.
        bound: what the number is held against, of the settings.
        formula: how the number is computed, in words or symbols.
        meaning: one line for who reads the report.
        absent: why there may be nothing to measure it on, in words or told from the night; empty:
            there always is something.
        next_step: what to do when it does not hold, where that is not plain.
    """

    name: str
    direction: Direction
    measure: Callable[[Evidence], float | None]
    bound: Callable[[Settings], float]
    formula: str
    meaning: str
    absent: str | Callable[[Evidence], str] = ""
    next_step: str = ""

    def judge(self, night: Evidence) -> Verdict:
        """Hold a night against the bound; a number that is none (NaN) does not pass."""
        value, bound = self.measure(night), self.bound(night.settings)
        if value is None:
            why = self.absent if isinstance(self.absent, str) else self.absent(night)
            meaning = f"{NOT_APPLICABLE}{why}. {self.meaning}"
            return Verdict(self.name, None, bound, self.direction, True, meaning)
        passed = value >= bound if self.direction == "at_least" else value <= bound
        return Verdict(
            self.name, value, bound, self.direction, passed, self.meaning, self.next_step
        )


def none_of(name: str, count: Callable[[Evidence], int], *, formula: str, meaning: str) -> Gate:
    """A gate on something of which there must be none."""
    return Gate(
        name,
        "at_most",
        measure=lambda night: float(count(night)),
        bound=lambda _: 0.0,
        formula=formula,
        meaning=meaning,
    )
