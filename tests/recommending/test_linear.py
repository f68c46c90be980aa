"""Linear model: EASE is what its closed form says, and the sparse form is near it."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommending import worlds
from tests.recommending.test_sequences import all_liked, histories
from vidrec_tasks.recommending.models.linear import N_PAIRED, fit_linear, user_matrix
from vidrec_tasks.recommending.models.ridge import LinearShape

L2 = 3.0
WHOLE = LinearShape(l2=L2, n_neighbours=400)
BY_VIDEO = LinearShape(dense_limit=0, l2=L2, n_neighbours=400)


def ease(matrix: npt.NDArray[np.float64], l2: float = L2) -> npt.NDArray[np.float64]:
    """Steck, 2019, equation 8, with nothing clever."""
    inverse = np.linalg.inv(matrix.T @ matrix + l2 * np.eye(matrix.shape[1]))
    model = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(model, 0)
    return model


def random_rows(n_users: int = 30, n_videos: int = 7) -> list[list[tuple[int, float]]]:
    rng = np.random.default_rng(5)
    return [
        [(int(num), float(rng.uniform(0.1, 1))) for num in rng.permutation(n_videos)[:4]]
        for _ in range(n_users)
    ]


def test_what_a_user_liked_is_at_most_one_a_video_and_never_negative() -> None:
    rows = [[(0, 0.25), (0, 0.5), (1, 2.5), (2, -1.0)], [], [(2, 0.7), (2, 0.7)]]
    expected = [[0.75, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]
    matrix = user_matrix(histories(rows), 4)
    np.testing.assert_allclose(matrix.toarray(), expected)
    assert matrix.nnz == 3


def test_the_whole_model_is_the_naive_inverse() -> None:
    users = histories(random_rows())
    naive = ease(user_matrix(users, 7).toarray().astype(np.float64))
    found = fit_linear(users, 7, WHOLE).matrix.toarray()
    np.testing.assert_allclose(found, naive, atol=1e-5)
    assert np.abs(naive).max() > 0.1


def test_solved_video_by_video_it_is_the_same_where_all_were_watched_together() -> None:
    users = histories(random_rows())
    naive = ease(user_matrix(users, 7).toarray().astype(np.float64))
    np.testing.assert_allclose(fit_linear(users, 7, BY_VIDEO).matrix.toarray(), naive, atol=1e-5)


def test_with_few_neighbours_it_ranks_nearly_as_the_whole_does() -> None:
    users = worlds.histories()
    whole = fit_linear(users, worlds.N_VIDEOS, WHOLE).matrix.toarray()
    few = LinearShape(dense_limit=0, l2=L2, n_neighbours=8)
    sparse = fit_linear(users, worlds.N_VIDEOS, few).matrix
    assert np.diff(sparse.tocsc().indptr).max() == 8
    watched = user_matrix(users, worlds.N_VIDEOS).toarray()
    scores = [(watched @ model).ravel() for model in (whole, sparse.toarray())]
    assert np.corrcoef(*scores)[0, 1] > 0.9


def test_beyond_the_dense_limit_pairs_are_of_the_newest_events_of_a_user() -> None:
    """One user alone cannot ask for the square of a life of watching."""
    n = N_PAIRED + 60
    users = histories([[(num, 1.0) for num in range(n)], [(0, 1.0), (1, 1.0)]])
    newest = histories([[(num, 1.0) for num in range(60, n)], [(0, 1.0), (1, 1.0)]])
    by_video = fit_linear(users, n, BY_VIDEO).matrix
    assert (by_video != fit_linear(newest, n, BY_VIDEO).matrix).nnz == 0
    assert fit_linear(users, n, WHOLE).matrix[0, n - 1] != 0


def test_only_the_strongest_neighbours_of_the_whole_are_kept() -> None:
    users = histories(random_rows())
    found = fit_linear(users, 7, LinearShape(l2=L2, n_neighbours=2)).matrix.toarray()
    whole = fit_linear(users, 7, WHOLE).matrix.toarray()
    assert ((found != 0).sum(axis=0) == 2).all()
    assert (np.isclose(found, whole) | (found == 0)).all()
    np.testing.assert_allclose(np.abs(found).max(axis=0), np.abs(whole).max(axis=0))


@pytest.mark.parametrize("shape", [WHOLE, BY_VIDEO])
def test_a_row_speaks_for_a_column_and_never_for_itself(shape: LinearShape) -> None:
    # whoever watched 0 or 1 watched 2; 2 was watched alone as well
    users = all_liked(*[[0, 2]] * 5, *[[1, 2]] * 5, *[[2]] * 30)
    matrix = fit_linear(users, 3, shape).matrix.toarray()
    assert matrix[0, 2] > 2 * matrix[2, 0] > 0
    assert not np.diag(matrix).any()


@pytest.mark.parametrize("shape", [WHOLE, BY_VIDEO])
def test_videos_that_nobody_liked_have_neither_row_nor_column(shape: LinearShape) -> None:
    users = histories([[(1, 1.0), (4, 1.0), (2, -1.0)]] * 3)
    matrix = fit_linear(users, 6, shape).matrix.toarray()
    assert matrix.shape == (6, 6)
    assert sorted(zip(*np.nonzero(matrix), strict=True)) == [(1, 4), (4, 1)]


@pytest.mark.parametrize("shape", [WHOLE, BY_VIDEO])
@pytest.mark.parametrize("rows", [[], [[]], [[(0, -1.0)]], [[(0, 1.0)]], [[(0, 1.0)], [(1, 1.0)]]])
def test_where_nothing_was_watched_together_nothing_is_learned(
    shape: LinearShape, rows: list[list[tuple[int, float]]]
) -> None:
    matrix = fit_linear(histories(rows), 3, shape).matrix
    assert matrix.shape == (3, 3)
    assert not matrix.toarray().any()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 5), max_size=6, unique=True), min_size=1, max_size=12),
    st.floats(0.5, 200),
)
def test_whatever_was_watched_the_whole_is_the_naive_inverse(
    rows: list[list[int]], l2: float
) -> None:
    users = all_liked(*rows)
    naive = ease(user_matrix(users, 6).toarray().astype(np.float64), l2)
    found = fit_linear(users, 6, LinearShape(l2=l2)).matrix.toarray()
    np.testing.assert_allclose(found, naive, atol=1e-4)
