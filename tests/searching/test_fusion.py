"""Fusion: votes by rank, unknown in the middle, noise is not a match."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vidrec_tasks.searching.fusion import stands_out, vote

NAN = float("nan")


def votes(*scores: list[float], rrf_k: int = 60) -> list[list[float]]:
    parts = [np.array([row], dtype=np.float32) for row in scores]
    return [list(part[0]) for part in vote(parts, rrf_k=rrf_k)]


def test_a_vote_is_the_reciprocal_of_k_and_the_rank() -> None:
    assert votes([0.9, 0.1, 0.5], rrf_k=1) == [[1 / 2, 1 / 4, 1 / 3]]


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    assert votes([0.0, 0.0, 1.0], rrf_k=0) == [[1 / 2.5, 1 / 2.5, 1]]


def test_a_video_that_a_scorer_does_not_know_gets_its_middle_rank() -> None:
    assert votes([0.9, NAN, 0.5, 0.1], rrf_k=0)[0] == [1, 1 / 2, 1 / 2, 1 / 3]


def test_a_scorer_that_knows_nothing_changes_no_order() -> None:
    assert len(set(votes([NAN, NAN, NAN])[0])) == 1


def test_one_far_above_the_others_stands_out() -> None:
    noise = np.random.default_rng(0).normal(0.2, 0.05, size=(1, 200)).astype(np.float32)
    noise[0, 7] = 0.9
    assert np.flatnonzero(stands_out(noise)[0]).tolist() == [7]


@pytest.mark.parametrize("n_videos", [20, 2_000, 20_000])
def test_noise_seldom_stands_out_however_many_videos_there_are(n_videos: int) -> None:
    noise = np.random.default_rng(1).normal(0.2, 0.05, size=(20, n_videos))
    assert stands_out(noise.astype(np.float32)).sum(axis=1).mean() < 1.0


def test_what_is_unknown_or_not_above_zero_does_not_stand_out() -> None:
    scores = np.array([[NAN, NAN], [0.0, 0.0], [-0.5, -0.1]], dtype=np.float32)
    assert not stands_out(scores).any()


@settings(max_examples=80, deadline=None)
@given(arrays(np.float32, (3, 8), elements=st.floats(-1, 1, width=32) | st.just(NAN)))
def test_a_higher_score_never_gets_a_smaller_vote(scores: np.ndarray) -> None:
    (part,) = vote([scores], rrf_k=60)
    assert (part > 0).all()
    assert (part <= 1 / 61).all()
    for row, own in zip(scores, part, strict=True):
        known = np.flatnonzero(np.isfinite(row))
        ordered = known[np.argsort(row[known], kind="stable")]
        assert (np.diff(own[ordered]) >= 0).all()
