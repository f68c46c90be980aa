"""What relevance is worth: by judges who know what was liked, who guess, and who say one word."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from vidrec_tasks.columns import LOG_ODDS, MOMENT, RANK, SCORE, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.training.held_out_lists import (
    IS_RELEVANT,
    N_EVENTS,
    N_RELEVANT,
    NDCG_WITHOUT_WORDS,
    HeldOutLists,
)
from vidrec_tasks.recommending.training.relevance_weight import (
    MIN_JUDGED,
    learn_weight,
    rows_to_judge,
    users_in_turn,
)

N_USERS, N_ROWS, TOP = 120, 30, 20


@pytest.fixture(scope="module")
def lists() -> HeldOutLists:
    """Each user liked one candidate, anywhere in the ranking."""
    rng = np.random.default_rng(11)
    users = np.repeat([f"u{num:03}" for num in range(N_USERS)], N_ROWS)
    ranks = np.tile(np.arange(1, N_ROWS + 1), N_USERS)
    liked = np.repeat(rng.integers(1, N_ROWS + 1, N_USERS), N_ROWS)
    rows = pd.DataFrame(
        {
            USER_ID: users,
            VIDEO_ID: [f"v{rank}" for rank in ranks],
            RANK: ranks,
            SCORE: 3.0 - 0.1 * ranks,
            IS_RELEVANT: ranks == liked,
        }
    )
    people = pd.DataFrame(
        {
            USER_ID: sorted(set(users)),
            MOMENT: 1_000,
            N_EVENTS: rng.integers(3, 9, N_USERS),
            N_RELEVANT: 1,
            NDCG_WITHOUT_WORDS: 0.1,
        }
    )
    return HeldOutLists(people, rows)


def learn(lists: HeldOutLists, odds: npt.NDArray[np.float64], **more: Any) -> dict[str, Any]:
    judged = rows_to_judge(lists, top=TOP)[[USER_ID, VIDEO_ID]]
    return learn_weight(
        lists,
        judged.assign(**{LOG_ODDS: odds}),
        more.pop("considered", lists.users[USER_ID].tolist()),
        top=TOP, n_draws=500, seed=3,
    )  # fmt: skip


def test_only_users_whose_best_rows_hold_what_they_liked_are_asked_about(
    lists: HeldOutLists,
) -> None:
    rows = rows_to_judge(lists, top=TOP)
    assert rows[RANK].max() == TOP
    assert rows.groupby(USER_ID)[IS_RELEVANT].sum().eq(1).all()
    hits = lists.rows[lists.rows[IS_RELEVANT] & (lists.rows[RANK] <= TOP)]
    assert set(rows[USER_ID]) == set(hits[USER_ID])


def test_the_most_active_come_first(lists: HeldOutLists) -> None:
    turns = users_in_turn(lists)
    assert (np.diff(turns[N_EVENTS]) <= 0).all()


def test_a_judge_who_knows_what_was_liked_has_a_weight(lists: HeldOutLists) -> None:
    knows = rows_to_judge(lists, top=TOP)[IS_RELEVANT].to_numpy(float)
    learned = learn(lists, 4 * knows - 2)
    lift = learned["measured"]["relevance_lift"]
    assert learned["weight"] > 0
    assert 0 < lift["low"] < lift["value"]
    assert lift["n_users"] == N_USERS
    assert learned["measured"]["llm_lift"]["value"] > lift["value"] / 2


def test_a_judge_who_is_often_right_has_a_weight(lists: HeldOutLists) -> None:
    rng = np.random.default_rng(5)
    knows = rows_to_judge(lists, top=TOP)[IS_RELEVANT].to_numpy(float)
    learned = learn(lists, 2 * knows + rng.normal(size=len(knows)))
    assert learned["weight"] > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_judge_who_guesses_has_none(lists: HeldOutLists, seed: int) -> None:
    guesses = np.random.default_rng(seed).normal(size=len(rows_to_judge(lists, top=TOP)))
    learned = learn(lists, guesses)
    assert learned["weight"] == 0.0
    assert learned["measured"]["relevance_lift"]["low"] <= 0


def test_a_judge_who_is_always_wrong_has_none(lists: HeldOutLists) -> None:
    knows = rows_to_judge(lists, top=TOP)[IS_RELEVANT].to_numpy(float)
    assert learn(lists, -knows)["weight"] == 0.0


def test_a_judge_who_says_one_word_has_none(lists: HeldOutLists) -> None:
    learned = learn(lists, np.ones(len(rows_to_judge(lists, top=TOP))))
    assert learned["weight"] == 0.0
    assert "relevance_lift" not in learned["measured"]


def test_of_few_users_nothing_is_learned(lists: HeldOutLists) -> None:
    rows = rows_to_judge(lists, top=TOP)
    few = sorted(set(rows[USER_ID]))[: MIN_JUDGED - 1]
    learned = learn(lists, rows[IS_RELEVANT].to_numpy(float), considered=few)
    assert learned["weight"] == 0.0
    assert learned["measured"] == {"n_judged": MIN_JUDGED - 1.0}


def test_without_a_weight_the_lift_of_words_is_that_of_the_features_alone(
    lists: HeldOutLists,
) -> None:
    guesses = np.random.default_rng(0).normal(size=len(rows_to_judge(lists, top=TOP)))
    gains = np.where(lists.rows[IS_RELEVANT] & (lists.rows[RANK] <= 10),
                     1 / np.log2(1 + lists.rows[RANK]), 0)  # fmt: skip
    bare = gains.sum() / N_USERS
    measured = learn(lists, guesses)["measured"]["llm_lift"]
    assert measured["value"] == pytest.approx(bare - 0.1, abs=1e-6)
