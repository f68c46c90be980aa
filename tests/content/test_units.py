"""Products of rows: the same to the last bit, whatever rows come together."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from vidrec_tasks.content.encoding import units
from vidrec_tasks.content.encoding.units import by_row, rows_with_content, spread_rows, summed
from vidrec_tasks.hardware import release_pages


@pytest.mark.parametrize(("dim", "width"), [(384, 1_000), (64, 7), (12, 1), (300, 33)])
def test_a_row_has_one_product_in_any_company(dim: int, width: int) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((40, dim)).astype(np.float32)
    matrix = rng.standard_normal((dim, width)).astype(np.float32)
    whole = by_row(rows, matrix)
    np.testing.assert_allclose(whole, rows @ matrix, rtol=1e-4, atol=1e-4)
    for first, n in ((0, 1), (7, 2), (5, 30), (39, 1)):
        part = by_row(rows[first : first + n], matrix)
        np.testing.assert_array_equal(part, whole[first : first + n])


def test_no_rows_have_no_product() -> None:
    assert by_row(np.zeros((0, 3), np.float32), np.ones((3, 2), np.float32)).shape == (0, 2)


@pytest.mark.parametrize("block", [3, 1_000])
def test_sums_are_those_of_the_whole_product(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "_BLOCK", block)
    rng = np.random.default_rng(2)
    weights = sparse.random_array((9, 50), density=0.2, rng=rng, format="csr")
    vectors = rng.standard_normal((50, 4)).astype(np.float32)
    expected = weights.toarray() @ vectors.astype(np.float64)
    for kind in (weights, sparse.csr_matrix(weights), weights.tocsc()):
        np.testing.assert_allclose(summed(kind, vectors), expected, rtol=1e-12)
    assert (summed(sparse.csr_array((2, 50)), vectors) == 0).all()


def test_sums_of_a_few_rows_hold_no_copy_of_all() -> None:
    vectors = np.ones((100_000, 64), dtype=np.float32)
    weights = sparse.csr_array(([1.0, 2.0], ([0, 1], [5, 99_999])), shape=(2, 100_000))
    tracemalloc.start()
    summed(weights, vectors)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < vectors.nbytes / 10


def test_a_mapped_file_is_read_alike_after_its_pages_were_given_back(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((3_000, 8)).astype(np.float32)
    vectors[[0, 2_999]] = 0
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.ascontiguousarray(np.load(tmp_path / "v.npy", mmap_mode="c"), dtype=np.float32)
    for given in (mapped, vectors):
        np.testing.assert_array_equal(rows_with_content(given), np.arange(1, 2_999))
        nums = np.array([2_999, 5, 5, 0, 17])
        np.testing.assert_array_equal(spread_rows(given, nums), vectors[nums])
        release_pages(given)
        np.testing.assert_array_equal(given, vectors)


@pytest.mark.parametrize("gone", [False, True])
def test_rows_of_a_large_file_are_read_from_it_and_looked_at_where_it_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    vectors = np.random.default_rng(3).standard_normal((5_000, 8)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.ascontiguousarray(np.load(tmp_path / "v.npy", mmap_mode="c"), dtype=np.float32)
    monkeypatch.setattr(units, "_LARGE", 0)
    looked_at: list[int] = []
    monkeypatch.setattr(units, "release_pages", lambda rows: looked_at.append(len(rows)))
    if gone:
        (tmp_path / "v.npy").unlink()
    nums = np.array([4_999, 5, 5, 0, 17])
    np.testing.assert_array_equal(spread_rows(mapped, nums), vectors[nums])
    np.testing.assert_array_equal(spread_rows(mapped[1_000:], nums[1:]), vectors[nums[1:] + 1_000])
    part = np.load(tmp_path / "v.npy", mmap_mode="c")[1_000:] if not gone else mapped[1_000:]
    np.testing.assert_array_equal(spread_rows(part, nums[1:]), vectors[nums[1:] + 1_000])
    assert bool(looked_at) is gone  # no page of the mapping, where the file is there
    np.testing.assert_array_equal(spread_rows(mapped, np.array([-1, 2])), vectors[[-1, 2]])
    np.testing.assert_array_equal(spread_rows(mapped[:, :4], nums), vectors[nums, :4])
    with pytest.raises(IndexError):
        spread_rows(mapped, np.array([5_000]))
    assert spread_rows(vectors, np.empty(0, dtype=np.int64)).shape == (0, 8)
    assert spread_rows(mapped, np.empty(0, dtype=np.int64)).shape == (0, 8)
