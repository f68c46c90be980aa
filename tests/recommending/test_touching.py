"""Touching: sparse rows say what dense ones do."""

from collections import Counter

import numpy as np
import pytest
import scipy.sparse as sp

from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.sources import touched as source
from vidrec_tasks.recommending.lists.sources.finding import top
from vidrec_tasks.recommending.lists.sources.touched import strongest_of_rows
from vidrec_tasks.recommending.models import touching
from vidrec_tasks.recommending.models.item_models import scores_with_lent
from vidrec_tasks.recommending.models.sparse import SparseModel, keep_strongest_of_rows
from vidrec_tasks.recommending.models.touching import picked, touched

N_USERS, N_VIDEOS, N = 20, 400, 12


def random(shape: tuple[int, int], density: float, seed: int) -> sp.csr_matrix:
    rng = np.random.default_rng(seed)
    found = sp.random(*shape, density, format="csr", dtype=np.float32, random_state=rng)
    found.data -= np.float32(0.3)
    return sp.csr_matrix(found)


QUERY = abs(random((N_USERS, N_VIDEOS), 0.02, 1))
MODEL = SparseModel(random((N_VIDEOS, N_VIDEOS), 0.05, 2))


def lending() -> SparseModel:
    """The last quarter of the videos takes from the others."""
    lent = abs(random((N_VIDEOS, N_VIDEOS), 0.05, 3)).tolil()
    lent[:, : 3 * N_VIDEOS // 4] = 0
    lent[3 * N_VIDEOS // 4 :] = 0
    return SparseModel(sp.csr_matrix(lent))


LENT = lending()
DENSE = scores_with_lent(MODEL, LENT, QUERY)


@pytest.mark.parametrize("cells", [100, 8_000_000])
def test_picks_are_the_dense_scores(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touching, "MOST_CELLS", cells)
    nums = np.random.default_rng(4).integers(-1, N_VIDEOS, (N_USERS, 30))
    found = np.full(nums.shape, np.nan, dtype=np.float32)
    n_parts = 0
    for users, own in touched(MODEL, QUERY):
        found[users] = picked(own, LENT, nums[users])
        n_parts += 1
    expected = np.where(nums >= 0, np.take_along_axis(DENSE, np.maximum(nums, 0), axis=1), 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (n_parts > 1) == (cells == 100)


OWN = sp.csr_matrix(QUERY @ MODEL.matrix)


@pytest.mark.parametrize("share", [1.0, 0.05])
def test_the_strongest_are_those_of_the_dense_scores(share: float) -> None:
    masks = np.random.default_rng(6).random((N_USERS, N_VIDEOS)) < share
    counts: Counter[str] = Counter()
    eligible = Eligible.of_masks(masks, np.arange(N_USERS))
    scores, nums = strongest_of_rows(OWN, LENT, eligible, N, counts)
    values, expected = top(DENSE, masks & (DENSE > 1e-6), N)
    np.testing.assert_array_equal(nums, expected)
    np.testing.assert_allclose(scores[nums >= 0], values[nums >= 0], atol=1e-6)
    assert (counts["searched_wider"] > 0) == (share < 1)


def test_of_many_who_are_lent_to_those_of_the_strongest_lenders_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source, "LENT_CELLS", 200)
    assert LENT.matrix.nnz > 200
    everything = Eligible.everything(N_USERS, N_VIDEOS)
    _, nums = strongest_of_rows(OWN, LENT, everything, N, Counter())
    _, expected = top(DENSE, DENSE > 1e-6, N)
    both = [np.isin(row, other).mean() for row, other in zip(nums, expected, strict=True)]
    assert np.mean(both) > 0.7


def test_a_row_keeps_its_strongest_entries() -> None:
    dense = np.array([[0.5, -2, 1, 0], [0, 0, 3, 0], [1, 1, 1, -1]], dtype=np.float32)
    kept = keep_strongest_of_rows(sp.csr_matrix(dense), 2).toarray()
    assert kept.tolist() == [[0, -2, 1, 0], [0, 0, 3, 0], [1, 1, 0, 0]]
    whole = sp.csr_matrix(dense)
    assert keep_strongest_of_rows(whole, 4) is whole
