import math

from vidrec_tasks.evaluation.measures import (
    Measure,
    by_scorer,
    main_metrics,
    measures_of,
    segments_of,
)

METRICS = {
    "coverage": 0.5,
    "ndcg@10.dot": {"value": 0.1, "low": 0.05, "high": 0.2, "n_users": 9.0},
    "ndcg@10.served": {"value": 0.3, "low": 0.2, "high": 0.4, "n_users": 9.0},
    "replay": {"ndcg@10": 0.2, "n_lists": 4.0},
    "segments": {"no history": {"ndcg@10": 0.1}},
    "absent": None,
    "unknown": math.nan,
    "word": "text",
}


def test_numbers_and_intervals_are_measures_and_words_are_not() -> None:
    assert measures_of(METRICS) == [
        Measure("coverage", 0.5),
        Measure("ndcg@10.dot", 0.1, 0.05, 0.2),
        Measure("ndcg@10.served", 0.3, 0.2, 0.4),
        Measure("replay.ndcg@10", 0.2),
        Measure("replay.n_lists", 4.0),
    ]


def test_segments_are_a_table_of_their_own() -> None:
    assert segments_of(METRICS) == {"no history": {"ndcg@10": 0.1}}
    assert segments_of({}) == {}


def test_metrics_of_lists_stand_side_by_side() -> None:
    scorers, table, others = by_scorer(measures_of(METRICS))
    assert scorers == ["dot", "served"]
    assert table["ndcg@10"]["served"].value == 0.3
    assert [measure.name for measure in others] == ["coverage", "replay.ndcg@10", "replay.n_lists"]


def test_what_was_served_is_looked_at_first() -> None:
    assert main_metrics(measures_of(METRICS), 3) == ["ndcg@10.served", "coverage", "ndcg@10.dot"]
