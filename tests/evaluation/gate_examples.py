"""Worked examples of every gate: nights on which it fails, passes, or has nothing to measure.

A new gate is a new row of `EXAMPLES`; the suite in `test_gates.py` does the rest.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from vidrec_tasks.contracts.rejects import no_rejects
from vidrec_tasks.evaluation.gates import Evidence, Volume
from vidrec_tasks.evaluation.list_counts import ListCounts
from vidrec_tasks.evaluation.list_shape import ListShape
from vidrec_tasks.settings import EvaluationSettings, RecommendingSettings, Settings

Change = Mapping[str, Any]
"""Fields of `Evidence`, in place of those of `GOOD_NIGHT`."""

SPREAD = ListShape(Counter({f"v{n}": 2 for n in range(100)}), 20, 200, 100, 20)
"""20 users with 10 rows each; half of the rows of the night before are gone."""
TINY = {"shape": ListShape(Counter({"v1": 3}), 3), "visible": pd.Series(["v1", "v2", "v3"])}
MEASURED = {
    "champion": {
        "ndcg@10": 0.1,
        "ratio": {"value": 0.9, "low": 0.8, "high": 0.95, "n_users": 90.0},
        "segments": {"1-4 videos": {"value": 0.9, "low": 0.8, "high": 1.0, "n_users": 60.0}},
    },
    "scorer_ratio": {"value": 1.1, "low": 1.0, "high": 1.2, "n_users": 90.0},
    "lift": {
        "best": "item_knn",
        "ndcg@10": {"value": 1.1, "low": 1.0, "high": 1.2, "n_users": 90.0},
    },
    "claim_precision": 1.0,
    "portrait_claim_precision": 1.0,
    "index_recall": 0.99,
}
GOOD_NIGHT = Evidence(
    ListCounts(n_rows=200, n_active=100, n_listed=100),
    MEASURED,
    similar=pd.DataFrame({"video_id": "v1", "rank": [1, 2], "similar_video_id": ["v2", "v3"]}),
    fallbacks=pd.DataFrame({"segment": ["__default__", "region:CH"], "rank": 1,
                            "video_id": ["v1", "v3"]}),
    videos=pd.DataFrame({"video_id": ["v1", "v2", "v3"], "age_rating": [0, 0, 6],
                         "regions": [[], ["CH"], []]}),
    rejects=no_rejects(),
    settings=Settings(evaluation=EvaluationSettings(min_list_share=0.9)),
    shape=SPREAD, volume=Volume(1.1, 1.0, 0.0),
    visible=pd.Series([f"v{num}" for num in range(1, 201)]),
)  # fmt: skip
NO_ROWS = pd.DataFrame({"segment": pd.Series(dtype=str), "rank": pd.Series(dtype="int64"),
                        "video_id": pd.Series(dtype=str)})  # fmt: skip
FOR_ADULTS = pd.DataFrame(
    {"video_id": ["v1", "v2", "v3"], "age_rating": 18, "regions": [[], [], []]}
)


@dataclass(frozen=True)
class Examples:
    """Nights that a gate is tried on.

    Attributes:
        fails: on each this gate fails, and no other does.
        passes: on each it was measured and passes, as on `GOOD_NIGHT`.
        absent: on each there is nothing to measure it on; why, as the report says it.
    """

    fails: tuple[Change, ...]
    passes: tuple[Change, ...] = ()
    absent: tuple[tuple[str, Change], ...] = ()


def night(change: Change) -> Evidence:
    """`GOOD_NIGHT` with some of it changed."""
    return replace(GOOD_NIGHT, **change)


def counted(**n: int) -> Change:
    return {"counts": ListCounts(**n)}


def measured(**metrics: Any) -> Change:
    return {"metrics": {**MEASURED, **metrics}}


def without(metric: str) -> Change:
    return {"metrics": {name: value for name, value in MEASURED.items() if name != metric}}


def bounded(**bounds: float) -> Change:
    return {"settings": Settings(evaluation=EvaluationSettings(**bounds))}


def listed(segment: str, rank: int, video_id: str) -> Change:
    rows = {"segment": [segment], "rank": rank, "video_id": video_id}
    return {"fallbacks": pd.DataFrame(rows)}


def similar_to(video_id: str) -> Change:
    rows = {"video_id": ["v1"], "rank": 1, "similar_video_id": video_id}
    return {"similar": pd.DataFrame(rows)}


def ratio(high: float, n_users: float) -> dict[str, float]:
    return {"high": high, "n_users": n_users}


NO_VOLUME = ("no earlier night to compare with", {"volume": Volume()})
NO_VARIETY = ("too few users or videos for lists to differ", TINY)
NO_CHAMPION = ("there is no champion to compare with", without("champion"))
FEW_MEASURED = "fewer than 20 users were measured"

EXAMPLES: dict[str, Examples] = {
    "events_kept": Examples(
        fails=({"volume": Volume(0.49, 1.0, 0.0)},),
        passes=({"volume": Volume(0.5, 1.0, 0.0)},),
        absent=(NO_VOLUME,),
    ),
    "users_kept": Examples(fails=({"volume": Volume(1.0, 0.2, 0.0)},), absent=(NO_VOLUME,)),
    "videos_gone": Examples(fails=({"volume": Volume(1.0, 1.0, 0.67)},), absent=(NO_VOLUME,)),
    "list_share": Examples(
        fails=(counted(n_active=100, n_listed=80),),
        passes=(counted(n_active=100, n_listed=80, n_exhausted=10),),  # who saw all are served
        absent=(
            ("fewer than 20 users are active", counted(n_active=19)),
            ("fewer than 20 users are active", counted()),
        ),
    ),
    "repeated_rows": Examples(fails=(counted(n_repeated=1),)),
    "seen_videos": Examples(fails=(counted(n_seen=1),)),
    "expired_videos": Examples(fails=(counted(n_expired=1),)),
    "inactive_videos": Examples(fails=(counted(n_inactive=1),)),
    "barred_videos": Examples(fails=(counted(n_barred=1),)),
    "near_duplicates": Examples(fails=(counted(n_near_duplicates=1),)),
    "wrong_sums": Examples(fails=(counted(n_wrong_sums=1),)),
    "rank_gaps": Examples(fails=(counted(n_gaps=1),)),
    "list_coverage": Examples(fails=(bounded(min_list_coverage=0.6),), absent=(NO_VARIETY,)),
    "top_share": Examples(fails=(bounded(max_top_share=0.01),), absent=(NO_VARIETY,)),
    "user_overlap": Examples(
        fails=({"shape": ListShape(Counter({f"v{n}": 20 for n in range(10)}), 20)},),
        absent=(NO_VARIETY,),
    ),
    "churn": Examples(
        fails=({"shape": ListShape(SPREAD.videos, 20, 200, 3, 20)},),
        absent=(
            NO_VARIETY,
            ("too few users had a list the night before", {"shape": ListShape(SPREAD.videos, 20)}),
        ),
    ),
    "claim_precision": Examples(
        fails=(measured(claim_precision=0.999),),
        absent=(
            ("no claim was made", without("claim_precision")),
            ("no claim was made", measured(claim_precision=float("nan"))),
        ),
    ),
    "portrait_claim_precision": Examples(
        fails=(measured(portrait_claim_precision=0.999),),
        passes=(measured(portrait_claim_precision=1.0),),
        absent=(("no portrait made a claim", without("portrait_claim_precision")),),
    ),
    "index_recall": Examples(
        fails=(measured(index_recall=0.94),),
        absent=(("no index was measured", without("index_recall")),),
    ),
    "ndcg_drop": Examples(
        fails=(measured(champion={"ratio": ratio(0.89, 20.0)}),),
        passes=(
            # what may be chance is no drop, and a gain is none
            measured(champion={"ratio": {"value": 0.5, "low": 0.1, "high": 0.95, "n_users": 90.0}}),
            measured(champion={"ratio": {"value": 1.5, "low": 1.2, "high": 1.9, "n_users": 90.0}}),
        ),
        absent=(NO_CHAMPION, (FEW_MEASURED, measured(champion={"ratio": ratio(0.1, 19.0)}))),
    ),
    "ndcg_drop_segment": Examples(
        fails=(
            measured(champion={"ratio": ratio(1.0, 90.0),
                               "segments": {"a": ratio(0.8, 50.0), "b": {}}}),
        ),
        absent=(NO_CHAMPION, (FEW_MEASURED, measured(champion={"ratio": ratio(1.0, 90.0)}))),
    ),
    "scorer_drop": Examples(
        fails=(measured(scorer_ratio=ratio(0.8, 20.0)),),
        absent=(
            (FEW_MEASURED, without("scorer_ratio")),
            (FEW_MEASURED, measured(scorer_ratio=ratio(0.1, 1.0))),
            (
                "the setting names the scorer",
                {
                    **measured(scorer_ratio=ratio(0.2, 90.0)),
                    "settings": Settings(recommending=RecommendingSettings(scorer="dot")),
                },
            ),
        ),
    ),
    "lift_over_baseline": Examples(
        fails=(measured(lift={"best": "item_knn", "ndcg@10": ratio(0.99, 20.0)}),),
        passes=(
            # what may be chance is not worse
            measured(lift={"best": "item_knn", "ndcg@10": ratio(1.0, 20.0)}),
            {**measured(lift={"best": "item_knn", "ndcg@10": ratio(0.8, 90.0)}),
             **bounded(min_lift=0.8)},
        ),
        absent=(
            (FEW_MEASURED, without("lift")),
            (FEW_MEASURED, measured(lift={"best": "item_knn", "ndcg@10": ratio(0.1, 19.0)})),
            (
                "the simple lists found nothing to compare with",
                measured(lift={"best": "item_knn"}, evaluated_users=20.0),
            ),
        ),
    ),
    "default_list": Examples(
        fails=(listed("region:CH", 1, "v1"), {"fallbacks": NO_ROWS}),
        absent=(
            (
                "no visible video is for every region and age",
                {"fallbacks": NO_ROWS, "visible": pd.Series(dtype=str)},
            ),
            (
                "no visible video is for every region and age",
                {"fallbacks": NO_ROWS, "videos": FOR_ADULTS},
            ),
        ),
    ),
    "default_not_for_all": Examples(
        fails=(listed("__default__", 1, "v2"), listed("__default__", 1, "v3")),
    ),
    "fallback_gaps": Examples(fails=(listed("__default__", 2, "v1"),)),
    "fallback_hidden": Examples(
        fails=({"fallbacks": GOOD_NIGHT.fallbacks.assign(video_id=["v1", "v999"])},),
        passes=({"fallbacks": GOOD_NIGHT.fallbacks.assign(video_id=["v1", "v200"])},),
    ),
    "similar_wrong": Examples(
        fails=(
            similar_to("v1"),
            similar_to("v999"),
            {"similar": GOOD_NIGHT.similar.assign(rank=[1, 3])},
        ),
    ),
    "rejects_without_reason": Examples(
        fails=(
            {"rejects": pd.DataFrame({"table": ["users"], "row_num": 1, "reason": "",
                                      "sample": "x"})},
        ),
    ),
}  # fmt: skip
"""Gate -> nights that it is tried on."""
