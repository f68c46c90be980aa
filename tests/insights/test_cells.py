"""Cells: what may be published of counts of users."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.insights.cells import ratio, stepped, whole, whole_cells


@pytest.mark.parametrize(("count", "published"), [(0, 0), (19, 0), (20, 20), (39, 20), (40, 40)])
def test_counts_are_rounded_down_to_whole_ks(count: int, published: int) -> None:
    assert whole(count, 20) == published


def test_sparse_cells_under_k_are_gone() -> None:
    cells = whole_cells(sp.csr_array(np.array([[19.0, 45.0], [0.0, 20.0]])), 20)
    assert cells.toarray().tolist() == [[0, 40], [0, 20]]
    assert cells.nnz == 2


def test_a_share_of_nothing_is_unknown() -> None:
    assert np.isnan(ratio([1, 0], [0, 0])).all()
    assert ratio(20, 40) == 0.5


def test_means_move_in_steps() -> None:
    assert stepped([0.512, 0.97], 20).tolist() == [0.5, 0.95]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(2, 50))
def test_no_difference_of_two_published_counts_is_between_0_and_k(
    one: int, other: int, k: int
) -> None:
    apart = abs(whole(one, k) - whole(other, k))
    assert apart == 0 or apart >= k


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 50))
def test_nobody_is_added(count: int, k: int) -> None:
    assert count - k < whole(count, k) <= count
