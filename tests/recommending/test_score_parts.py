"""Parts of listed rows: those of the ranking, whatever else was ranked."""

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.score_parts import parts_of_rows, to_dicts
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def test_parts_that_are_not_zero_come_under_their_names() -> None:
    values = np.array([[0.5, 0.0, -0.25], [0.0, 0.0, 0.0]])
    assert to_dicts(values, ("dot", "popular", "fresh")) == [{"dot": 0.5, "fresh": -0.25}, {}]


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_the_parts_of_some_rows_sum_to_the_scores_of_the_ranking(
    models: Models, scorer: str
) -> None:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer=scorer)
    some = ranked[ranked.index % 5 == 1]
    parts = parts_of_rows(models, histories, some, scorer=scorer)
    assert parts.index.equals(some.index)
    np.testing.assert_allclose(
        [sum(row.values()) for row in parts], some["score"], rtol=1e-6, atol=1e-6
    )
