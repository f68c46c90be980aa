"""Attribution: what is cited is what the score came from."""

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.recommending.explaining.attribution import cite_history, leave_one_out, score_rows
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.models.models import Models


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def lists_of(models: Models) -> pd.DataFrame:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer="blend")
    top = ranked.groupby("user_id").head(3).reset_index(drop=True)
    return top.assign(rank=top.groupby("user_id").cumcount() + 1)


def test_cited_videos_were_watched_and_their_shares_are_parts_of_a_whole(models: Models) -> None:
    histories = worlds.histories()
    lists = cite_history(models, histories, lists_of(models), scorer="blend")
    for user_id, cited in zip(lists["user_id"], lists["cited"], strict=True):
        user = int(user_id[1:])
        seen = {f"v{num:02d}" for num in histories.video_nums[histories.of(user)]}
        assert {video for video, _ in cited} <= seen
        assert sum(share for _, share in cited) <= 1 + 1e-5
        assert [share for _, share in cited] == sorted((s for _, s in cited), reverse=True)
    assert (lists["cited"].map(len) > 0).mean() > 0.9


def test_leaving_a_video_out_lowers_the_score_by_what_is_said(models: Models) -> None:
    user = worlds.histories().one(0)
    nums = np.array([1, 2, 20])
    [(asked, drops)] = leave_one_out(models, [user], [nums], scorer="blend")
    assert drops.shape == (3, len(asked))
    without = user.where(user.video_nums != asked[0])
    whole, less = score_rows(models, [(user, nums), (without, nums)], scorer="blend")
    np.testing.assert_allclose(whole - less, drops[:, 0], atol=1e-6)


def test_many_users_together_are_told_what_each_is_told_alone(models: Models) -> None:
    lists = lists_of(models)
    histories = worlds.histories()
    together = cite_history(models, histories, lists, scorer="blend")
    for user_id in lists["user_id"].unique()[:7]:
        mine = lists[lists["user_id"] == user_id]
        alone = cite_history(models, histories, mine, scorer="blend")["cited"]
        for one, other in zip(alone, together.loc[mine.index, "cited"], strict=True):
            assert [video for video, _ in one] == [video for video, _ in other]
            mine_alone, mine_together = ([share for _, share in cited] for cited in (one, other))
            np.testing.assert_allclose(mine_alone, mine_together, atol=1e-4)


def test_a_user_without_likes_is_told_of_no_video(models: Models) -> None:
    nobody = worlds.histories(user_ids=["stranger"])
    [(asked, drops)] = leave_one_out(models, [nobody], [np.array([1])], scorer="dot")
    assert len(asked) == 0
    assert drops.shape == (1, 0)
