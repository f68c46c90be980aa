"""Lending: new videos take from their neighbours, and hand over to their own users."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.freshness import is_unknown
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.scorers.registry import scorer_named
from vidrec_tasks.recommending.lists.sources import exploration
from vidrec_tasks.recommending.lists.sources.exploration import promise
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.lending import N_KNOWN_USERS, lend
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.reason_codes import EXPLORATION
from vidrec_tasks.recommending.training.fitting import fit_models

COLD = (11, 23)
"""One video of each taste that nobody has met."""


def warm_histories() -> Histories:
    histories = worlds.histories()
    return histories.where(~np.isin(histories.video_nums, COLD))


@pytest.fixture(scope="module")
def models() -> Models:
    return fit_models(
        warm_histories(), worlds.content(), SETTINGS, cut=worlds.CUT, half_life_days=30
    )


def test_a_known_video_borrows_nothing_and_a_new_one_as_much_as_it_lacks() -> None:
    fused = worlds.content().fused
    n_users = np.full(worlds.N_VIDEOS, 5, dtype=np.float32)
    n_users[[0, 1, 2]] = (0, 1, 2)
    sums = np.asarray(lend(fused, n_users).matrix.sum(axis=0)).ravel()
    assert sums[:3] == pytest.approx([1, 2 / 3, 1 / 3])
    assert not sums[3:].any()


def test_only_known_videos_lend_and_the_nearest_most() -> None:
    fused = worlds.content().fused
    n_users = np.full(worlds.N_VIDEOS, N_KNOWN_USERS, dtype=np.float32)
    n_users[list(COLD)] = 0
    taken = lend(fused, n_users).matrix[:, [11]].toarray().ravel()
    assert not taken[list(COLD)].any()
    cosines = fused @ fused[11]
    cosines[list(COLD)] = -1
    assert taken.argmax() == cosines.argmax()


@pytest.mark.parametrize("n_known", [0, worlds.N_VIDEOS])
def test_nothing_is_lent_where_all_or_none_are_known(n_known: int) -> None:
    n_users = np.zeros(worlds.N_VIDEOS, dtype=np.float32)
    n_users[:n_known] = 9
    assert lend(worlds.content().fused, n_users).matrix.nnz == 0


def test_a_video_of_which_nothing_is_known_neither_lends_nor_borrows() -> None:
    fused = worlds.content().fused.copy()
    fused[[0, 11]] = 0
    n_users = np.full(worlds.N_VIDEOS, 9, dtype=np.float32)
    n_users[[11, 23]] = 0
    matrix = lend(fused, n_users).matrix.toarray()
    assert not matrix[:, 11].any()
    assert not matrix[0].any()
    assert matrix[:, 23].sum() == pytest.approx(1)


def test_item_models_tell_the_tastes_of_new_videos_apart(models: Models) -> None:
    """Without lending every score of a video that nobody met is 0."""
    histories = warm_histories()
    is_second = np.arange(histories.n_users) % 2 == 1
    block = Block(models=models, histories=histories)
    for model in ITEM_MODELS:
        found = block.item_scores(model)[:, list(COLD)]
        own = np.where(is_second, found[:, 1], found[:, 0])
        other = np.where(is_second, found[:, 0], found[:, 1])
        assert own.mean() > other.mean() + 1e-3, model.name


def test_the_new_video_of_a_users_taste_is_promised_and_explored_first(models: Models) -> None:
    histories = warm_histories()
    settings = SETTINGS.model_copy(update={"fresh_days": 60.0, "n_exploration": 1})
    nums = np.flatnonzero(is_unknown(models, fresh_days=60.0))
    assert nums.tolist() == list(COLD)
    promised = promise(Block(models=models, histories=histories), nums)
    right = np.arange(histories.n_users) % 2
    assert (promised.argmax(axis=1) == right).mean() > 0.9
    _, table = find_candidates(Search(models), histories, allowed(worlds.N_USERS), settings)
    explored = table[(table["source"] == EXPLORATION) & (table["source_rank"] == 1)]
    wanted = [f"v{COLD[num % 2]:02d}" for num in range(worlds.N_USERS)]
    assert (explored["video_id"].to_numpy() == np.array(wanted)).mean() > 0.9
    ranked = rank_candidates(models, histories, table, scorer="blend")
    cold = ranked[ranked["video_id"].isin([f"v{num}" for num in COLD])]
    best = cold.drop_duplicates("user_id")["video_id"].to_numpy()
    assert (best == np.array(wanted)).mean() > 0.9


def test_of_many_new_videos_the_best_guesses_are_scored_and_come_first(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = Block(models=models, histories=warm_histories())
    nums = np.arange(models.content.n_videos)
    all_scored = promise(block, nums)
    asked: list[int] = []
    kind = type(scorer_named(models.configuration.scorer))
    scores = kind.scores

    def counted(self: Any, features: Any, learned: Any) -> Any:
        asked.append(features.shape[1])
        return scores(self, features, learned)

    monkeypatch.setattr(exploration, "N_SCORED", 7)
    monkeypatch.setattr(kind, "scores", counted)
    monkeypatch.setattr(kind, "guesses", scores)  # which are those of trees alone costly
    found = promise(block, nums)
    assert set(asked) == {7}
    order = np.argsort(-all_scored, axis=1, kind="stable")
    assert (np.argsort(-found, axis=1, kind="stable") == order).mean() > 0.99  # but for float32
    np.testing.assert_allclose(
        np.take_along_axis(found, order[:, :7], axis=1),
        np.take_along_axis(all_scored, order[:, :7], axis=1),
    )
    may = np.ones(found.shape, dtype=bool)
    np.put_along_axis(may, order[:, :3], values=False, axis=1)
    allowed = promise(block, nums, may)
    best = np.where(may, allowed, -np.inf).argmax(axis=1)
    assert (best == order[:, 3]).mean() > 0.99


def test_nobody_new_means_nothing_explored(models: Models) -> None:
    settings = SETTINGS.model_copy(update={"fresh_days": 0.001})
    histories = warm_histories()
    _, table = find_candidates(Search(models), histories, allowed(worlds.N_USERS), settings)
    assert EXPLORATION not in set(table["source"])


def test_a_video_of_unknown_age_is_new_while_hardly_anybody_knows_it(models: Models) -> None:
    popularity = models.popularity
    ages = popularity.age_days.copy()
    ages[[0, 11]] = np.inf
    unborn = replace(models, popularity=replace(popularity, age_days=ages))
    assert np.flatnonzero(is_unknown(unborn, fresh_days=0.001)).tolist() == [11]
