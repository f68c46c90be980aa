"""Tables: what is published beside the lists of users, and what was rejected of the inputs."""

from typing import Final

from vidrec_tasks.columns import REASON, SEGMENT, SIMILAR_VIDEO_ID, VIDEO_ID
from vidrec_tasks.evaluation.gates.evidence import Evidence
from vidrec_tasks.evaluation.gates.gate import Gate, none_of
from vidrec_tasks.evaluation.list_counts import count_gaps


def _default_rows(night: Evidence) -> float | None:
    can_be = night.n_visible > 0 and len(night.for_all) > 0
    return float(len(night.default_list)) if len(night.default_list) or can_be else None


def _not_for_all(night: Evidence) -> int:
    return int((~night.default_list[VIDEO_ID].isin(night.for_all)).sum())


def _wrong_similar(night: Evidence) -> int:
    similar = night.similar
    itself = similar[VIDEO_ID] == similar[SIMILAR_VIDEO_ID]
    hidden = ~similar[SIMILAR_VIDEO_ID].isin(night.visible)
    return int((itself | hidden).sum()) + count_gaps(similar, VIDEO_ID)


def _hidden_fallbacks(night: Evidence) -> int:
    return int((~night.fallbacks[VIDEO_ID].isin(night.visible)).sum())


def _nameless(night: Evidence) -> int:
    return int((night.rejects[REASON].fillna("") == "").sum())


TABLE_GATES: Final = (
    Gate(
        "default_list", "at_least",
        measure=_default_rows,
        bound=lambda _: 1.0,
        formula="count of rows of the segment __default__",
        meaning="Rows of the list for readers who know nothing of the user.",
        absent="no visible video is for every region and age",
    ),
    none_of(
        "default_not_for_all", _not_for_all,
        formula="count of those rows with a region or an age rating",
        meaning="Rows of that list that are not for every region and age.",
    ),
    none_of(
        "fallback_gaps", lambda night: count_gaps(night.fallbacks, SEGMENT),
        formula="count of segments whose ranks are not 1..m",
        meaning="Segments whose ranks have gaps.",
    ),
    none_of(
        "fallback_hidden", _hidden_fallbacks,
        formula="count of rows with a video that is unknown, inactive or expired",
        meaning="Rows of fallback lists with a video that is not to be seen.",
    ),
    none_of(
        "similar_wrong", _wrong_similar,
        formula="count of rows with the video itself or one that is unknown, inactive or expired "
                "+ videos whose ranks are not 1..m",
        meaning="Similar videos that are the video itself, not to be seen, or out of rank.",
    ),
    none_of(
        "rejects_without_reason", _nameless,
        formula="count of rejects with an empty reason",
        meaning="Rows rejected without a reason.",
    ),
)  # fmt: skip
