"""What is cited, left out, lowers a score more than random videos of the history."""

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.recommending.explaining.attribution import cite_history, leave_one_out
from vidrec_tasks.recommending.explaining.counterfactual import compare_without_cited, keep_named
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.models.models import Models


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


@pytest.fixture(scope="module")
def lists(models: Models) -> pd.DataFrame:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer="blend")
    top = ranked.groupby("user_id").head(2).reset_index(drop=True)
    top = top.assign(rank=top.groupby("user_id").cumcount() + 1)
    return cite_history(models, histories, top, scorer="blend")


def share(models: Models, lists: pd.DataFrame, **more: int) -> tuple[int, float]:
    found = compare_without_cited(
        models, worlds.histories(), lists, scorer="blend", rng=np.random.default_rng(1), **more
    )
    return found.n_rows, found.n_lowered / max(1, found.n_rows)


def test_what_is_cited_matters_more_than_other_history(models: Models, lists: pd.DataFrame) -> None:
    n_rows, lowered = share(models, lists)
    assert n_rows > 10
    assert lowered >= 0.9


def test_a_citation_of_what_matters_least_is_found_out(models: Models, lists: pd.DataFrame) -> None:
    histories = worlds.histories()
    users = {str(user): num for num, user in enumerate(histories.user_ids)}
    worst = []
    for user_id, video_id in zip(lists["user_id"], lists["video_id"], strict=True):
        user = histories.one(users[user_id])
        nums = models.content.nums_of([video_id])
        [(asked, falls)] = leave_one_out(models, [user], [nums], scorer="blend")
        worst.append([[str(models.content.video_ids[asked[falls[0].argmin()]]), 1.0]])
    planted = lists.assign(cited=pd.Series(worst, index=lists.index, dtype=object))
    assert share(models, planted)[1] < 0.3


def test_the_sample_is_bounded_and_rows_without_citation_are_not_asked(
    models: Models, lists: pd.DataFrame
) -> None:
    assert share(models, lists, n_rows=3)[0] == 3
    nothing = lists.assign(cited=pd.Series([[] for _ in lists.index], dtype=object))
    assert share(models, nothing)[0] == 0


def test_only_the_video_that_is_named_is_left_out() -> None:
    explained = pd.DataFrame(
        {
            "cited": [[["v1", 0.6], ["v2", 0.3]], [["v1", 0.6]], []],
            "evidence": [{"cited": "v2"}, {"n_viewers": 3}, {"n_watched": 0}],
        }
    )
    assert keep_named(explained)["cited"].tolist() == [[["v2", 0.3]], [], []]
    assert explained["cited"].map(len).tolist() == [2, 1, 0]
