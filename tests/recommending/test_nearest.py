import numpy as np
import pytest
import scipy.sparse as sp

from vidrec_tasks.recommending.catalogue.nearest import (
    CELLS,
    NearestVectors,
    NearestWords,
    each_once,
    parts_of,
    strongest_of_rows,
)

ROWS = np.array([[1, 0], [0.8, 0.6], [0, 0], [0, 1]], dtype=np.float32)


def test_the_nearest_by_vectors_are_others_in_order() -> None:
    found = NearestVectors(ROWS).of(np.array([0, 1, 2]), 2)
    assert found.tolist() == [[1, 3], [0, 3], [-1, -1]]


def test_of_very_many_vectors_inverted_lists_find_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(20, 64))[rng.integers(0, 20, 4_000)] + 0.2 * rng.normal(
        size=(4_000, 64)
    )
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    nums = np.arange(0, 4_000, 40)
    exact = NearestVectors(rows).of(nums, 10)
    monkeypatch.setattr("vidrec_tasks.recommending.catalogue.nearest.EXACT_LIMIT", 1_000)
    monkeypatch.setattr("vidrec_tasks.content.index.PROBED_SHARES", (0.5,))  # of few lists
    near = NearestVectors(rows)
    assert near._index.info["kind"] == "ivf_sq"
    found = near.of(nums, 10)
    assert not (found == nums[:, None]).any()
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found, exact, strict=True)]
    assert np.mean(shared) > 9


def test_the_nearest_by_words_share_one() -> None:
    found = NearestWords(sp.csr_matrix(ROWS)).of(np.array([0, 1, 2]), 2)
    assert found.tolist() == [[1, -1], [0, 3], [-1, -1]]


def test_words_find_the_same_however_many_rows_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = sp.random_array((60, 30), density=0.1, rng=np.random.default_rng(2), dtype=np.float32)
    nums = np.arange(60)[::-1]
    whole = NearestWords(sp.csr_matrix(said)).of(nums, 5)
    monkeypatch.setattr("vidrec_tasks.recommending.catalogue.nearest.CELLS", 50)
    assert len(parts_of(nums, np.full(60, 20))) > 10
    np.testing.assert_array_equal(NearestWords(sp.csr_matrix(said)).of(nums, 5), whole)


def test_a_part_has_a_row_at_least_and_no_more_cells_than_are_held() -> None:
    parts = parts_of(np.arange(4), np.array([CELLS // 2, CELLS // 4, 3 * CELLS, 1]))
    assert [part.tolist() for part in parts] == [[0, 1], [2, 3]]
    assert parts_of(np.arange(0), np.zeros(0)) == []


def test_a_word_that_everybody_says_finds_nobody() -> None:
    rows = sp.csr_matrix(np.ones((1_200, 1), dtype=np.float32))
    assert (NearestWords(rows).of(np.array([0]), 2) == -1).all()


def test_the_strongest_come_first_equal_ones_by_column() -> None:
    rows = sp.csr_matrix([[1, 3, 1, 0], [0, 0, 0, 0]])
    assert strongest_of_rows(rows, 3).tolist() == [[1, 0, 2], [-1, -1, -1]]


def test_each_video_stands_once_in_a_row() -> None:
    assert each_once(np.array([[3, 1, 3, -1, -1]])).tolist() == [[-1, -1, 1, 3, -1]]
