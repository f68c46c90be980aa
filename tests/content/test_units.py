"""Products of rows: the same to the last bit, whatever rows come together."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from vidrec_tasks.content.encoding import units
from vidrec_tasks.content.encoding.units import (
    asked_rows,
    by_row,
    rows_with_content,
    spread_rows,
    summed,
)
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


def test_rows_that_are_asked_for_are_found_by_id_wherever_they_stand() -> None:
    names = ["a", "b", "c", "d"]
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    vectors[1] = 0
    known = rows_with_content(vectors)
    for only in (None, {"d", "b", "c", "elsewhere"}):
        places, held = asked_rows(names, vectors, known, only)
        assert set(places) == ({"a", "c", "d"} if only is None else {"c", "d"})
        for name, place in places.items():
            np.testing.assert_array_equal(held[place], vectors[names.index(name)])
    assert len(held) == 2


def test_sums_reach_rows_beyond_two_gib_of_a_file(tmp_path: Path) -> None:
    """Numbers of four bytes, as sparse matrices have them, times the length of a row fit in none.

    The file has holes: it takes no room on the disk.
    """
    n, dim = 3_000_000, 384
    written = np.lib.format.open_memmap(
        tmp_path / "v.npy", mode="w+", dtype=np.float32, shape=(n, dim)
    )
    far = np.array([1, 1_398_102, 2_796_203, 2_900_000, n - 1])
    written[far] = np.arange(1, len(far) + 1)[:, None]
    written.flush()
    del written
    mapped = np.load(tmp_path / "v.npy", mmap_mode="c")
    for some in (slice(None), slice(2, 4)):  # with and without one that would lie before the file
        nums = far[some].astype(np.int32)
        rows = np.arange(len(nums), dtype=np.int32)
        asked = sparse.csr_array((np.ones(len(nums)), (rows, nums)), shape=(len(nums), n))
        assert asked.indices.dtype == np.int32
        expected = np.repeat(np.arange(1.0, len(far) + 1)[some, None], dim, axis=1)
        np.testing.assert_array_equal(summed(asked, mapped), expected)
    later = (far[3:] - 1_500_000).astype(np.int32)
    np.testing.assert_array_equal(spread_rows(mapped[1_500_000:], later), mapped[far[3:]])


@pytest.mark.parametrize("dtype", [">f4", "i4", "f2", "f8"])
def test_a_file_of_other_numbers_is_read_as_what_it_holds(
    dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "v.npy", np.arange(80).reshape(10, 8).astype(dtype))
    monkeypatch.setattr(units, "_LARGE", 0)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="c")
    found = spread_rows(mapped, np.array([9, 2]))
    np.testing.assert_array_equal(found, np.arange(80).reshape(10, 8)[[9, 2]])


def test_rows_are_not_read_from_another_file_that_took_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "v.npy", np.ones((10, 8), np.float32))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="c")
    np.save(tmp_path / "w.npy", np.zeros((20, 8), np.float32))
    (tmp_path / "w.npy").replace(tmp_path / "v.npy")
    monkeypatch.setattr(units, "_LARGE", 0)
    assert (spread_rows(mapped, np.array([3, 7])) == 1).all()


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
    with pytest.raises(IndexError):  # there in the file, not among these
        spread_rows(mapped[:1_000], np.array([1_500]))
    assert spread_rows(vectors, np.empty(0, dtype=np.int64)).shape == (0, 8)
    assert spread_rows(mapped, np.empty(0, dtype=np.int64)).shape == (0, 8)
