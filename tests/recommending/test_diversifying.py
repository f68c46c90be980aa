"""Diversifying: each part says what its formula says, place by place."""

import numpy as np
import numpy.typing as npt

from vidrec_tasks.recommending.lists.diversifying import Calibrated, Determinant, Dissimilar, Spread


def units(n: int, dim: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_the_determinant_grows_by_what_is_said() -> None:
    vectors = units(12, 6)
    part = Determinant(vectors)
    taken: list[int] = []
    for place in (3, 7, 1, 10):
        before = np.linalg.slogdet(vectors[taken] @ vectors[taken].T)[1] if taken else 0.0
        gains = part.gain()
        for other in set(range(12)) - set(taken):
            rows = vectors[[*taken, other]].astype(np.float64)
            after = np.linalg.slogdet(rows @ rows.T)[1]
            assert abs(2 * gains[other] - (after - before)) < 1e-4
        part.take(place)
        taken.append(place)


def test_the_same_video_again_would_add_least_of_all() -> None:
    vectors = units(5, 4)
    vectors[4] = vectors[0]
    part = Determinant(vectors)
    part.take(0)
    assert part.gain().argmin() in (0, 4)
    assert part.gain()[4] < -5


def test_a_video_of_which_nothing_is_known_is_like_nothing() -> None:
    vectors = units(4, 4)
    vectors[2] = 0
    part = Determinant(vectors)
    part.take(0)
    assert part.gain()[2] == 0
    part.take(2)
    assert np.isfinite(part.gain()).all()


def test_dissimilar_looks_at_the_nearest_alone() -> None:
    vectors = units(6, 5)
    part = Dissimilar(vectors)
    assert not part.gain().any()
    part.take(0)
    part.take(1)
    nearest = np.maximum(0, np.maximum(vectors @ vectors[0], vectors @ vectors[1]))
    np.testing.assert_allclose(part.gain(), -nearest, atol=1e-6)


def test_spread_adds_up_to_the_cosines_of_all_pairs() -> None:
    vectors = units(6, 5)
    part = Spread(vectors, n=4)
    total = 0.0
    for place in (2, 0, 5, 3):
        total += part.gain()[place]
        part.take(place)
    chosen = vectors[[2, 0, 5, 3]]
    pairs = (chosen @ chosen.T)[np.triu_indices(4, k=1)]
    assert abs(total + pairs.sum() / 3) < 1e-5


def test_the_topic_that_is_missing_gains_most() -> None:
    part = Calibrated(np.array([0.5, 0.5]), np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    assert part.gain()[0] == part.gain()[1] > part.gain()[2]
    part.take(0)
    assert part.gain()[1] > 0 >= part.gain()[0]


def test_a_user_without_topics_asks_for_nothing() -> None:
    part = Calibrated(np.zeros(2), np.eye(2))
    assert not part.gain().any()
