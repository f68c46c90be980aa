"""Eligibility: bits of cells and what each has met say what a mask of users times videos would."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.recommending import worlds
from vidrec_tasks.recommending.lists.eligibility import Eligible, are_set, from_bits, to_bits


def drawn(seed: int, n_videos: int) -> tuple[Eligible, np.ndarray]:
    """Users under three rules who have met something, and the same as one mask."""
    rng = np.random.default_rng(seed)
    histories = worlds.histories()
    histories.video_nums[:] = rng.integers(0, n_videos, histories.n_events)
    masks, cell_of = rng.random((3, n_videos)) < 0.6, rng.integers(0, 3, histories.n_users)
    whole = masks[cell_of]
    whole[histories.user_nums(), histories.video_nums] = False
    return Eligible.of_masks(masks, cell_of).without(histories), whole


@given(st.integers(0, 1_000), st.integers(1, 70))
def test_it_says_what_a_mask_says(seed: int, n_videos: int) -> None:
    eligible, whole = drawn(seed, n_videos)
    nums = np.random.default_rng(seed).integers(-1, n_videos, (len(whole), 9))
    expected = np.take_along_axis(whole, np.maximum(nums, 0), axis=1) & (nums >= 0)
    np.testing.assert_array_equal(eligible.may(nums), expected)
    np.testing.assert_array_equal(eligible.between(0, n_videos), whole)
    np.testing.assert_array_equal(eligible.n_allowed, whole.sum(axis=1))
    first = 8 * (n_videos // 16)
    np.testing.assert_array_equal(eligible.between(first, n_videos), whole[:, first:])


@given(st.integers(0, 1_000))
def test_some_users_are_told_the_same_as_among_all(seed: int) -> None:
    eligible, whole = drawn(seed, 30)
    users = np.random.default_rng(seed).permutation(len(whole))[:7]
    some = eligible.take(users)
    np.testing.assert_array_equal(some.between(0, 30), whole[users])
    assert (np.diff(some.met) > 0).all()
    np.testing.assert_array_equal(some.n_met, eligible.n_met[users])


def test_every_user_is_in_the_group_of_one_cell() -> None:
    eligible, whole = drawn(1, 30)
    groups = eligible.users_of_cells()
    assert sorted(np.concatenate([users for _, users in groups])) == list(range(len(whole)))
    for bits, users in groups:
        assert (eligible.cells[eligible.cell_of[users]] == bits).all()


def test_bits_are_read_back() -> None:
    mask = np.random.default_rng(0).random((2, 21)) < 0.5
    np.testing.assert_array_equal(from_bits(to_bits(mask), 21), mask)
    assert are_set(to_bits(mask)[0], np.arange(21)).tolist() == mask[0].tolist()
