"""Co-visitation: ordered pairs, nearer ones for more, and the way back for half."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models import covisitation
from vidrec_tasks.recommending.models.covisitation import count_covisits

Event = tuple[int, float, float]
DAY_S = 86_400


def histories(*rows: list[Event]) -> Histories:
    """``[(video_num, day, weight), …]`` a user each, oldest first."""
    events = [event for row in rows for event in row]
    return Histories(
        np.array([f"u{num}" for num in range(len(rows))], dtype=object),
        np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        np.array([num for num, _, _ in events], dtype=np.int64),
        np.array([weight for _, _, weight in events], dtype=np.float32),
        np.array([int(day * DAY_S) for _, day, _ in events], dtype=np.int64),
        np.zeros(len(rows), dtype=np.int64),
    )


def together(*nums: int) -> list[Event]:
    """Liked one after the other, in one moment."""
    return [(num, 0.0, 1.0) for num in nums]


def naive(rows: list[list[Event]], n_videos: int) -> npt.NDArray[np.float64]:
    counts = np.zeros((n_videos, n_videos))
    for row in rows:
        liked = [event for event in row if event[2] > 0]
        for place, (first, day, _) in enumerate(liked):
            for step, (then, later, _) in enumerate(liked[place + 1 : place + 11], start=1):
                if first != then:
                    worth = 2 ** (-step / 3) * 2 ** -(later - day)
                    counts[first, then] += worth
                    counts[then, first] += worth / 2
    return counts / np.sqrt(np.outer(counts.sum(axis=1) + 2, counts.sum(axis=0) + 2))


def test_what_came_next_counts_whole_and_what_came_before_half() -> None:
    matrix = count_covisits(histories(together(0, 1)), 2).matrix.toarray()
    worth = 2 ** (-1 / 3)
    expected = worth / np.sqrt((worth + 2) * (worth + 2))
    half = (worth / 2) / np.sqrt((worth / 2 + 2) ** 2)
    np.testing.assert_allclose(matrix, [[0, expected], [half, 0]], rtol=1e-5)


def test_a_step_further_counts_less() -> None:
    (row, *_) = count_covisits(histories(together(0, 1, 2, 3)), 4).matrix.toarray()
    assert row[1] > row[2] > row[3] > 0


def test_ten_places_reach_and_eleven_do_not() -> None:
    (row, *_) = count_covisits(histories(together(*range(12))), 12).matrix.toarray()
    assert row[10] > 0 == row[11]


def test_a_day_between_halves() -> None:
    near, far = ([[(0, 0, 1.0), (1, day, 1.0)]] for day in (0, 1))
    counts = [count_covisits(histories(*rows), 2).matrix.toarray()[0, 1] for rows in (near, far)]
    worth = 2 ** (-1 / 3)
    np.testing.assert_allclose(
        counts, [worth / (worth + 2), worth / 2 / (worth / 2 + 2)], rtol=1e-5
    )


def test_what_was_not_liked_is_stepped_over() -> None:
    between = [(0, 0, 1.0), (2, 0, -1.0), (1, 0, 1.0)]
    with_skip = count_covisits(histories(between), 3).matrix.toarray()
    without = count_covisits(histories(together(0, 1)), 3).matrix.toarray()
    np.testing.assert_array_equal(with_skip, without)


def test_two_users_are_never_one_sequence() -> None:
    assert not count_covisits(histories(together(0), together(1)), 2).matrix.toarray().any()


def test_a_video_is_not_its_own_neighbour() -> None:
    assert not np.diag(count_covisits(histories(together(0, 0, 1, 0)), 2).matrix.toarray()).any()


def test_what_everybody_watches_is_not_next_to_everything() -> None:
    # 0 is followed by 1 as often as by 9, but 9 follows everything
    rows = (
        [together(0, 1)] * 4 + [together(0, 9)] * 4 + [together(num, 9) for num in range(2, 9)] * 4
    )
    (row, *_) = count_covisits(histories(*rows), 10).matrix.toarray()
    assert row[1] > 1.5 * row[9] > 0


def test_a_pair_met_often_beats_one_met_once() -> None:
    rows = [together(0, 1)] * 5 + [together(0, 2)]
    (row, *_) = count_covisits(histories(*rows), 3).matrix.toarray()
    assert row[1] > 2 * row[2]


def test_the_strongest_are_kept_and_of_equals_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covisitation, "_N_KEPT", 2)
    rows = [together(0, num) for num in (3, 1, 2)] + [together(0, 4)] * 2
    (row, *_) = count_covisits(histories(*rows), 5).matrix.toarray()
    assert np.flatnonzero(row).tolist() == [1, 4]


@pytest.mark.parametrize("rows", [[], [[]], [together(1)], [[(0, 0, -1.0), (1, 0, -1.0)]]])
def test_without_pairs_nothing_is_next_to_anything(rows: list[list[Event]]) -> None:
    matrix = count_covisits(histories(*rows), 3).matrix
    assert matrix.shape == (3, 3)
    assert matrix.nnz == 0


events = st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from([-1.0, 1.0]))
logs = st.lists(
    st.lists(events, max_size=14).map(lambda row: sorted(row, key=lambda event: event[1])),
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(logs)
def test_any_log_is_counted_as_two_loops_would(rows: list[list[Event]]) -> None:
    found = count_covisits(histories(*rows), 5).matrix.toarray()
    np.testing.assert_allclose(found, naive(rows, 5), atol=1e-5)
