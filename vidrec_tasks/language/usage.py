"""Usage: what a generator was asked, what it read and wrote, and what was dropped, by reason."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

LATE: Final = "late"
NO_ANSWER: Final = "no answer"
REFUSED: Final = "refused"
CUT: Final = "cut"
EMPTY: Final = "empty"
NOT_JSON: Final = "not JSON"
OFF_SCHEMA: Final = "off schema"
FAILED: Final = "failed"
BROKEN_LINE: Final = "broken line"
UNKNOWN_ID: Final = "unknown id"
OFF_GRAMMAR: Final = "off grammar"
TOO_LONG: Final = "too long"

REASONS: Final = (
    LATE, NO_ANSWER, REFUSED, CUT, EMPTY, NOT_JSON, OFF_SCHEMA, OFF_GRAMMAR, TOO_LONG, FAILED,
    BROKEN_LINE, UNKNOWN_ID,
)  # fmt: skip
"""Why a generator gives an empty string; whether an answer is true is judged elsewhere."""


@dataclass
class Usage:
    """Sums over every call of one generator.

    Attributes:
        n_asked: prompts, equal ones each.
        tokens_in: tokens of the prompts; what was computed once for many counts for each of them.
        tokens_out: tokens of the answers, forced ones among them.
        seconds: wall time.
        dropped: prompts without a valid answer, by reason.
        unanswered: prompts that nobody answered yet (late, out of reach, in a batch file): what
            stands in for them is for this night, and a later one asks again.
    """

    n_asked: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)
    unanswered: set[Hashable] = field(default_factory=set)

    def drop(self, reason: str) -> str:
        """Count one answer as dropped; returns the empty string that stands for it."""
        self.dropped[reason] += 1
        return ""
