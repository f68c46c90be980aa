from collections import Counter
from typing import Any

import pandas as pd
import pytest

from vidrec_tasks.contracts.rejects import no_rejects
from vidrec_tasks.evaluation.gates import Gate, Volume, evaluate_gates, failed, in_words
from vidrec_tasks.evaluation.list_counts import ListCounts
from vidrec_tasks.evaluation.list_shape import ListShape
from vidrec_tasks.settings import EvaluationSettings, RecommendingSettings, Settings

GOOD = ListCounts(n_rows=200, n_active=100, n_listed=100)
SPREAD = ListShape(Counter({f"v{n}": 2 for n in range(100)}), 20, 200, 100, 20)
"""20 users with 10 rows each; half of the rows of the night before are gone."""
MEASURED = {
    "champion": {
        "ndcg@10": 0.1,
        "ratio": {"value": 0.9, "low": 0.8, "high": 0.95, "n_users": 90.0},
        "segments": {"1-4 videos": {"value": 0.9, "low": 0.8, "high": 1.0, "n_users": 60.0}},
    },
    "scorer_ratio": {"value": 1.1, "low": 1.0, "high": 1.2, "n_users": 90.0},
    "claim_precision": 1.0,
    "index_recall": 0.99,
}


def evaluate(counts: ListCounts = GOOD, **changed: Any) -> dict[str, Gate]:
    world = {
        "metrics": MEASURED,
        "similar": pd.DataFrame({"video_id": "v1", "rank": [1, 2],
                                 "similar_video_id": ["v2", "v3"]}),
        "fallbacks": pd.DataFrame({"segment": ["__default__", "region:CH"], "rank": 1,
                                   "video_id": ["v1", "v3"]}),
        "videos": pd.DataFrame({"video_id": ["v1", "v2", "v3"], "age_rating": [0, 0, 6],
                                "regions": [[], ["CH"], []]}),
        "rejects": no_rejects(),
        "settings": Settings(evaluation=EvaluationSettings(min_list_share=0.9)),
        "shape": SPREAD, "n_visible": 200, "volume": Volume(1.1, 1.0, 0.0),
        **changed,
    }  # fmt: skip
    metrics = world.pop("metrics")
    return {gate.name: gate for gate in evaluate_gates(counts, metrics, **world)}


def failing(gates: dict[str, Gate]) -> list[str]:
    return [gate.name for gate in failed(gates.values())]


def test_a_good_night_passes_and_every_gate_was_measured() -> None:
    gates = evaluate()
    assert failing(gates) == []
    assert all(gate.value is not None for gate in gates.values())


@pytest.mark.parametrize(
    ("counts", "name"),
    [
        (ListCounts(n_active=100, n_listed=80), "list_share"),
        (ListCounts(n_repeated=1), "repeated_rows"),
        (ListCounts(n_seen=1), "seen_videos"),
        (ListCounts(n_expired=1), "expired_videos"),
        (ListCounts(n_inactive=1), "inactive_videos"),
        (ListCounts(n_barred=1), "barred_videos"),
        (ListCounts(n_near_duplicates=1), "near_duplicates"),
        (ListCounts(n_wrong_sums=1), "wrong_sums"),
        (ListCounts(n_gaps=1), "rank_gaps"),
    ],
)
def test_each_count_has_its_gate(counts: ListCounts, name: str) -> None:
    assert failing(evaluate(counts)) == [name]


def test_users_who_saw_all_count_as_served() -> None:
    assert failing(evaluate(ListCounts(n_active=100, n_listed=80, n_exhausted=10))) == []


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ({"claim_precision": 0.999}, "claim_precision"),
        ({"index_recall": 0.94}, "index_recall"),
        ({"champion": {"ratio": {"high": 0.89, "n_users": 20.0}}}, "ndcg_drop"),
        (
            {
                "champion": {
                    "ratio": {"high": 1.0, "n_users": 90.0},
                    "segments": {"a": {"high": 0.8, "n_users": 50.0}, "b": {}},
                }
            },
            "ndcg_drop_segment",
        ),
        ({"scorer_ratio": {"high": 0.8, "n_users": 20.0}}, "scorer_drop"),
    ],
)
def test_each_measure_has_its_gate(metrics: dict[str, Any], name: str) -> None:
    assert failing(evaluate(metrics={**MEASURED, **metrics})) == [name]


def test_a_better_night_than_the_champion_passes() -> None:
    champion = {"ratio": {"value": 1.5, "low": 1.2, "high": 1.9, "n_users": 90.0}}
    gate = evaluate(metrics={**MEASURED, "champion": champion})["ndcg_drop"]
    assert gate.passed
    assert gate.value == pytest.approx(-0.9)


def test_a_drop_that_may_be_chance_passes() -> None:
    champion = {"ratio": {"value": 0.5, "low": 0.1, "high": 0.95, "n_users": 90.0}}
    assert failing(evaluate(metrics={**MEASURED, "champion": champion})) == []


def test_a_scorer_that_was_asked_for_is_not_held_against_the_others() -> None:
    asked = Settings(recommending=RecommendingSettings(scorer="dot"))
    metrics = {**MEASURED, "scorer_ratio": {"high": 0.2}}
    gate = evaluate(metrics=metrics, settings=asked)["scorer_drop"]
    assert (gate.value, gate.passed) == (None, True)
    assert "the setting names the scorer" in gate.meaning


@pytest.mark.parametrize(
    ("missing", "name", "said"),
    [
        ("champion", "ndcg_drop", "there is no champion"),
        ("champion", "ndcg_drop_segment", "there is no champion"),
        ("scorer_ratio", "scorer_drop", "fewer than 20 users were measured"),
        ("claim_precision", "claim_precision", "no claim"),
        ("index_recall", "index_recall", "no index"),
    ],
)
def test_what_was_not_measured_is_said_and_stands_for_no_number(
    missing: str, name: str, said: str
) -> None:
    metrics = {key: value for key, value in MEASURED.items() if key != missing}
    gate = evaluate(metrics=metrics)[name]
    assert (gate.value, gate.passed) == (None, True)
    assert gate.meaning.startswith(f"Not applicable: {said}")


@pytest.mark.parametrize(
    ("counts", "metrics", "name"),
    [
        (ListCounts(n_active=19), {}, "list_share"),
        (GOOD, {"champion": {"ratio": {"high": 0.1, "n_users": 19.0}}}, "ndcg_drop"),
        (GOOD, {"scorer_ratio": {"high": 0.1, "n_users": 1.0}}, "scorer_drop"),
    ],
)
def test_too_few_users_say_nothing(counts: ListCounts, metrics: dict[str, Any], name: str) -> None:
    gate = evaluate(counts, metrics={**MEASURED, **metrics})[name]
    assert (gate.value, gate.passed) == (None, True)
    assert "fewer than 20 users" in gate.meaning


@pytest.mark.parametrize(
    ("volume", "name", "step"),
    [
        (Volume(0.49, 1.0, 0.0), "events_kept", "INTERACTIONS_ARE=increment"),
        (Volume(1.0, 0.2, 0.0), "users_kept", "INTERACTIONS_ARE=increment"),
        (Volume(1.0, 1.0, 0.67), "videos_gone", "VIDEOS_ARE=increment"),
    ],
)
def test_inputs_that_lost_half_are_refused_with_the_next_step(
    volume: Volume, name: str, step: str
) -> None:
    gates = evaluate(volume=volume)
    assert failing(gates) == [name]
    assert step in gates[name].next_step


def test_a_first_night_has_no_volume_to_compare_with() -> None:
    gates = evaluate(volume=None)
    assert {gates[n].value for n in ("events_kept", "users_kept", "videos_gone")} == {None}


def test_where_nothing_is_visible_no_default_list_is_asked_for() -> None:
    none = pd.DataFrame({"segment": pd.Series(dtype=str), "rank": pd.Series(dtype="int64"),
                         "video_id": pd.Series(dtype=str)})  # fmt: skip
    assert evaluate(fallbacks=none, n_visible=0)["default_list"].value is None
    assert failing(evaluate(fallbacks=none, n_visible=1)) == ["default_list"]


def test_a_catalogue_without_users_has_no_share_of_lists() -> None:
    assert evaluate(ListCounts())["list_share"].value is None


@pytest.mark.parametrize(
    ("fallbacks", "names"),
    [
        ({"segment": ["region:CH"], "rank": 1, "video_id": "v1"}, ["default_list"]),
        ({"segment": ["__default__"], "rank": 1, "video_id": "v2"}, ["default_not_for_all"]),
        ({"segment": ["__default__"], "rank": 1, "video_id": "v3"}, ["default_not_for_all"]),
        ({"segment": ["__default__"], "rank": 2, "video_id": "v1"}, ["fallback_gaps"]),
    ],
)
def test_everybodys_list_is_there_and_for_everybody(
    fallbacks: dict[str, Any], names: list[str]
) -> None:
    assert failing(evaluate(fallbacks=pd.DataFrame(fallbacks))) == names


def test_no_list_for_everybody_is_asked_of_a_catalogue_that_has_none() -> None:
    videos = pd.DataFrame({"video_id": ["v1", "v2", "v3"], "age_rating": 18, "regions": [[]] * 3})
    none = pd.DataFrame({"segment": pd.Series(dtype=str), "rank": pd.Series(dtype="int64"),
                         "video_id": pd.Series(dtype=str)})  # fmt: skip
    assert evaluate(fallbacks=none, videos=videos)["default_list"].value is None


@pytest.mark.parametrize("similar_id", ["v1", "v9"])
def test_a_video_is_not_similar_to_itself_or_to_nothing(similar_id: str) -> None:
    similar = pd.DataFrame({"video_id": ["v1"], "rank": 1, "similar_video_id": similar_id})
    assert failing(evaluate(similar=similar)) == ["similar_wrong"]


def test_a_reject_without_a_reason_stops_the_night() -> None:
    rejects = pd.DataFrame({"table": ["users"], "row_num": 1, "reason": "", "sample": "x"})
    assert failing(evaluate(rejects=rejects)) == ["rejects_without_reason"]


def test_a_gate_in_words_has_its_numbers() -> None:
    gate = evaluate(metrics={**MEASURED, "claim_precision": 0.98765})["claim_precision"]
    assert in_words(gate) == "claim_precision 0.9877 (at least 1)"


def test_a_gate_is_json() -> None:
    assert evaluate()["list_share"].to_json() == {
        "name": "list_share", "value": 1.0, "bound": 0.9, "direction": "at_least", "passed": True,
        "meaning": "Active users with a list, or who have watched all there is.",
        "next_step": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        (ListShape(Counter({f"v{n}": 20 for n in range(10)}), 20), "user_overlap"),
        (ListShape(SPREAD.videos, 20, 200, 3, 20), "churn"),
    ],
)
def test_each_shape_has_its_gate(shape: ListShape, name: str) -> None:
    assert failing(evaluate(shape=shape)) == [name]


def test_bounds_of_top_share_and_coverage_are_settings() -> None:
    strict = EvaluationSettings(max_top_share=0.01, min_list_coverage=0.6)
    assert failing(evaluate(settings=Settings(evaluation=strict))) == [
        "list_coverage", "top_share",
    ]  # fmt: skip


def test_a_small_world_is_not_asked_to_vary() -> None:
    gates = evaluate(shape=ListShape(Counter({"v1": 3}), 3), n_visible=1)
    names = ("list_coverage", "top_share", "user_overlap", "churn")
    assert [gates[name].value for name in names] == [None] * 4
