"""What the rows of a block without one video share is what each row says by itself."""

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, fit
from vidrec_tasks.recommending.explaining.attribution import last_liked
from vidrec_tasks.recommending.lists import ranker
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.left_out import LeftOut
from vidrec_tasks.recommending.lists.scorers.trees import Trees
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.sequences import last_videos
from vidrec_tasks.recommending.models.tower import embed_rows


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def without_each(models: Models, n_watched: int) -> LeftOut:
    histories = worlds.histories(n_watched)
    asked = [last_liked(histories.one(user)) for user in range(histories.n_users)]
    return LeftOut.of(models, histories, asked)


def candidates_of(block: LeftOut, k: int = 4) -> np.ndarray:
    rng = np.random.default_rng(5)
    own = np.stack([rng.permutation(worlds.N_VIDEOS)[:k] for _ in range(block.whole.n_users)])
    return own[block.owners]


def test_products_are_those_of_each_row_by_itself(models: Models) -> None:
    block = without_each(models, 6)
    nums = candidates_of(block)
    alone = Block(models=models, histories=block.histories)
    users, fused = block.content_profiles, models.content.fused
    expected = alone.products(users, fused, nums)
    np.testing.assert_allclose(block.products(users, fused, nums), expected, rtol=1e-5, atol=1e-6)


def test_rows_of_equal_vectors_have_equal_products(models: Models) -> None:
    """A last digit that differs could be a step of a tree, and no fall is true that is made so."""
    block = without_each(models, 6)
    nums = candidates_of(block, k=7)
    firsts = np.searchsorted(block.owners, block.owners)
    made = block.products(block.content_profiles[firsts], models.content.fused, nums)
    np.testing.assert_array_equal(made, made[firsts])


@pytest.mark.parametrize("n_watched", [1, 6, SETTINGS.max_sequence, SETTINGS.max_sequence + 3])
def test_a_checked_user_is_no_guess_however_long_the_history(
    models: Models, n_watched: int
) -> None:
    block = without_each(models, n_watched)
    rows, checked = block.checked(np.ones(len(block.owners), dtype=bool))
    own = last_videos(block.histories.take(rows), models.tower.shape.length)
    exact = embed_rows(models.tower, own, models.tower_vectors)
    np.testing.assert_allclose(checked.tower_users, exact, atol=1e-5)
    guessed = np.setdiff1d(np.arange(len(block.owners)), rows)
    own = last_videos(block.histories.take(guessed), models.tower.shape.length)
    certain = embed_rows(models.tower, own, models.tower_vectors)
    np.testing.assert_allclose(block.tower_users[guessed], certain, atol=1e-5)


def test_a_costly_score_is_asked_for_what_may_be_the_largest_fall(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def scores(self: Trees, features: np.ndarray, learned: object) -> np.ndarray:
        asked.append(features.shape[1])
        return np.zeros(features.shape[:-1])

    guesses = iter([10.0, 2.0, 7.0, 8.0, 6.0, 9.0, 10.5])  # whole, then without each of six

    def guess(self: Trees, features: np.ndarray, learned: object) -> np.ndarray:
        return np.array([[next(guesses)] for _ in range(len(features))])

    monkeypatch.setattr(Trees, "scores", scores)
    monkeypatch.setattr(Trees, "guesses", guess)
    one = worlds.histories(6).one(0)
    block = LeftOut.of(models, one, [last_liked(one)])
    ranker.score_falls(block, np.zeros((7, 1), dtype=np.int64), scorer="trees")
    # falls of 8, 3, 2, 4, 1 and -0.5: the whole, and those of 8, 4, 3 and 2, a quarter of 8
    assert asked == [5]
    monkeypatch.setattr(ranker, "MIN_PART", 0.3)
    guesses = iter([10.0, 2.0, 7.0, 8.0, 6.0, 9.0, 10.5])
    ranker.score_falls(block, np.zeros((7, 1), dtype=np.int64), scorer="trees")
    assert asked == [5, 4]
