"""Fusion: evidence against doubt, votes by rank, and what is unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vidrec_tasks.searching.fusion import LogOdds, deviation, vote

NAN = float("nan")


def odds(*row: float) -> LogOdds:
    return LogOdds.of(np.array([row], dtype=np.float32))


def ranks(*row: float, rrf_k: int = 0) -> list[float]:
    return list(vote([odds(*row)], fusion="reciprocal", rrf_k=rrf_k)[0][0])


def evidence(*row: float) -> list[float]:
    return list(vote([odds(*row)], fusion="evidence", rrf_k=60)[0][0])


def test_evidence_is_measured_against_the_querys_mean() -> None:
    assert odds(1.0, 2.0, 6.0).values.tolist() == [[-2.0, -1.0, 3.0]]


def test_what_is_unknown_speaks_neither_for_nor_against() -> None:
    assert odds(1.0, NAN, 3.0).values.tolist() == [[-1.0, 0.0, 1.0]]


def test_weak_evidence_adds_next_to_nothing_and_strong_evidence_all_of_it() -> None:
    weak, strong = [0.0] * 100 + [0.5], [0.0] * 100 + [20.0]
    assert max(evidence(*weak)) < 0.02
    assert max(evidence(*strong)) == pytest.approx(20 * 100 / 101 - np.log(101), abs=0.01)


def test_a_frame_that_convinces_outweighs_noise_in_the_texts() -> None:
    rng = np.random.default_rng(0)
    text = LogOdds.of(rng.normal(0, 2, size=(1, 500)).astype(np.float32))
    frames = np.zeros((1, 500), dtype=np.float32)
    frames[0, 7] = 14.0
    total = np.sum(vote([text, LogOdds.of(frames)], fusion="evidence", rrf_k=60), axis=0)
    assert int(np.argmax(total)) == 7


@pytest.mark.parametrize("n_videos", [20, 2_000, 20_000])
def test_noise_seldom_convinces_however_many_videos_there_are(n_videos: int) -> None:
    noise = np.random.default_rng(1).normal(0.2, 0.05, size=(20, n_videos)).astype(np.float32)
    scores = 1.5 * noise / deviation(noise, least=0.02, usual=0.1)
    assert LogOdds.of(scores).is_convincing.sum(axis=1).mean() < 1.0


def test_the_deviation_is_that_of_the_noise_whatever_matches() -> None:
    noise = np.random.default_rng(2).normal(0.2, 0.05, size=(1, 2_000)).astype(np.float32)
    assert deviation(noise, least=0.02, usual=0.1)[0, 0] == pytest.approx(0.05, rel=0.1)
    noise[0, :20] = 0.9
    assert deviation(noise, least=0.02, usual=0.1)[0, 0] == pytest.approx(0.055, rel=0.1)


def test_few_scores_have_the_usual_deviation_and_equal_ones_the_least() -> None:
    assert deviation(np.ones((1, 9)), least=0.02, usual=0.1) == pytest.approx(0.1)
    assert deviation(np.ones((1, 10)), least=0.02, usual=0.1) == pytest.approx(0.02)


def test_a_vote_by_rank_is_the_reciprocal_of_k_and_the_rank() -> None:
    assert ranks(0.9, 0.1, 0.5, rrf_k=1) == [1 / 2, 1 / 4, 1 / 3]


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    assert ranks(0.0, 0.0, 1.0) == [1 / 2.5, 1 / 2.5, 1]


def test_a_video_that_is_unknown_gets_the_middle_rank() -> None:
    assert ranks(0.9, NAN, 0.5, 0.1) == [1, 1 / 2, 1 / 2, 1 / 3]


@pytest.mark.parametrize("fusion", ["evidence", "reciprocal"])
def test_who_knows_nothing_changes_no_order(fusion: str) -> None:
    (part,) = vote([odds(NAN, NAN, NAN)], fusion=fusion, rrf_k=60)  # type: ignore[arg-type]
    assert len(set(part[0])) == 1


@settings(max_examples=80, deadline=None)
@given(
    arrays(np.float32, (3, 8), elements=st.floats(-9, 9, width=32) | st.just(NAN)),
    st.sampled_from(["evidence", "reciprocal"]),
)
def test_a_higher_score_never_gets_a_smaller_vote(scores: np.ndarray, fusion: str) -> None:
    (part,) = vote([LogOdds.of(scores)], fusion=fusion, rrf_k=60)  # type: ignore[arg-type]
    assert (part > 0).all()
    assert np.isfinite(part).all()
    for row, own in zip(scores, part, strict=True):
        known = np.flatnonzero(np.isfinite(row))
        ordered = known[np.argsort(row[known], kind="stable")]
        assert (np.diff(own[ordered]) >= 0).all()
