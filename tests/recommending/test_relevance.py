"""Relevance in a score: bounded, from the mean of a list, and nothing where nobody was asked."""

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.columns import LOG_ODDS, SCORE, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.lists.relevance import LIMIT, RELEVANCE, add_relevance
from vidrec_tasks.recommending.lists.score_parts import with_relevance

LEARNED = {"weight": 0.5, "spread": 2.0}


def ranked() -> pd.DataFrame:
    rows = [
        ("u2", "b", 3.0),
        ("u2", "a", 2.9),
        ("u2", "c", 2.8),
        ("u1", "a", 1.0),
        ("u1", "b", 0.9),
    ]
    return pd.DataFrame(rows, columns=[USER_ID, VIDEO_ID, SCORE]).assign(source="dot")


def judged(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[USER_ID, VIDEO_ID, LOG_ODDS])


def test_a_judged_row_moves_by_weight_and_spreads_from_the_mean() -> None:
    table = add_relevance(ranked(), judged(("u2", "b", -4.0), ("u2", "c", 0.0)), LEARNED)
    parts = table.set_index([USER_ID, VIDEO_ID])[RELEVANCE]
    assert parts["u2", "b"] == pytest.approx(-0.5)
    assert parts["u2", "c"] == pytest.approx(0.5)
    assert table[VIDEO_ID].tolist() == ["c", "a", "b", "a", "b"]
    assert table[SCORE].tolist() == pytest.approx([3.3, 2.9, 2.5, 1.0, 0.9])


def test_users_keep_their_order_and_rows_their_columns() -> None:
    table = add_relevance(ranked(), judged(("u1", "b", 9.0), ("u1", "a", -9.0)), LEARNED)
    assert table[USER_ID].tolist() == ranked()[USER_ID].tolist()
    assert table[VIDEO_ID].tolist() == ["b", "a", "c", "b", "a"]
    assert set(table.columns) == {*ranked().columns, RELEVANCE}


def test_no_answer_moves_a_row_further_than_the_limit() -> None:
    table = add_relevance(ranked(), judged(("u2", "b", -1e6), ("u2", "c", 1e6)), LEARNED)
    assert table[RELEVANCE].abs().max() == pytest.approx(0.5 * LIMIT)


@pytest.mark.parametrize(
    ("rows", "learned"),
    [(judged(), LEARNED), (judged(("u2", "c", 5.0), ("u2", "b", 0.0)), {**LEARNED, "weight": 0.0})],
)
def test_nothing_judged_or_worth_nothing_changes_nothing(
    rows: pd.DataFrame, learned: dict[str, float]
) -> None:
    table = add_relevance(ranked(), rows, learned)
    assert table.drop(columns=RELEVANCE).equals(ranked())
    assert (table[RELEVANCE] == 0).all()


def test_a_model_that_says_yes_to_everything_moves_nothing() -> None:
    table = add_relevance(ranked(), judged(("u2", "b", 7.0), ("u2", "c", 7.0)), LEARNED)
    assert table.drop(columns=RELEVANCE).equals(ranked())


def test_a_pair_that_is_no_longer_ranked_is_nothing() -> None:
    table = add_relevance(ranked(), judged(("u9", "x", 7.0), ("u9", "y", 1.0)), LEARNED)
    assert table.drop(columns=RELEVANCE).equals(ranked())


def test_parts_of_a_score_hold_what_was_added_and_no_zeros() -> None:
    parts = pd.Series([{"dot": 1.0}, {"dot": 2.0}], dtype=object)
    found = with_relevance(parts, pd.Series([0.25, 0.0]))
    assert found.tolist() == [{"dot": 1.0, RELEVANCE: 0.25}, {"dot": 2.0}]
    assert np.isclose(sum(found[0].values()), 1.25)
