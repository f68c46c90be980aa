import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import ndcg_score

from vidrec_tasks.errors import ContractError
from vidrec_tasks.measuring.metrics import PADDING, ranking_metrics

Ints = npt.NDArray[np.int64]
Case = tuple[list[int], set[int], int]


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    """Users of one world: a list, what was relevant, and the length all lists are padded to."""
    n_videos = draw(st.integers(1, 12))
    length = draw(st.integers(1, 12))
    videos = st.integers(0, n_videos - 1)
    one = st.tuples(
        st.lists(videos, unique=True, max_size=length),
        st.sets(videos, max_size=n_videos),
        st.just(length),
    )
    return draw(st.lists(one, min_size=1, max_size=6))


def padded(world: list[Case]) -> Ints:
    return np.array([row + [PADDING] * (n - len(row)) for row, _, n in world], dtype=np.int64)


def naive(ranked: list[int], relevant: set[int], k: int) -> dict[str, float]:
    """The textbook definitions, one loop each."""
    gains = [1 if video in relevant else 0 for video in ranked[:k]]
    dcg = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))
    precisions = [sum(gains[:rank]) / rank for rank, gain in enumerate(gains, 1) if gain]
    first = next((rank for rank, gain in enumerate(gains, 1) if gain), None)
    return {
        f"ndcg@{k}": dcg / ideal,
        f"hr@{k}": float(any(gains)),
        f"recall@{k}": sum(gains) / len(relevant),
        f"precision@{k}": sum(gains) / k,
        f"map@{k}": sum(precisions) / min(k, len(relevant)),
        f"mrr@{k}": 1 / first if first else 0.0,
    }


@given(cases(), st.integers(1, 14))
@settings(max_examples=200, deadline=None)
def test_every_metric_is_that_of_the_textbook_loop(world: list[Case], k: int) -> None:
    measured = ranking_metrics(padded(world), [relevant for _, relevant, _ in world], ks=(k,))
    asked = [user for user, (_, relevant, _) in enumerate(world) if relevant]
    assert measured["user_num"].to_list() == asked
    for row, user in zip(measured.to_dict("records"), asked, strict=True):
        for name, value in naive(world[user][0], world[user][1], k).items():
            assert row[name] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("k", [1, 5, 10, 40])
def test_ndcg_is_that_of_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(3)
    truth = rng.random((50, 40)) < 0.15
    truth[:, 0] = True  # scikit-learn has no notion of a user without relevant videos
    scores = rng.random((50, 40))
    ranked = np.argsort(-scores, axis=1)
    relevant = [set(np.flatnonzero(row)) for row in truth]
    measured = ranking_metrics(ranked, relevant, ks=(k,))
    theirs = [ndcg_score(truth[[u]].astype(int), scores[[u]], k=k) for u in range(50)]
    np.testing.assert_allclose(measured[f"ndcg@{k}"], theirs, rtol=1e-12)


def test_a_list_worked_out_by_hand() -> None:
    # hits at ranks 2 and 4 of 5; three relevant videos, one of them not in the list
    row = ranking_metrics(np.array([[7, 1, 8, 2, 9]]), [{1, 2, 3}], ks=(5,)).iloc[0]
    best = 1 + 1 / math.log2(3) + 1 / 2
    assert row["ndcg@5"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)
    assert row["recall@5"] == pytest.approx(2 / 3)
    assert row["precision@5"] == pytest.approx(2 / 5)
    assert row["map@5"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert row["mrr@5"] == pytest.approx(1 / 2)
    assert row["hr@5"] == 1


def test_users_without_relevant_videos_are_left_out() -> None:
    measured = ranking_metrics(np.array([[0], [1], [2]]), [{0}, set(), {5}], ks=(1,))
    assert measured["user_num"].to_list() == [0, 2]
    assert measured["hr@1"].to_list() == [1.0, 0.0]


def test_sets_arrays_and_a_sparse_matrix_say_the_same() -> None:
    ranked = np.array([[3, 0, 1], [2, PADDING, PADDING], [1, 2, 3]])
    sets = [{0, 3}, {1}, {2}]
    arrays = [np.array(sorted(videos)) for videos in sets]
    matrix = sparse.csr_array(np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]))
    first = ranking_metrics(ranked, sets)
    assert first.equals(ranking_metrics(ranked, arrays))
    assert first.equals(ranking_metrics(ranked, matrix))


def test_padding_never_hits_the_last_video_of_the_user_before() -> None:
    # -1 as a key would be the neighbour's highest video
    measured = ranking_metrics(np.array([[0, 1], [PADDING, PADDING]]), [{9}, {9}], ks=(2,))
    assert measured["hr@2"].to_list() == [0.0, 0.0]


def test_a_list_that_repeats_a_video_is_refused() -> None:
    with pytest.raises(ContractError, match=r"1 of 2 repeat a video \(first: row 1\)"):
        ranking_metrics(np.array([[0, 1], [2, 2]]), [{0}, {2}])


def test_lists_of_another_number_of_users_are_refused() -> None:
    with pytest.raises(ContractError, match="one row a user"):
        ranking_metrics(np.array([[0, 1]]), [{0}, {2}])


def test_nobody_to_measure_gives_an_empty_table_with_its_columns() -> None:
    measured = ranking_metrics(np.empty((0, 5), dtype=np.int64), [], ks=(10,))
    assert measured.empty
    assert "ndcg@10" in measured
