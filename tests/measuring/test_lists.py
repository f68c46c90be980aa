import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.measuring.worlds import histories_of
from vidrec_tasks.measuring.lists import (
    intra_list_diversity,
    list_metrics,
    miscalibration,
    topic_mix,
)
from vidrec_tasks.measuring.metrics import PADDING

EVERYTHING = np.array([[0, 1], [2, 3]])
ONE_FOR_ALL = np.array([[0, 1], [0, 1]])


def test_coverage_overlap_and_gini_of_lists_that_share_nothing_and_everything() -> None:
    apart = list_metrics(EVERYTHING, n_videos=4)
    same = list_metrics(ONE_FOR_ALL, n_videos=4)
    assert apart == {"coverage": 1.0, "exposure_gini": 0.0, "user_overlap": 0.0}
    assert same == {"coverage": 0.5, "exposure_gini": 0.5, "user_overlap": 1.0}


def test_the_overlap_is_jaccard_and_padding_is_no_video() -> None:
    ranked = np.array([[0, 1, PADDING], [1, 2, 3]])
    assert list_metrics(ranked, n_videos=4)["user_overlap"] == pytest.approx(1 / 4)


def test_novelty_is_the_mean_self_information() -> None:
    popularity = np.array([6, 0, 0, 0])  # with one added: 7, 1, 1, 1 of 10
    measured = list_metrics(np.array([[0, 1]]), n_videos=4, popularity=popularity)
    assert measured["novelty_bits"] == pytest.approx((-math.log2(0.7) - math.log2(0.1)) / 2)


def test_popular_share_counts_rows_of_the_most_watched_hundredth() -> None:
    popularity = np.arange(200)  # the popular two are 198 and 199
    measured = list_metrics(np.array([[199, 0], [198, 199]]), n_videos=200, popularity=popularity)
    assert measured["popular_share"] == pytest.approx(3 / 4)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_diversity_is_the_mean_over_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(9, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0  # a video without content is left out
    ranked = np.array([[0, 1, 2, 3], [4, 5, PADDING, PADDING], [0, 6, PADDING, PADDING]])
    pairs = [[1 - vectors[a] @ vectors[b] for a, b in combinations(row, 2)] for row in
             ([1, 2, 3], [4, 5])]  # fmt: skip
    measured = intra_list_diversity(ranked, vectors.astype(np.float32))
    assert measured[:2] == pytest.approx([np.mean(pair) for pair in pairs], abs=1e-6)
    assert math.isnan(measured[2])


def test_lists_in_many_blocks_are_measured_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(50, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranked = np.stack([rng.permutation(50)[:5] for _ in range(17)])
    whole = intra_list_diversity(ranked, vectors)
    monkeypatch.setattr("vidrec_tasks.measuring.lists.BLOCK", 4)
    assert np.array_equal(whole, intra_list_diversity(ranked, vectors))


def test_a_list_with_the_mix_of_its_user_is_calibrated() -> None:
    topics = sparse.csr_array(np.array([[1, 0], [0, 1], [1, 0], [1, 1]]))
    tastes = sparse.csr_array(np.array([[3.0, 1.0], [0.5, 0.5], [0.0, 0.0]]))
    ranked = np.array([[0, 1, 2], [0, 2, PADDING], [0, 1, 2]])
    measured = miscalibration(ranked, topics, tastes)
    # user 0: p = (3/4, 1/4), q = (2/3, 1/3), q~ = 0.99 q + 0.01 p
    q = 0.99 * np.array([2 / 3, 1 / 3]) + 0.01 * np.array([0.75, 0.25])
    assert measured[0] == pytest.approx(0.75 * math.log(0.75 / q[0]) + 0.25 * math.log(0.25 / q[1]))
    # user 1: a topic is missing from the list; the smoothing keeps that finite
    assert measured[1] == pytest.approx(0.5 * math.log(0.5 / 0.995) + 0.5 * math.log(0.5 / 0.005))
    assert math.isnan(measured[2])


def test_a_perfect_mix_has_no_divergence() -> None:
    topics = sparse.csr_array(np.eye(2))
    tastes = sparse.csr_array(np.array([[5.0, 5.0]]))
    assert miscalibration(np.array([[0, 1]]), topics, tastes) == pytest.approx([0.0], abs=1e-12)


def test_a_topic_mix_shares_weights_of_liked_videos_among_their_topics() -> None:
    topics = sparse.csr_array(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]]))
    histories = histories_of({"u": [(0, 2.0, 1), (1, 2.0, 2), (2, -1.0, 3)], "v": []})
    mix = topic_mix(histories, topics).toarray()
    np.testing.assert_allclose(mix, [[0.5, 0.25, 0.25], [0, 0, 0]])


def test_what_cannot_be_said_is_left_out() -> None:
    empty = np.full((2, 3), PADDING)
    assert list_metrics(empty, n_videos=4) == {"coverage": 0.0}
    single = np.array([[0, PADDING]])
    measured = list_metrics(single, n_videos=4, vectors=np.eye(4, dtype=np.float32))
    assert set(measured) == {"coverage", "exposure_gini"}


def test_all_measures_come_together() -> None:
    measured = list_metrics(
        EVERYTHING,
        n_videos=4,
        popularity=np.arange(4),
        vectors=np.eye(4, dtype=np.float32),
        topics=sparse.csr_array(np.eye(4)),
        tastes=sparse.csr_array(np.ones((2, 4))),
        rng=np.random.default_rng(5),
    )
    assert set(measured) == {
        "coverage", "exposure_gini", "user_overlap", "novelty_bits", "popular_share",
        "intra_list_diversity", "miscalibration",
    }  # fmt: skip
    assert measured["intra_list_diversity"] == pytest.approx(1.0)
