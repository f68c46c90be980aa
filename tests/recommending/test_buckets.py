"""A user's scores follow from the user's bucket, to the last bit, whatever buckets come along."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.explaining.attribution import cite_history
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models

BUCKETS = np.array([num * 11 % 5 for num in range(worlds.N_USERS)], dtype=np.int64)


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def everybody() -> Histories:
    return replace(worlds.histories(), buckets=BUCKETS)


def lists_of(models: Models, histories: Histories, scorer: str) -> pd.DataFrame:
    tables = [
        find_candidates(Search(models), block, allowed(block.n_users), SETTINGS)[1]
        for _, block in histories.blocks()
    ]
    candidates = pd.concat(tables, ignore_index=True)
    ranked = rank_candidates(models, histories, candidates, scorer=scorer)  # type: ignore[arg-type]
    top = ranked.groupby("user_id").head(3).reset_index(drop=True)
    lists = top.assign(rank=top.groupby("user_id").cumcount() + 1)
    return cite_history(models, histories, lists, scorer=scorer)  # type: ignore[arg-type]


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_lists_of_some_buckets_are_those_among_all_to_the_last_bit(
    models: Models, scorer: str
) -> None:
    whole = lists_of(models, everybody(), scorer)
    assert whole["user_id"].nunique() == worlds.N_USERS
    for shard in ([0], [4, 1], [2, 3]):
        users = np.flatnonzero(np.isin(BUCKETS, shard))
        some = lists_of(models, everybody().take(users), scorer)
        expected = whole[whole["user_id"].isin(some["user_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(some, expected, check_exact=True)
