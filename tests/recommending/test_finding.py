"""Finding: what filters eat is searched for again, until the list is full or nothing is left."""

from collections import Counter

import numpy as np
import pytest

from vidrec_tasks.content.index import build_index
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.sources import finding
from vidrec_tasks.recommending.lists.sources.finding import best_of_all, near, top
from vidrec_tasks.settings import ContentSettings

N_VIDEOS, N_USERS, N = 3_000, 12, 10


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


RNG = np.random.default_rng(5)
VECTORS = unit(RNG.normal(size=(N_VIDEOS, 16)))
QUERIES = unit(RNG.normal(size=(N_USERS, 16)))


def only(share: float) -> tuple[Eligible, np.ndarray]:
    """Users who may be shown a share of the videos: those that are far from all of them."""
    order = np.argsort((QUERIES @ VECTORS.T).max(axis=0))
    mask = np.zeros((2, N_VIDEOS), dtype=bool)
    mask[0, order[: int(share * N_VIDEOS)]] = True
    mask[1] = True
    cell_of = np.arange(N_USERS) % 2
    return Eligible.of_masks(mask, cell_of), mask[cell_of]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.05, 0.001])
def test_an_index_finds_as_much_as_may_be_shown_however_little_that_is(share: float) -> None:
    eligible, whole = only(share)
    index = build_index(VECTORS, ContentSettings())
    counts: Counter[str] = Counter()
    scores, nums = near(index, VECTORS, QUERIES, eligible, N, counts)
    expected = top(QUERIES @ VECTORS.T, whole, N)
    np.testing.assert_array_equal(nums, expected[1])
    np.testing.assert_allclose(scores[nums >= 0], expected[0][nums >= 0], atol=1e-5)
    assert counts["searches"] == N_USERS
    assert counts["left_short"] == 0
    assert (counts["searched_by_cell"] > 0) == (share < 1)


def test_an_approximate_index_is_searched_among_a_cell_too() -> None:
    eligible, whole = only(0.01)
    index = build_index(VECTORS, ContentSettings(index_exact_limit=100, min_index_recall=0))
    assert index.info["kind"] == "hnsw"
    _, nums = near(index, VECTORS, QUERIES, eligible, N)
    users, places = np.nonzero(nums >= 0)
    assert whole[users, nums[users, places]].all()
    assert (nums[1::2] >= 0).all()


def test_products_in_chunks_find_what_one_product_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    eligible, whole = only(0.3)
    monkeypatch.setattr(finding, "CHUNK", 256)
    _, nums = near(None, VECTORS, QUERIES, eligible, N)
    np.testing.assert_array_equal(nums, top(QUERIES @ VECTORS.T, whole, N)[1])


def test_who_asks_nothing_finds_nothing() -> None:
    eligible, _ = only(0.5)
    queries = np.zeros_like(QUERIES)
    for index in (None, build_index(VECTORS, ContentSettings())):
        counts: Counter[str] = Counter()
        assert (near(index, VECTORS, queries, eligible, N, counts)[1] == -1).all()
        assert not counts["searched_wider"]


def test_videos_that_no_index_holds_are_not_searched_for_again() -> None:
    vectors = VECTORS.copy()
    vectors[5:] = 0
    counts: Counter[str] = Counter()
    index = build_index(vectors, ContentSettings())
    everything = Eligible.everything(N_USERS, N_VIDEOS)
    _, nums = near(index, vectors, QUERIES, everything, N, counts)
    assert ((nums >= 0).sum(axis=1) == 5).all()
    assert not counts["searched_wider"]


@pytest.mark.parametrize("scanned", [7, 4_096])
def test_the_best_of_all_are_those_that_each_may_be_shown(
    scanned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_SCANNED", scanned)
    scores = np.random.default_rng(2).integers(0, 9, N_VIDEOS).astype(np.float32)
    best = np.argsort(-scores, kind="stable")
    for share in (0.5, 0.001):
        eligible, whole = only(share)
        _, nums = best_of_all(best, scores[best], eligible, N)
        expected = top(np.broadcast_to(scores, whole.shape), whole, N_VIDEOS)[1][:, :N]
        np.testing.assert_array_equal(nums, expected)
