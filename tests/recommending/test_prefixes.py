"""Rows that begin alike are embedded as each alone; a guess is one only where it says so."""

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_tower import SHAPE, replace, untrained
from vidrec_tasks.recommending.models.guesses import guess_without
from vidrec_tasks.recommending.models.prefixes import begin, embed_alike, embed_begun
from vidrec_tasks.recommending.models.sequences import PAD
from vidrec_tasks.recommending.models.tower import embed_rows, embed_videos

LENGTH = 12
TOWER = untrained(replace(SHAPE, length=LENGTH, n_layers=2))
VIDEOS = embed_videos(TOWER)


def aligned(rows: list[np.ndarray]) -> np.ndarray:
    return np.array([[*[PAD] * (LENGTH - len(row[-LENGTH:])), *row[-LENGTH:]] for row in rows])


def histories() -> list[np.ndarray]:
    """Of no video, of one, of many, of more than are read, and with one that is there twice."""
    rng = np.random.default_rng(3)
    lengths = (0, 1, 2, 5, 9, 11, 12, 13, 15)
    made = [rng.permutation(worlds.N_VIDEOS)[:n] for n in lengths]
    return [*made, np.array([4, 7, 4, 9, 7])]


def without_each() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each history whole and without each of its videos; whose they are, and what is left out."""
    rows, groups, without = [], [], []
    for group, history in enumerate(histories()):
        for left_out in (-1, *dict.fromkeys(history.tolist())):
            rows.append(history[history != left_out])
            groups.append(group)
            without.append(left_out)
    return aligned(rows), np.array(groups), np.array(without)


@pytest.mark.parametrize("places", [1, 512])
def test_rows_that_begin_alike_are_embedded_as_each_alone(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.recommending.models.prefixes._PLACES", places)
    rows, groups, _ = without_each()
    found = embed_alike(TOWER, rows, groups, VIDEOS)
    np.testing.assert_allclose(found, embed_rows(TOWER, rows, VIDEOS), atol=1e-5)


def test_rows_read_from_where_they_differ_from_a_whole_are_embedded_as_each_alone() -> None:
    rows, groups, _ = without_each()
    begun = begin(TOWER, aligned(histories()), VIDEOS)
    found = embed_begun(TOWER, begun, rows, groups, VIDEOS)
    np.testing.assert_allclose(found, embed_rows(TOWER, rows, VIDEOS), atol=1e-5)


def test_a_row_may_go_on_where_its_group_ends_or_end_before_it() -> None:
    begun = begin(TOWER, aligned([np.array([1, 2, 3]), np.array([], dtype=int)]), VIDEOS)
    rows = aligned([np.array(row) for row in ([1, 2, 3, 4, 5], [1, 2], [1, 2, 3], [6])])
    found = embed_begun(TOWER, begun, rows, np.array([0, 0, 0, 1]), VIDEOS)
    np.testing.assert_allclose(found, embed_rows(TOWER, rows, VIDEOS), atol=1e-5)


def test_rows_that_have_nothing_in_common_may_be_grouped() -> None:
    rows = aligned([np.array([1, 2, 3]), np.array([4, 5]), np.array([], dtype=int)])
    found = embed_alike(TOWER, rows, np.zeros(3, dtype=np.int64), VIDEOS)
    np.testing.assert_allclose(found, embed_rows(TOWER, rows, VIDEOS), atol=1e-5)


def test_no_rows_are_no_error() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert embed_alike(TOWER, np.zeros((0, LENGTH), np.int64), nothing, VIDEOS).shape == (0, 16)
    found, _ = guess_without(
        TOWER, begin(TOWER, aligned(histories()), VIDEOS), nothing, nothing, VIDEOS
    )
    assert found.shape == (0, 16)


@pytest.mark.parametrize("together", [1, 32])
def test_a_guess_is_right_where_it_is_certain_and_near_elsewhere(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.recommending.models.guesses._TOGETHER", together)
    rows, groups, without = without_each()
    wholes = begin(TOWER, aligned(histories()), VIDEOS)
    found, is_certain = guess_without(TOWER, wholes, groups, without, VIDEOS)
    exact = embed_rows(TOWER, rows, VIDEOS)
    np.testing.assert_allclose(found[is_certain], exact[is_certain], atol=1e-5)
    assert is_certain[without < 0].all()
    newest = [history[-1] if len(history) else -1 for history in histories()]
    is_newest = without == np.array(newest)[groups]
    is_short = np.array([len(history) < LENGTH for history in histories()])[groups]
    is_once = groups != len(histories()) - 1
    assert is_certain[is_newest & is_short & is_once].all()
    assert not is_certain[~is_newest & (without >= 0)].any()
    whole = exact[np.searchsorted(groups, groups)]
    far, near = np.abs(whole - exact).mean(), np.abs(found - exact).mean()
    assert near < far
