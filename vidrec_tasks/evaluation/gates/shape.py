"""Shape: that lists are not all the same, and are not all other than the night before."""

from typing import Final

from vidrec_tasks.evaluation.gates.evidence import Evidence
from vidrec_tasks.evaluation.gates.gate import Gate

_FEW: Final = "too few users or videos for lists to differ"


def _why_no_churn(night: Evidence) -> str:
    return "too few users had a list the night before" if night.is_varied else _FEW


SHAPE_GATES: Final = (
    Gate(
        "list_coverage", "at_least",
        measure=lambda night: night.shape.coverage(night.n_visible) if night.is_varied else None,
        bound=lambda settings: settings.evaluation.min_list_coverage,
        formula="different videos in all lists / min(visible videos, rows); unlike the metric "
                "coverage, over what rows allow",
        meaning="Videos in any list, of those that could be.",
        absent=_FEW,
    ),
    Gate(
        "top_share", "at_most",
        measure=lambda night: night.shape.top_share(night.n_visible) if night.is_varied else None,
        bound=lambda settings: settings.evaluation.max_top_share,
        formula="rows of the most listed 1% of visible videos / rows",
        meaning="Share of rows that the most listed 1% of videos take.",
        absent=_FEW,
    ),
    Gate(
        "user_overlap", "at_most",
        measure=lambda night: night.shape.overlap() if night.is_varied else None,
        bound=lambda settings: settings.evaluation.max_user_overlap,
        formula="mean number of shared videos over all pairs of users / mean length of a list; "
                "unlike the metric user_overlap, exact and no Jaccard similarity",
        meaning="Share of a list that two users have in common.",
        absent=_FEW,
    ),
    Gate(
        "churn", "at_most",
        measure=lambda night: night.shape.churn() if night.is_varied else None,
        bound=lambda settings: settings.evaluation.max_churn,
        formula="1 - rows of last night's lists that stand in tonight's / those rows, of users "
                "with a list on both nights",
        meaning="Share of the rows of the night before that are gone.",
        absent=_why_no_churn,
    ),
)  # fmt: skip
