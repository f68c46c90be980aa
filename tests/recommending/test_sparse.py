"""Sparse item-item models: the same numbers as a dense product, and no others."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vidrec_tasks.recommending.models.sparse import SparseModel, keep_strongest, pick

B = np.array([[0, 1, 0], [2, 0, 3], [0, 0, 0]], dtype=np.float32)
MODEL = SparseModel(sp.csr_matrix(B))


def test_scores_are_the_history_times_the_matrix() -> None:
    watched = np.array([[1, 1, 0], [0, 0, 1], [0, 0.5, 0]], dtype=np.float32)
    expected = np.array([[2, 1, 3], [0, 0, 0], [1, 0, 1.5]])
    np.testing.assert_allclose(MODEL.scores(sp.csr_matrix(watched)), expected)
    for nums in (np.array([1]), np.array([0, 2]), np.array([], dtype=np.int64)):
        found = MODEL.scores(sp.csr_matrix(watched), nums)
        np.testing.assert_allclose(found, expected[:, nums])


def test_picked_scores_stand_where_they_were_asked_for_and_nought_else() -> None:
    scores = sp.csr_matrix(np.array([[0, 5, 6], [7, 0, 0]], dtype=np.float32))
    nums = np.array([[2, 0, 1, -1], [1, 1, 0, 2]])
    assert pick(scores, nums).tolist() == [[6, 0, 5, 0], [0, 0, 7, 0]]


@pytest.mark.parametrize("n", [1, 2])
def test_the_largest_in_size_of_each_column_are_kept(n: int) -> None:
    dense = np.array([[1, -9, 0], [-3, 2, 0.5], [2, 4, -1]], dtype=np.float32)
    kept = {1: [[0, -9, 0], [-3, 0, 0], [0, 0, -1]], 2: [[0, -9, 0], [-3, 0, 0.5], [2, 4, -1]]}
    np.testing.assert_array_equal(keep_strongest(dense, n).toarray(), kept[n])


matrices = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(-9, 9)
)


@settings(max_examples=50, deadline=None)
@given(matrices, st.integers(1, 8))
def test_what_is_dropped_is_never_larger_than_what_is_kept(matrix: np.ndarray, n: int) -> None:
    kept = keep_strongest(matrix, n).toarray()
    dropped = matrix - kept
    assert ((kept == matrix) | (kept == 0)).all()
    assert ((kept != 0).sum(axis=0) <= n).all()
    for column in range(matrix.shape[1]):
        sizes = np.sort(np.abs(matrix[:, column]))[::-1][:n]
        np.testing.assert_array_equal(np.sort(np.abs(kept[:, column]))[::-1][: len(sizes)], sizes)
        assert np.abs(dropped[:, column]).max() <= sizes[-1]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_picking_is_indexing_whatever_is_asked(data: st.DataObject) -> None:
    dense = data.draw(hnp.arrays(np.float32, (3, 4), elements=st.integers(0, 3)))
    nums = data.draw(hnp.arrays(np.int64, (3, 5), elements=st.integers(-1, 3)))
    expected = np.where(nums >= 0, np.take_along_axis(dense, np.maximum(nums, 0), axis=1), 0)
    np.testing.assert_array_equal(pick(sp.csr_matrix(dense), nums), expected)
