"""Sequences: rows of what was liked, each event once, in order, whatever the lengths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.sequences import PAD, last_videos, liked, windows

Rows = list[list[tuple[int, float]]]


def histories(rows: Rows) -> Histories:
    """``[[(video_num, weight), …], …]`` a user each, oldest first."""
    events = [event for row in rows for event in row]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Histories(
        np.array([f"u{num}" for num in range(len(rows))], dtype=object),
        offsets,
        np.array([num for num, _ in events], dtype=np.int64),
        np.array([weight for _, weight in events], dtype=np.float32),
        np.arange(len(events), dtype=np.int64),
        np.zeros(len(rows), dtype=np.int64),
    )


def all_liked(*rows: list[int]) -> Histories:
    return histories([[(num, 1.0) for num in row] for row in rows])


def test_only_positive_weights_are_liked_and_nobody_is_lost() -> None:
    found = liked(histories([[(1, -1.0), (2, 0.0)], [(3, 0.1), (4, -2.0)]]))
    assert found.video_nums.tolist() == [3]
    assert found.offsets.tolist() == [0, 0, 1]


def test_the_last_videos_stand_right_oldest_first() -> None:
    rows = last_videos(all_liked([1, 2, 3], [4], []), 2)
    assert rows.tolist() == [[2, 3], [PAD, 4], [PAD, PAD]]


def test_windows_are_counted_from_the_newest() -> None:
    rows = windows(all_liked([1, 2, 3, 4, 5], [6]), 2)
    assert rows.tolist() == [[1, PAD], [2, 3], [4, 5], [6, PAD]]


def test_a_shift_moves_the_borders_of_those_who_have_more_than_one_window() -> None:
    rows = windows(all_liked([1, 2, 3, 4, 5], [6, 7]), 2, shift=1)
    assert rows.tolist() == [[1, 2], [3, 4], [5, PAD], [6, 7]]


@pytest.mark.parametrize("shift", [0, 1])
def test_nobody_who_liked_anything_gives_no_windows(shift: int) -> None:
    assert windows(histories([[(1, -1.0)], []]), 4, shift=shift).shape == (0, 4)


users = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([-1.0, 0.0, 1.0])), max_size=12),
    max_size=4,
)


@settings(max_examples=50, deadline=None)
@given(users, st.integers(1, 5))
def test_the_last_videos_are_the_end_of_what_was_liked(rows: Rows, n: int) -> None:
    found = last_videos(histories(rows), n)
    assert found.shape == (len(rows), n)
    for row, events in zip(found.tolist(), rows, strict=True):
        end = [num for num, weight in events if weight > 0][-n:]
        assert row == [PAD] * (n - len(end)) + end


@settings(max_examples=50, deadline=None)
@given(users, st.integers(1, 5), st.integers(0, 7))
def test_windows_hold_every_liked_event_once_in_order(rows: Rows, length: int, shift: int) -> None:
    found = windows(histories(rows), length, shift=shift)
    assert found[found != PAD].tolist() == [num for row in rows for num, w in row if w > 0]
    # left-aligned: no video stands behind a pad
    assert (np.diff((found == PAD).astype(int), axis=1) >= 0).all()
    assert (found != PAD).any(axis=1).all()
