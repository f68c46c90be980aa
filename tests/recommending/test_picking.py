"""Picking from a handful of candidates whose right choice is known."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.recommending.beside.picking import Picking, pick
from vidrec_tasks.recommending.catalogue.content import Content

AXES = [0, 0, 1, 2, 3, 4]
N = len(AXES)


def world(creators: list[str] | None = None, groups: list[str] | None = None) -> Content:
    ids = [f"v{num}" for num in range(N)]
    videos = pd.DataFrame(
        {
            "video_id": ids,
            "creator_id": creators or [""] * N,
            "published_at": pd.Series([pd.NaT] * N, dtype="datetime64[us, UTC]"),
            "duration_s": [1.0] * N,
        }
    )
    named = [(video, group) for video, group in zip(ids, groups or [""] * N, strict=True) if group]
    same = pd.DataFrame(named, columns=["video_id", "group_id"])
    return Content.of(videos, np.eye(5, dtype=np.float32)[AXES], duplicates=same)


def picked(relevance: list[float], content: Content | None = None, **how: float) -> list[int]:
    usual = {"n": 3, "diversity": 0.0, "max_per_creator": 9}
    chosen = Picking(**{**usual, **how})  # type: ignore[arg-type]
    return pick(np.arange(N), np.array(relevance, dtype=np.float32), content or world(), chosen)


RELEVANCE = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]


def test_without_diversity_the_most_relevant_are_picked() -> None:
    assert picked(RELEVANCE) == [0, 1, 2]


def test_equal_ones_are_picked_in_their_order() -> None:
    assert picked([0.5] * N) == [0, 1, 2]


def test_diversity_passes_over_what_is_like_the_first() -> None:
    assert picked(RELEVANCE, diversity=0.5) == [0, 2, 3]


def test_one_of_a_group_is_enough() -> None:
    assert picked(RELEVANCE, world(groups=["g", "", "g", "g", "", ""])) == [0, 1, 4]


def test_a_creators_share_ends_while_there_are_others() -> None:
    assert picked(RELEVANCE, world(["a", "a", "a", "b", "c", "d"]), max_per_creator=1) == [0, 3, 4]


def test_a_creator_alone_fills_the_list() -> None:
    assert picked(RELEVANCE, world(["a"] * N), max_per_creator=1) == [0, 1, 2]


def test_videos_without_a_creator_are_not_one_creators() -> None:
    assert picked(RELEVANCE, max_per_creator=1) == [0, 1, 2]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=N, max_size=N),
    st.lists(st.sampled_from(["", "a", "b"]), min_size=N, max_size=N),
    st.lists(st.sampled_from(["", "g", "h"]), min_size=N, max_size=N),
    st.integers(0, 8),
    st.floats(0, 1),
    st.integers(1, 3),
)
def test_a_list_is_as_long_as_it_can_be_and_shares_no_group(
    relevance: list[float],
    creators: list[str],
    groups: list[str],
    n: int,
    diversity: float,
    cap: int,
) -> None:
    content = world(creators, groups)
    nums = picked(relevance, content, n=n, diversity=diversity, max_per_creator=cap)
    n_possible = sum(not group for group in groups) + len(set(groups) - {""})
    assert len(nums) == min(n, n_possible)
    assert len(set(nums)) == len(nums)
    named = [groups[num] for num in nums if groups[num]]
    assert len(named) == len(set(named))
