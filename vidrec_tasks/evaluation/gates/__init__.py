"""Gates: what must hold of a night before its lists are shown, each a value in a file of its kind.

`GATES` names all there are, in the order of reading. To add one: a `Gate` in the file of its kind,
a row of `tests/evaluation/gate_examples.py`, and a setting if it has a bound of its own. Leaves
counting to `list_counts` and `list_shape`, and what follows to the job.
"""

from collections.abc import Iterable
from typing import Final

from vidrec_tasks.evaluation.gates.evidence import Evidence, Volume
from vidrec_tasks.evaluation.gates.gate import Gate, Verdict
from vidrec_tasks.evaluation.gates.lists import LIST_GATES
from vidrec_tasks.evaluation.gates.measured import MEASURED_GATES
from vidrec_tasks.evaluation.gates.shape import SHAPE_GATES
from vidrec_tasks.evaluation.gates.tables import TABLE_GATES
from vidrec_tasks.evaluation.gates.volume import VOLUME_GATES

__all__ = ["GATES", "Evidence", "Gate", "Verdict", "Volume", "evaluate_gates", "failed"]

GATES: Final[tuple[Gate, ...]] = (
    *VOLUME_GATES,
    *LIST_GATES,
    *SHAPE_GATES,
    *MEASURED_GATES,
    *TABLE_GATES,
)


def evaluate_gates(night: Evidence) -> list[Verdict]:
    """Hold a night against every bound, in the order of `GATES`."""
    return [gate.judge(night) for gate in GATES]


def failed(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Those that did not pass."""
    return [verdict for verdict in verdicts if not verdict.passed]
