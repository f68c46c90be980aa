"""Gates: what must hold of a night before its lists are shown, each with its number and bound.

A gate that has nothing to be measured on says so and passes; it never stands for a number that was
not measured. Leaves counting to `list_counts`, and what follows to the job.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, Literal

import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    DEFAULT_SEGMENT,
    REASON,
    REGIONS,
    SEGMENT,
    SIMILAR_VIDEO_ID,
    VIDEO_ID,
)
from vidrec_tasks.evaluation.list_counts import ListCounts, count_gaps
from vidrec_tasks.evaluation.list_shape import ListShape
from vidrec_tasks.settings import EvaluationSettings, Settings

Direction = Literal["at_least", "at_most"]

NOT_APPLICABLE: Final = "Not applicable: "

CLAIM_PRECISION: Final = "claim_precision"
INDEX_RECALL: Final = "index_recall"
CHAMPION: Final = "champion"
SCORER_RATIO: Final = "scorer_ratio"


@dataclass(frozen=True)
class Volume:
    """Tonight's inputs beside those of the last published night.

    Attributes:
        events, users: what is there tonight, as a share of then; None: nothing to compare with.
        videos_gone: share of the videos of then that are not there tonight.
    """

    events: float | None = None
    users: float | None = None
    videos_gone: float | None = None


@dataclass(frozen=True)
class Gate:
    """One thing that must hold.

    Attributes:
        name: its word.
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


def evaluate_gates(
    counts: ListCounts,
    metrics: Mapping[str, Any],
    *,
    similar: pd.DataFrame,
    fallbacks: pd.DataFrame,
    videos: pd.DataFrame,
    rejects: pd.DataFrame,
    settings: Settings,
    shape: ListShape | None = None,
    n_visible: int = 0,
    volume: Volume | None = None,
) -> list[Gate]:
    """Hold a night against its bounds.

    Args:
        counts: of all user shards.
        metrics: name -> number (or a dict with ``value``); read are ``champion`` and
            ``scorer_ratio`` (see `comparing`), ``claim_precision`` and ``index_recall``; each may
            be absent.
        similar: video_id, rank, similar_video_id.
        fallbacks: segment, rank, video_id.
        videos: the catalogue of the night.
        rejects: table, row_num, reason.
        settings: the bounds.
        shape: of all user shards; None: not measured.
        n_visible: videos of the catalogue that are active and not expired.
        volume: tonight's inputs beside those of the night before; None: there is none.

    Returns:
        The gates, in the order of reading.
    """
    return [
        *_volume_gates(volume, settings.evaluation.max_input_drop),
        *_list_gates(counts, settings.evaluation),
        *_shape_gates(shape or ListShape(), n_visible, settings),
        *_measured_gates(metrics, settings),
        *_other_gates(similar, fallbacks, videos, rejects, n_visible),
    ]


def failed(gates: Iterable[Gate]) -> list[Gate]:
    """The gates that did not pass."""
    return [gate for gate in gates if not gate.passed]


def in_words(gate: Gate) -> str:
    """A gate with its numbers: ``claim_precision 0.982 (at least 1)``."""
    value = "not measured" if gate.value is None else f"{gate.value:.4g}"
    return f"{gate.name} {value} ({gate.direction.replace('_', ' ')} {gate.bound:.4g})"


def metric(metrics: Mapping[str, Any], name: str) -> float | None:
    """A metric as a number, if it was measured."""
    value = metrics.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None or value != value:
        return None
    return float(value)


_WHOLE: Final = (
    "if the files hold only what is new, set VIDREC_INPUTS__{name}_ARE=increment; if the export "
    "was cut off, export it again and run the night with --refresh; if it is right, approve the "
    "run or raise VIDREC_EVALUATION__MAX_INPUT_DROP"
)


def _volume_gates(volume: Volume | None, max_drop: float) -> list[Gate]:
    volume = volume or Volume()
    events, videos = (_WHOLE.format(name=name) for name in ("INTERACTIONS", "VIDEOS"))
    of_last = "of those of the last published night."
    none = "no earlier night to compare with"
    return [
        _at_least("events_kept", volume.events, 1 - max_drop,
                  f"Events that could be used, as a share {of_last}", none, events),
        _at_least("users_kept", volume.users, 1 - max_drop,
                  f"Users with such an event, as a share {of_last}", none, events),
        _at_most("videos_gone", volume.videos_gone, max_drop,
                 f"Videos that left the catalogue, as a share {of_last}", none, videos),
    ]  # fmt: skip


def _list_gates(counts: ListCounts, bounds: EvaluationSettings) -> list[Gate]:
    is_telling = counts.n_active >= bounds.min_gate_users
    served = (counts.n_listed + counts.n_exhausted) / counts.n_active if is_telling else None
    wrong = {
        "repeated_rows": (counts.n_repeated, "Rows that repeat a user's video or rank."),
        "seen_videos": (counts.n_seen, "Rows with a video that the user watched already."),
        "expired_videos": (counts.n_expired, "Rows with a video past its expiry."),
        "inactive_videos": (counts.n_inactive, "Rows with a video that is not active or unknown."),
        "barred_videos": (counts.n_barred, "Rows against a user's region, age or opt-out."),
        "near_duplicates": (counts.n_near_duplicates, "Rows like an earlier one of the list."),
        "wrong_sums": (counts.n_wrong_sums, "Rows whose score components do not sum to it."),
        "rank_gaps": (counts.n_gaps, "Users whose ranks are not 1, 2, … up to n."),
    }
    return [
        _at_least(
            "list_share", served, bounds.min_list_share,
            "Active users with a list, or who have watched all there is.",
            f"fewer than {bounds.min_gate_users} users are active",
        ),
        *(_none(name, n, meaning) for name, (n, meaning) in wrong.items()),
    ]  # fmt: skip


def _shape_gates(shape: ListShape, n_visible: int, settings: Settings) -> list[Gate]:
    bounds = settings.evaluation
    is_telling = shape.is_telling(n_visible, settings.recommending.n)
    few = "too few users or videos for lists to differ"
    no_night_before = "too few users had a list the night before"
    return [
        _at_least(
            "list_coverage", shape.coverage(n_visible) if is_telling else None,
            bounds.min_list_coverage, "Videos in any list, of those that could be.", few,
        ),
        _at_most(
            "top_share", shape.top_share(n_visible) if is_telling else None,
            bounds.max_top_share, "Share of rows that the most listed 1% of videos take.", few,
        ),
        _at_most(
            "user_overlap", shape.overlap() if is_telling else None,
            bounds.max_user_overlap, "Share of a list that two users have in common.", few,
        ),
        _at_most(
            "churn", shape.churn() if is_telling else None,
            bounds.max_churn, "Share of the rows of the night before that are gone.",
            no_night_before if is_telling else few,
        ),
    ]  # fmt: skip


def _measured_gates(metrics: Mapping[str, Any], settings: Settings) -> list[Gate]:
    return [
        _at_least(
            "claim_precision",
            metric(metrics, CLAIM_PRECISION),
            settings.evaluation.min_claim_precision,
            "True claims among all that explanations make.",
            "no claim was made",
        ),
        _at_least(
            "index_recall",
            metric(metrics, INDEX_RECALL),
            settings.content.min_index_recall,
            "Neighbours that the index finds among the true ones.",
            "no index was measured",
        ),
        *_comparisons(metrics, settings),
    ]


def _comparisons(metrics: Mapping[str, Any], settings: Settings) -> list[Gate]:
    """What was lost beyond doubt: one less the upper end of the ratio's 95% interval."""
    bound, least = settings.evaluation.max_ndcg_drop, settings.evaluation.min_gate_users
    champion = metrics.get(CHAMPION, {})
    segments = [_sure_drop(ratio, least) for ratio in champion.get("segments", {}).values()]
    worst = max((drop for drop in segments if drop is not None), default=None)
    is_asked_for = settings.recommending.scorer != "auto"
    scorer = None if is_asked_for else _sure_drop(metrics.get(SCORER_RATIO, {}), least)
    few = f"fewer than {least} users were measured"
    why_not = "the setting names the scorer" if is_asked_for else few
    no_champion = few if champion else "there is no champion to compare with"
    return [
        _at_most(
            "ndcg_drop", _sure_drop(champion.get("ratio", {}), least), bound,
            "NDCG@10 lost beyond doubt (95%) against the last night's configuration, as a share.",
            no_champion,
        ),
        _at_most(
            "ndcg_drop_segment", worst, bound,
            "The same in the segment of users that lost most.", no_champion,
        ),
        _at_most(
            "scorer_drop", scorer, bound,
            "NDCG@10 that the serving scorer lost beyond doubt (95%) against the best other.",
            why_not,
        ),
    ]  # fmt: skip


def _sure_drop(ratio: Mapping[str, float], min_users: int) -> float | None:
    """What was lost beyond doubt; None: of too few users to say anything."""
    high = ratio.get("high")
    return None if high is None or ratio.get("n_users", 0) < min_users else 1 - high


def _other_gates(
    similar: pd.DataFrame,
    fallbacks: pd.DataFrame,
    videos: pd.DataFrame,
    rejects: pd.DataFrame,
    n_visible: int,
) -> list[Gate]:
    default = fallbacks[fallbacks[SEGMENT] == DEFAULT_SEGMENT]
    for_all = _for_all(videos)
    can_be = n_visible > 0 and len(for_all) > 0
    n_default = float(len(default)) if len(default) or can_be else None
    n_not_for_all = int((~default[VIDEO_ID].isin(for_all)).sum())
    itself = similar[VIDEO_ID] == similar[SIMILAR_VIDEO_ID]
    unknown = ~similar[SIMILAR_VIDEO_ID].isin(videos[VIDEO_ID])
    n_similar_wrong = int((itself | unknown).sum()) + count_gaps(similar, VIDEO_ID)
    nameless = rejects[REASON].fillna("") == ""
    return [
        _at_least("default_list", n_default, 1.0,
                  "Rows of the list for readers who know nothing of the user.",
                  "no visible video is for every region and age"),
        _none("default_not_for_all", n_not_for_all,
              "Rows of that list that are not for every region and age."),
        _none("fallback_gaps", count_gaps(fallbacks, SEGMENT), "Segments whose ranks have gaps."),
        _none("similar_wrong", n_similar_wrong,
              "Similar videos that are the video itself, unknown, or out of rank."),
        _none("rejects_without_reason", int(nameless.sum()), "Rows rejected without a reason."),
    ]  # fmt: skip


def _for_all(videos: pd.DataFrame) -> pd.Series:
    """The videos for every region and age."""
    everywhere = videos[REGIONS].map(len) == 0
    return videos.loc[everywhere & (videos[AGE_RATING] <= 0), VIDEO_ID]


def _none(name: str, n_wrong: int, meaning: str) -> Gate:
    return _at_most(name, float(n_wrong), 0.0, meaning)


def _gate(
    direction: Direction,
    name: str,
    value: float | None,
    bound: float,
    meaning: str,
    absent: str = "",
    next_step: str = "",
) -> Gate:
    if value is None:
        return Gate(name, None, bound, direction, True, f"{NOT_APPLICABLE}{absent}. {meaning}")
    passed = value >= bound if direction == "at_least" else value <= bound
    return Gate(name, value, bound, direction, passed, meaning, next_step)


_at_least = partial(_gate, "at_least")
_at_most = partial(_gate, "at_most")
