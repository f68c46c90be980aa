"""Negatives: targets are always among them, and the chance of each is what it is drawn by."""

import numpy as np

from tests.recommending.test_sequences import all_liked, histories
from vidrec_tasks.recommending.training.negatives import Negatives


def test_targets_are_found_among_what_is_drawn() -> None:
    negatives = Negatives.of(all_liked([0, 1, 2], [0, 1], [0]), 6, 4)
    targets = np.array([5, 0, 5])
    nums, log_chance, places = negatives.draw(targets, np.random.default_rng(0))
    np.testing.assert_array_equal(nums[places], targets)
    assert (np.diff(nums) > 0).all()
    assert nums.shape == log_chance.shape


def test_the_chance_is_how_often_a_video_is_there() -> None:
    negatives = Negatives.of(all_liked(*[[0]] * 40, *[[1]] * 8, [2]), 3, 3)
    rng, there = np.random.default_rng(1), np.zeros(3)
    for _ in range(4_000):
        nums, log_chance, _ = negatives.draw(np.empty(0, dtype=np.int64), rng)
        there[nums] += 1 / 4_000
        if len(nums) == 3:
            expected = np.exp(log_chance)
    np.testing.assert_allclose(there, expected, atol=0.03)


def test_some_are_drawn_with_all_liked_videos_alike() -> None:
    liked = all_liked(*[[0]] * 16, [1])
    by_popularity, mixed = (Negatives.of(liked, 3, 4, alike=alike) for alike in (0.0, 0.5))
    np.testing.assert_allclose(by_popularity.chances, [8 / 9, 1 / 9, 0])
    np.testing.assert_allclose(mixed.chances, [8 / 18 + 0.25, 1 / 18 + 0.25, 0])
    nums, log_chance, _ = mixed.draw(np.array([0, 1]), np.random.default_rng(1))
    np.testing.assert_array_equal(nums, [0, 1])
    np.testing.assert_allclose(np.exp(log_chance), 1 - (1 - mixed.chances[:2]) ** 4, rtol=1e-5)


def test_only_likes_make_a_video_popular() -> None:
    negatives = Negatives.of(histories([[(0, 1.0), (1, -1.0)]]), 2, 1)
    np.testing.assert_array_equal(negatives.chances, [1.0, 0.0])


def test_without_likes_all_are_alike() -> None:
    np.testing.assert_array_equal(Negatives.of(all_liked(), 4, 1).chances, [0.25] * 4)
