"""Likeness: the catalogue itself says from when on two videos are much alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.evaluation.claim_likeness import numbered
from vidrec_tasks.recommending.explaining.likeness import (
    N_PAIRS,
    PERCENTILE,
    Likeness,
    random_pairs,
)
from vidrec_tasks.recommending.explaining.links import part_of


def measure(n: int, *, topics: list[list[str]] | None = None, seed: int = 1) -> Likeness:
    vectors = to_unit(np.random.default_rng(0).normal(size=(n, 16)))
    return Likeness.of([f"v{num}" for num in range(n)], vectors, topics or [[]] * n, seed=seed)


@pytest.mark.parametrize("n", [40, 400])
def test_about_one_pair_in_a_hundred_is_above_the_threshold(n: int) -> None:
    found = measure(n)
    whole = found.vectors @ found.vectors.T
    cosines = whole[np.triu_indices(n, k=1)]
    above = float((cosines > found.threshold).mean())
    assert above == pytest.approx(1 - PERCENTILE / 100, abs=0.005)


def test_the_same_seed_draws_the_same_pairs() -> None:
    assert measure(400).threshold == measure(400).threshold
    assert measure(400, seed=2).threshold == pytest.approx(measure(400).threshold, abs=0.05)


def test_pairs_are_of_two_different_videos() -> None:
    for n in (2, 30, 5_000):
        left, right = random_pairs(n, np.random.default_rng(0))
        assert (left != right).all()
        assert len(left) == min(N_PAIRS, n * (n - 1) // 2)
        assert (right >= 0).all()
        assert (right < n).all()


def test_a_few_videos_are_no_measure() -> None:
    assert measure(14).threshold == np.inf
    assert measure(15).threshold < 1


def test_a_video_without_content_is_like_nothing() -> None:
    vectors = np.zeros((20, 4), dtype=np.float32)
    vectors[1:] = to_unit(np.random.default_rng(0).normal(size=(19, 4)))
    found = Likeness.of([f"v{num}" for num in range(20)], vectors, [[]] * 20, seed=1)
    assert found.between("v0", "v1") == -1
    assert found.between("v1", "gone") == -1
    assert found.between("v1", "v1") == pytest.approx(1, abs=1e-4)


def test_a_topic_of_a_quarter_of_the_videos_joins_none() -> None:
    topics = [["all"] * (num < 10) + ["few"] * (num < 5) for num in range(40)]
    assert measure(40, topics=topics).common == {"all"}
    assert measure(10, topics=topics[:10]).common == frozenset()


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("Pots, part 2", ("pots part", 2)),
        ("2. Pots", ("pots", 2)),
        ("Pots 12 (2019)", ("pots 2019", 12)),
        ("Ep. 4: Pots and pans", ("ep pots and pans", 4)),
        ("Pots #43 with Ann", ("pots with ann", 43)),
        ("S01E05 Pots", ("s01e pots", 5)),
        ("Formula 1 highlights", None),
        ("Top 10 goals", None),
        ("A phone 15 review", None),
        ("罐子：第3集", ("罐子 第 集", 3)),
        ("Pots 2019", None),
        ("Part 3", None),
        ("7", None),
        ("Pots", None),
        ("", None),
    ],
)
def test_the_number_of_a_part_is_read_from_the_title(
    title: str, part: tuple[str, int] | None
) -> None:
    assert part_of(title) == part
    assert numbered(title) == part  # as the checker reads it


_PIECES = st.sampled_from(
    ["pots", "part", "Ep.", "#", "第", "2", "12", "007", "2019", "10000", ":", "-", "(", ")", " ",
     " ", "s", "E", "Teil", "of", "."]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=9).map("".join))
def test_what_is_called_a_part_is_one_for_the_checker_too(title: str) -> None:
    said = part_of(title)
    assert said is None or numbered(title) == said
