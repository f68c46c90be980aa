"""Worth: the sentence that the report begins with."""

import subprocess
import sys
from typing import Any

import pytest

from vidrec_tasks.evaluation.baselines import BASELINES
from vidrec_tasks.evaluation.worth import WORDS, say_lift_of_words, say_night, say_worth

NDCG = {"ndcg@10.served": {"value": 0.1421, "low": 0.13, "high": 0.15, "n_users": 2000.0}}
RATIO = {"value": 1.121, "low": 1.042, "high": 1.208, "n_users": 2000.0}


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (
            {**NDCG, "lift": {"best": "popular_3d", "ndcg@10": RATIO}},
            "Served lists: NDCG@10 0.142, 1.12 times [1.04, 1.21] the best simple list (most liked "
            "of the last 3 days), 2,000 users.",
        ),
        (
            {**NDCG, "lift": {"best": "a_later_one", "ndcg@10": RATIO}},
            "Served lists: NDCG@10 0.142, 1.12 times [1.04, 1.21] the best simple list "
            "(a_later_one), 2,000 users.",
        ),
        (
            {**NDCG, "lift": {"best": "item_knn"}},
            "Served lists: NDCG@10 0.142, 2,000 users; the simple lists found nothing to compare "
            "with.",
        ),
        (NDCG, "Served lists: NDCG@10 0.142, 2,000 users; the simple lists were not measured."),
        (
            {"ndcg@10.served": {"value": 0.5, "n_users": 1.0}},
            "Served lists: NDCG@10 0.500, 1 user; the simple lists were not measured.",
        ),
        (
            {**NDCG, "holdout_days": 17.0},
            "Served lists: NDCG@10 0.142, 2,000 users over the last 17 days; the simple lists were "
            "not measured.",
        ),
        (
            {**NDCG, "holdout_days": 1.0, "lift": {"best": "popular_3d", "ndcg@10": RATIO}},
            "Served lists: NDCG@10 0.142, 1.12 times [1.04, 1.21] the best simple list (most liked "
            "of the last 3 days), 2,000 users over the last day.",
        ),
        (
            {"coverage": 0.5},
            "Served lists: not measured, as no user liked a new video in the held-out days.",
        ),
        ({}, ""),
    ],
)
def test_the_worth_of_a_night_is_one_sentence(metrics: dict[str, Any], expected: str) -> None:
    assert say_worth(metrics) == expected


def test_every_simple_list_has_words() -> None:
    assert tuple(WORDS) == BASELINES


def test_the_sentence_needs_no_model() -> None:
    code = "import sys, vidrec_tasks.evaluation.worth; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


LIFT = {"value": 0.0012, "low": -0.0004, "high": 0.003, "n_users": 1200.0}


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({}, ""),
        ({"llm_lift": None}, ""),
        (
            {"llm_lift": LIFT},
            "Portraits in ranking: +0.0012 [-0.0004, +0.0030] NDCG@10 of the candidates, 1,200 "
            "users.",
        ),
        (
            {"llm_lift": LIFT, "relevance_weight": 0.0},
            "Portraits in ranking: +0.0012 [-0.0004, +0.0030] NDCG@10 of the candidates, 1,200 "
            "users.",
        ),
        (
            {"llm_lift": LIFT, "relevance_weight": 0.4},
            "Portraits and the model's relevance in ranking: +0.0012 [-0.0004, +0.0030] NDCG@10 of "
            "the candidates, 1,200 users.",
        ),
    ],
)
def test_what_words_add_is_said_where_it_was_measured(
    metrics: dict[str, Any], expected: str
) -> None:
    assert say_lift_of_words(metrics) == expected
    assert say_night(metrics) == " ".join(filter(None, (say_worth(metrics), expected)))
