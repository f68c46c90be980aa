"""Composing: which of the reasons that hold for a row are given, in one sentence or two.

The first sentence says what the score came from; a second one adds what else is true. Within a list
the same kind of reason and the same cited video give way to others that weigh as much.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vidrec_tasks.recommending.explaining.explanation_facts import Facts
from vidrec_tasks.recommending.explaining.explanation_reasons import REASONS, Reason, Row
from vidrec_tasks.recommending.explaining.explanation_templates import THAT
from vidrec_tasks.recommending.reason_codes import (
    BECAUSE_YOU_WATCHED,
    BY_CREATOR,
    LIKED_BY_OTHERS,
    MATCHES_TOPIC,
    NEW_FOR_YOU,
    NEW_VIDEO,
    POPULAR_NOW,
)

COMPARABLE: Final = 0.5
"""Support, as a share of the strongest, from which a reason may stand in for it."""
AGAIN: Final = 0.75
"""What a reason counts for each time that a list gave its kind before."""
NAMED_AGAIN: Final = 0.5
"""What a reason counts for each time that a list named its video before."""

ADDED: Final = (LIKED_BY_OTHERS, MATCHES_TOPIC, BY_CREATOR, POPULAR_NOW, NEW_VIDEO)
"""What a second sentence may add; of those given equally often in a list the first.

In this order readers value them: 2,536 reasons that were rated by the people they were given to.
"""


@dataclass(frozen=True)
class Found:
    """A reason that holds for a row.

    Attributes:
        code: its reason code.
        reason: what it says.
        component: the part of the score that speaks for it; empty for none.
        support: of that part, times that of the reason; infinite where a row is what it is for.
    """

    code: str
    reason: Reason
    component: str
    support: float


@dataclass
class Told:
    """What the explanations of one list have said so far."""

    codes: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    cited: Counter[str] = field(default_factory=Counter)

    def freshness(self, found: Found) -> float:
        """1 for what was not said yet, less each time that it was."""
        cited = self.cited[found.reason.evidence.get("cited", "")]
        return float(AGAIN ** self.codes[found.code] * NAMED_AGAIN**cited)


@dataclass(frozen=True)
class Composed:
    """The explanation of a row before it is worded.

    Attributes:
        first: what the score came from.
        second: what is true beside it, if anything is.
    """

    first: Found
    second: Found | None

    @property
    def evidence(self) -> dict[str, Any]:
        """That of the first sentence; that of the second as ``also``."""
        component = {"component": self.first.component} if self.first.component else {}
        also = (
            {"also": {"reason": self.second.code, **self.second.reason.evidence}}
            if self.second is not None
            else {}
        )
        return {**self.first.reason.evidence, **component, **also}


def compose(row: Row, order: Mapping[str, tuple[str, float]], facts: Facts, told: Told) -> Composed:
    """Choose what an explanation says, and remember that it was said.

    Args:
        row: what is explained.
        order: reason code -> the score part that speaks for it and its size, first to be given
            first.
        facts: what reasons rest on.
        told: what the rows above said.
    """
    found = list(_all(row, order, facts))
    # a list with a watched video in it broke the rules; its plain sentence then fails the check
    plain = Found(NEW_FOR_YOU, Reason(NEW_FOR_YOU, {"n_watched": 0}), "", 0.0)
    first = _choose(found, told) if found else plain
    second = _add(first, found, told)
    told.codes[first.code] += 1
    told.cited[first.reason.evidence.get("cited", "")] += "cited" in first.reason.evidence
    if second is not None:
        told.added[second.code] += 1
    return Composed(first, second)


def _all(row: Row, order: Mapping[str, tuple[str, float]], facts: Facts) -> Iterator[Found]:
    for code, (component, size) in order.items():
        for reason in REASONS[code](row, facts):
            support = size if math.isinf(size) else size * reason.support
            yield Found(code, reason, component, support)


def _choose(found: list[Found], told: Told) -> Found:
    """The strongest, or what weighs as much and was said less; of equals the first."""
    strongest = max(one.support for one in found)
    near = [one for one in found if one.support >= COMPARABLE * strongest]
    if math.isinf(strongest) or strongest == 0:
        return near[0]
    return max(near, key=lambda one: one.support * told.freshness(one))


def _add(first: Found, found: list[Found], told: Told) -> Found | None:
    """The kind that a list said least as a second sentence, about the video that was named."""
    known = {first.code, BECAUSE_YOU_WATCHED, NEW_FOR_YOU}
    topic = first.reason.evidence.get("topic")
    others = [
        one
        for one in found
        if one.code not in known
        and not (one.code == MATCHES_TOPIC and one.reason.evidence["topic"] == topic)
        and not (one.code == BY_CREATOR and "creator" in first.reason.evidence)
    ]
    if not others:
        return None
    code = min({one.code for one in others}, key=lambda c: (told.added[c], ADDED.index(c)))
    of_code = [one for one in others if one.code == code]
    cited = first.reason.evidence.get("cited")
    same = next(
        (one for one in of_code if cited and one.reason.evidence.get("cited") == cited), None
    )
    if same is None:
        return of_code[0]
    reason = replace(same.reason, template=same.reason.template + THAT)
    return replace(same, reason=reason)
