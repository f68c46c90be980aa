import io
import logging

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.content import index as content_index
from vidrec_tasks.content import inverted
from vidrec_tasks.content.index import Index, build_index, checksum_of
from vidrec_tasks.errors import StoreError
from vidrec_tasks.settings import ContentSettings

EXACT = ContentSettings()
APPROXIMATE = ContentSettings(index_exact_limit=100)

Floats = npt.NDArray[np.float32]


def unit(n: int, dim: int = 32, seed: int = 0) -> Floats:
    """Unit rows around 20 centres, as embeddings are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, dim))
    rows = centres[rng.integers(0, 20, n)] + 0.7 * rng.normal(size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def bytes_of(index: Index) -> bytes:
    return index.poured().collect()


def brute(vectors: Floats, queries: Floats, k: int) -> npt.NDArray[np.int64]:
    scores = np.round(queries @ vectors.T, 6)
    return np.lexsort((np.broadcast_to(np.arange(len(vectors)), scores.shape), -scores))[:, :k]


def test_few_vectors_are_searched_exactly() -> None:
    vectors = unit(500)
    index = build_index(vectors, EXACT)
    scores, nums = index.search(vectors[:20], 10)
    assert index.info["kind"] == "exact"
    assert index.info["recall"] == 1.0
    assert (nums == brute(vectors, vectors[:20], 10)).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    assert (scores.dtype, nums.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize(("kind", "limit"), [("exact", None), ("hnsw", 10**9), ("ivf_sq", 0)])
def test_only_what_is_asked_for_is_found(
    kind: str, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", limit)
    vectors = unit(1_500)
    low = ContentSettings(index_exact_limit=10_000 if limit is None else 100, min_index_recall=0)
    index = build_index(vectors, low)
    assert index.info["kind"] == kind
    some = np.zeros(1_500, dtype=bool)
    some[3::7] = True
    bits = np.packbits(some, bitorder="little")
    _, nums = index.search(vectors[:20], 10, among=bits)
    assert some[nums[nums >= 0]].all()
    if kind == "exact":
        rows = np.flatnonzero(some)
        assert (nums == rows[brute(vectors[rows], vectors[:20], 10)]).all()
    assert (nums >= 0).any(axis=1).all()


@settings(deadline=None, max_examples=40)
@given(picks=st.lists(st.integers(0, 4), min_size=1, max_size=30), k=st.integers(1, 35))
def test_equal_scores_come_by_number_also_where_the_list_ends(picks: list[int], k: int) -> None:
    vectors = unit(5, 8, seed=1)[picks]
    _, nums = build_index(vectors, EXACT).search(unit(3, 8, seed=2), k)
    expected = brute(vectors, unit(3, 8, seed=2), k)
    assert (nums[:, : expected.shape[1]] == expected).all()
    assert (nums[:, expected.shape[1] :] == -1).all()


def test_zero_rows_are_never_found() -> None:
    vectors = unit(50)
    vectors[::3] = 0
    scores, nums = build_index(vectors, EXACT).search(-vectors[1:2], 60)
    found = nums[0][nums[0] >= 0]
    assert len(found) == 33
    assert not set(found) & set(range(0, 50, 3))
    assert (nums[0, 33:] == -1).all()
    assert np.isneginf(scores[0, 33:]).all()


@pytest.mark.parametrize("n", [0, 1, 4])
def test_an_index_of_nothing_finds_nothing(n: int) -> None:
    index = build_index(np.zeros((n, 8), dtype=np.float32), EXACT)
    scores, nums = index.search(unit(2, 8), 3)
    assert (nums == -1).all()
    assert scores.shape == (2, 3)
    again = Index.from_stream(io.BytesIO(bytes_of(index)), index.info)
    assert (again.search(unit(2, 8), 3)[1] == -1).all()


def test_many_vectors_are_searched_approximately_and_the_recall_is_measured() -> None:
    vectors = unit(3_000)
    index = build_index(vectors, APPROXIMATE)
    assert index.info["kind"] == "hnsw"
    assert index.info["recall"] >= 0.95
    _, nums = index.search(vectors[:50], 10)
    assert (nums[:, 0] == np.arange(50)).mean() > 0.95


def test_very_many_vectors_are_quantised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", 200)
    vectors = unit(4_000)
    vectors[7] = 0
    low = APPROXIMATE.model_copy(update={"min_index_recall": 0.1})
    index = build_index(vectors, low)
    assert index.info["kind"] == "ivf_sq"
    assert index.info["bytes"] < vectors.nbytes / 2
    assert 7 not in index.search(vectors[:50], 100)[1]


@pytest.mark.parametrize("zeros", [True, False])
def test_codes_of_an_odd_number_of_dimensions_are_made_even_and_older_ones_are_read(
    monkeypatch: pytest.MonkeyPatch, *, zeros: bool
) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", 200)
    if not zeros:  # as in older stores
        monkeypatch.setattr(inverted, "SIMD_DIMS", 1)
    vectors = unit(4_000, 13)
    low = APPROXIMATE.model_copy(update={"min_index_recall": 0.1})
    index = build_index(vectors, low)
    assert (index.info["kind"], index.info["dim"]) == ("ivf_sq", 13)
    written = bytes_of(index)
    monkeypatch.undo()
    again = Index.from_stream(io.BytesIO(written), index.info)
    assert again.info == index.info
    scores, nums = again.search(vectors[:50], 5)
    assert (nums[:, 0] == np.arange(50)).mean() > 0.95
    exact = np.take_along_axis(vectors[:50] @ vectors.T, nums, axis=1)
    assert np.abs(scores - exact).max() < 0.02
    assert (again.search(vectors[:50], 5, among=np.full(500, 255, np.uint8))[1] == nums).all()


def test_long_vectors_are_found_by_coordinates_and_ordered_by_whole_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", 200)
    vectors = unit(4_000, 256)
    vectors[7] = 0  # so that a row's place in the lists is not its number
    low = APPROXIMATE.model_copy(update={"min_index_recall": 0.85})
    index = build_index(vectors, low)
    assert (index.info["kind"], index.info["coordinates"]) == ("ivf_sq", inverted.REDUCED_DIMS)
    assert "refused" not in index.info
    again = Index.from_stream(io.BytesIO(bytes_of(index)), index.info)
    assert bytes_of(build_index(vectors, low)) == bytes_of(index) == bytes_of(again)
    queries = vectors[8:58]
    scores, nums = again.search(queries, 20)
    assert (nums[:, 0] == np.arange(8, 58)).all()
    # the scores of whole codes, not of coordinates
    assert np.abs(scores - np.take_along_axis(queries @ vectors.T, nums, axis=1)).max() < 0.01
    assert (again.search(queries, 4_000)[1] != 7).all()
    some = np.zeros(4_000, dtype=bool)
    some[5::9] = True
    scores, nums = again.search(queries, 20, among=np.packbits(some, bitorder="little"))
    assert some[nums[nums >= 0]].all()
    rows = np.flatnonzero(some)
    true = rows[brute(vectors[some], queries, 20)]
    assert np.mean([np.isin(a, b).mean() for a, b in zip(true, nums, strict=True)]) > 0.7
    exact = np.take_along_axis(queries @ vectors.T, np.maximum(nums, 0), axis=1)
    assert np.abs(scores - exact)[nums >= 0].max() < 0.01
    everything = np.full(500, 255, dtype=np.uint8)
    assert (again.search(queries, 20, among=everything)[1] == again.search(queries, 20)[1]).all()


def test_where_coordinates_find_too_little_the_lists_hold_whole_codes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", 200)
    monkeypatch.setattr(inverted, "REDUCED_DIMS", 4)
    vectors = unit(4_000, 256)
    index = build_index(vectors, APPROXIMATE.model_copy(update={"min_index_recall": 0.85}))
    assert (index.info["kind"], index.info["coordinates"]) == ("ivf_sq", 256)
    (refused,) = index.info["refused"]
    assert refused["coordinates"] == 4
    assert refused["recall"] < 0.85 <= index.info["recall"]


def test_every_index_that_found_too_little_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", 200)
    monkeypatch.setattr(inverted, "REDUCED_DIMS", 4)
    vectors = unit(2_000, 256)
    index = build_index(vectors, APPROXIMATE.model_copy(update={"min_index_recall": 1.0}))
    assert index.info["kind"] == "exact"
    assert [one["coordinates"] for one in index.info["refused"]] == [4, 256]


def test_too_low_a_recall_falls_back_to_exact_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(content_index, "EF_SEARCH", 1)
    monkeypatch.setattr(content_index, "EF_CONSTRUCTION", 2)
    vectors = unit(3_000, 64)
    with caplog.at_level(logging.WARNING):
        index = build_index(vectors, APPROXIMATE)
    assert index.info["kind"] == "exact"
    assert index.info["recall"] == 1.0
    (refused,) = index.info["refused"]
    assert refused["kind"] == "hnsw"
    assert refused["recall"] < 0.95
    assert "exact search of 3000 vectors instead" in caplog.text
    assert (index.search(vectors[:5], 3)[1] == brute(vectors, vectors[:5], 3)).all()


@pytest.mark.parametrize("limit", [0, 1_000])
def test_the_same_vectors_give_the_same_bytes_and_a_read_index_the_same_answers(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(content_index, "HNSW_LIMIT", limit or 10**9)
    vectors = unit(2_000)
    low = ContentSettings(index_exact_limit=1_500 if not limit else 100, min_index_recall=0)
    first, second = build_index(vectors, low), build_index(vectors, low)
    assert bytes_of(first) == bytes_of(second)
    assert first.info == second.info
    again = Index.from_stream(io.BytesIO(bytes_of(first)), first.info)
    for mine, theirs in zip(first.search(vectors, 20), again.search(vectors, 20), strict=True):
        assert (mine == theirs).all()


def test_an_index_says_which_vectors_it_was_built_from() -> None:
    vectors = unit(50)
    said = build_index(vectors, EXACT).info["checksum"]
    assert said == checksum_of(vectors)
    assert said not in (checksum_of(vectors[::-1]), checksum_of(vectors[:49]))


def test_bytes_that_are_no_index_or_another_one_are_refused() -> None:
    index = build_index(unit(50), EXACT)
    with pytest.raises(StoreError, match="are not an index"):
        Index.from_stream(io.BytesIO(b"not an index at all"), index.info)
    with pytest.raises(StoreError, match="its info says 50 of 32"):
        Index.from_stream(io.BytesIO(bytes_of(build_index(unit(40), EXACT))), index.info)
    for kind in ("ivf_sq", "hnsw"):
        with pytest.raises(StoreError, match=f"is an IndexIDMap, its info says {kind}"):
            Index.from_stream(io.BytesIO(bytes_of(index)), {**index.info, "kind": kind})


def test_no_query_is_no_answer() -> None:
    scores, nums = build_index(unit(5), EXACT).search(np.zeros((0, 32), dtype=np.float32), 3)
    assert scores.shape == nums.shape == (0, 3)


def test_an_index_is_poured_as_long_as_it_says() -> None:
    index = build_index(unit(60), EXACT)
    assert len(bytes_of(index)) == index.poured().size == index.info["bytes"]


def test_what_fails_while_an_index_is_written_is_told_as_it_was() -> None:
    asked: list[int] = []

    def full(piece: bytes | memoryview) -> None:
        asked.append(len(piece))
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        build_index(unit(60), EXACT).poured().pour(full)
    assert len(asked) == 1


@pytest.mark.parametrize("block", [7, 100, 10_000])
def test_the_true_neighbours_are_found_a_block_after_the_other(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(inverted, "ADDED_ROWS", block)
    vectors, nums = unit(300), np.arange(0, 300, 2)
    found = content_index.nearest_rows(vectors, nums, vectors[:9], 20)
    assert (found == nums[brute(vectors[nums], vectors[:9], 20)]).all()
    index = build_index(vectors, EXACT)
    assert bytes_of(index) == bytes_of(build_index(vectors.copy(), EXACT))
