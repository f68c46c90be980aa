"""Glossary: one term a metric, each with all that a reader asks for."""

import pytest

from vidrec_tasks.evaluation.glossary import SECTIONS, Term, term_of

TERMS = [term for terms in SECTIONS.values() for term in terms]


def test_no_two_terms_have_one_name() -> None:
    names = [term.name for term in TERMS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_is_whole(term: Term) -> None:
    assert all((term.formula, term.unit, term.source))


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ndcg@10.served", "ndcg@*"),
        ("replay.ndcg@10", "replay.*@10"),
        ("baseline.popular_7d.ndcg@10", "baseline.*.ndcg@10"),
        ("lift.ndcg@10", "lift.ndcg@10"),
        ("held_out.ndcg@10.dot", "held_out.ndcg@10.*"),
        ("blend.linear", "blend.*"),
        ("champion.ndcg@10", "champion.ndcg@10"),
        ("champion.ratio", "champion.ratio"),
        ("held_out.tower_gap", "held_out.tower_gap"),
        ("cold_recall@20", "cold_recall@20"),
    ],
)
def test_a_metric_has_the_term_that_speaks_of_it(name: str, pattern: str) -> None:
    term = term_of(name)
    assert term is not None
    assert term.name == pattern


def test_an_unknown_metric_has_none() -> None:
    assert term_of("happiness") is None
