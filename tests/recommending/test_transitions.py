"""Transitions: the order of videos is learned, by the closed form, and as a sparse model too."""

import numpy as np
import numpy.typing as npt

from tests.recommending import worlds
from tests.recommending.test_sequences import histories
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.models.sequences import liked, recent_before, recent_matrix
from vidrec_tasks.recommending.models.transitions import fit_transitions

L2 = 2.0
WHOLE = LinearShape(l2=L2)
BY_VIDEO = LinearShape(dense_limit=0, l2=L2)


def rows(*videos: list[int]) -> Histories:
    return histories([[(num, 1.0) for num in row] for row in videos])


def naive(users: Histories, n_videos: int) -> npt.NDArray[np.float64]:
    """Each event regressed on the decayed ones before it, with nothing clever."""
    before, then = [], []
    for user in range(users.n_users):
        videos = users.video_nums[users.of(user)]
        for place, num in enumerate(videos):
            row = np.zeros(n_videos)
            for back, earlier in enumerate(videos[:place][::-1][:10]):
                row[earlier] += 2.0 ** (-back / 3)
            before.append(row)
            then.append(np.eye(n_videos)[num])
    x, y = np.array(before), np.array(then)
    return np.asarray(np.linalg.solve(x.T @ x + L2 * np.eye(n_videos), x.T @ y))


def test_it_is_the_ridge_of_each_event_on_the_ones_before_it() -> None:
    users = rows([0, 1, 2, 3, 0, 4], [1, 2, 4], [3], [4, 3, 2, 1, 0])
    found = fit_transitions(users, 5, WHOLE).matrix.toarray()
    np.testing.assert_allclose(found, naive(users, 5), atol=1e-5)


def test_what_follows_is_told_from_what_goes_before() -> None:
    users = rows(*[[0, 1]] * 5)
    model = fit_transitions(users, 3, WHOLE).matrix.toarray()
    assert model[0, 1] > 0.5
    assert model[1, 0] == 0
    assert not model[2].any()


def test_solved_by_column_it_says_the_same_where_all_follow_all() -> None:
    users = rows(*[[0, 1, 2, 0, 1, 2, 0]] * 4, [2, 1, 0, 2, 1, 0, 2])
    whole = fit_transitions(users, 3, WHOLE).matrix.toarray()
    sparse = fit_transitions(users, 3, BY_VIDEO).matrix.toarray()
    np.testing.assert_allclose(sparse, whole, atol=1e-5)
    assert np.abs(whole).max() > 0.1


def test_disliked_events_neither_follow_nor_are_followed() -> None:
    users = histories([[(0, 1.0), (1, -1.0), (2, 1.0)]] * 3)
    model = fit_transitions(users, 3, WHOLE).matrix.toarray()
    assert model[0, 2] > 0
    assert not model[1].any()
    assert not model[:, 1].any()


def test_nobody_to_learn_from_is_an_empty_model() -> None:
    assert fit_transitions(rows([]), 4, WHOLE).matrix.nnz == 0


def test_what_was_recent_before_an_event_is_what_would_be_recent_without_it() -> None:
    users = liked(worlds.histories())
    before = recent_before(users, worlds.N_VIDEOS)
    last = users.offsets[1:] - 1
    has = np.diff(users.offsets) > 0
    keep = np.ones(users.n_events, dtype=bool)
    keep[last[has]] = False
    cut = recent_matrix(users.where(keep), worlds.N_VIDEOS)
    np.testing.assert_allclose(before[last[has]].toarray(), cut[has].toarray())
