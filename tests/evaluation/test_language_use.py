"""What a language model was asked, read from receipts as metrics."""

from vidrec_tasks.evaluation.glossary import term_of
from vidrec_tasks.evaluation.measures import Measure
from vidrec_tasks.evaluation.report_facts import language_use


def test_counts_of_all_jobs_that_asked_are_summed_and_have_a_term() -> None:
    asked = {"prompts": 2, "tokens_in": 30, "tokens_out": 4, "cost": 0.5, "dropped: cut": 1}
    receipts = [
        {"job": "build_profiles", "counts": {"users": 3, "prompts": 100}},
        {"job": "write_portraits", "counts": {**asked, "users": 3}},
        {"job": "write_portraits", "counts": {**asked, "dropped: late": 2}},
    ]
    found = language_use(receipts)
    assert found == [
        Measure("language.cost", 1.0),
        Measure("language.dropped: cut", 2.0),
        Measure("language.dropped: late", 2.0),
        Measure("language.prompts", 4.0),
        Measure("language.tokens_in", 60.0),
        Measure("language.tokens_out", 8.0),
    ]
    assert all(term_of(measure.name) is not None for measure in found)


def test_a_night_without_a_language_model_says_nothing_of_it() -> None:
    assert language_use([{"job": "build_profiles", "counts": {"users": 3}}]) == []
