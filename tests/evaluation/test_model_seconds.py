"""Seconds of models, read from receipts as metrics."""

from vidrec_tasks.evaluation.glossary import term_of
from vidrec_tasks.evaluation.measures import Measure
from vidrec_tasks.evaluation.report_facts import model_seconds


def test_counts_of_receipts_that_are_seconds_become_metrics_with_a_term() -> None:
    receipts = [
        {"job": "build_profiles", "counts": {"users": 3}},
        {"job": "train_models", "counts": {"seconds.trees": 1.5, "seconds.linear": 2, "users": 3}},
    ]
    found = model_seconds(receipts)
    assert found == [Measure("seconds.linear", 2.0), Measure("seconds.trees", 1.5)]
    assert all(term_of(measure.name) is not None for measure in found)
    assert model_seconds([]) == []
