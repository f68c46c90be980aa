"""The benchmark of relevance: rankings hold nothing that was met, and questions nothing later."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.language_relevance import _auc, rank
from tests.recommending import worlds
from vidrec_tasks.columns import LOG_ODDS, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.training.held_out import hold_out
from vidrec_tasks.recommending.training.held_out_lists import (
    IS_RELEVANT,
    N_KEPT,
    NDCG_WITHOUT_WORDS,
)


def test_ranked_films_are_new_for_their_user_and_hold_the_held_out_one() -> None:
    held = hold_out(worlds.histories(), seed=1)
    video_ids = worlds.content().video_ids
    lists = rank(held.train, held.asked, video_ids)
    assert lists.rows.groupby(USER_ID)[RANK].max().le(N_KEPT).all()
    users = held.asked.users
    for num, targets in enumerate(held.asked.targets):
        own = lists.rows[lists.rows[USER_ID] == users.user_ids[num]]
        met = video_ids[users.video_nums[users.of(num)]]
        assert not set(own[VIDEO_ID]) & set(met)
        hits = set(own.loc[own[IS_RELEVANT], VIDEO_ID])
        assert hits <= set(video_ids[targets])
    assert lists.users[NDCG_WITHOUT_WORDS].between(0, 1).all()
    assert lists.users[NDCG_WITHOUT_WORDS].mean() > 0


def test_auc_counts_what_the_liked_film_stands_before() -> None:
    judged = pd.DataFrame(
        {
            USER_ID: np.repeat(["u1", "u2"], 3),
            IS_RELEVANT: [True, False, False, False, True, False],
            LOG_ODDS: [2.0, 1.0, 2.0, 0.0, -1.0, -2.0],
        }
    )
    found = _auc(judged)
    assert found is not None
    assert found["value"] == pytest.approx((0.75 + 0.5) / 2)
    assert found["n_users"] == 2
    assert _auc(judged[:0]) is None
