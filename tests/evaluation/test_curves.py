import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.evaluation.curves import USERS_PER_SHARD, ListCurves
from vidrec_tasks.measuring.lists import intra_list_diversity

VECTORS = {
    "a": np.array([1, 0], dtype=np.float32),
    "b": np.array([0, 1], dtype=np.float32),
    "c": np.array([1, 0], dtype=np.float32),
    "none": np.zeros(2, dtype=np.float32),
}


def lists(*rows: tuple[str, list[str]]) -> pd.DataFrame:
    said = [
        {"user_id": user, "rank": rank, "video_id": video, "score": 1.0 / rank}
        for user, videos in rows
        for rank, video in enumerate(videos, 1)
    ]
    return pd.DataFrame(said)


def test_longer_lists_cover_more() -> None:
    curves = ListCurves()
    curves.add(lists(("u1", ["a", "b"])), VECTORS)
    curves.add(lists(("u2", ["a", "c"])), VECTORS)
    assert [(p.label, p.value) for p in curves.coverage(4)] == [("1", 0.25), ("2", 0.75)]


def test_variety_of_the_whole_list_is_the_metric() -> None:
    curves = ListCurves()
    curves.add(lists(("u1", ["a", "b", "c"])), VECTORS)
    two, three = curves.diversity()
    assert two.value == pytest.approx(1.0)
    vectors = np.stack([VECTORS[name] for name in ("a", "b", "c")])
    assert three.value == pytest.approx(intra_list_diversity(np.array([[0, 1, 2]]), vectors)[0])


def test_a_video_without_content_says_nothing_of_variety() -> None:
    curves = ListCurves()
    curves.add(lists(("u1", ["a", "none", "b"])), VECTORS)
    assert [point.label for point in curves.diversity()] == ["2"]


def test_scores_fall_with_the_rank_and_have_a_band() -> None:
    curves = ListCurves()
    curves.add(lists(("u1", ["a", "b"]), ("u2", ["a", "b"])), VECTORS)
    first, second = curves.score_by_rank()
    assert first.value > second.value
    assert first.low == first.high == 1.0


def test_a_large_shard_is_sampled_but_covered_in_full() -> None:
    many = lists(*[(f"u{number}", [f"v{number}"]) for number in range(USERS_PER_SHARD + 9)])
    curves = ListCurves()
    curves.add(many, {})
    assert len(curves.scores[1]) == USERS_PER_SHARD
    assert curves.coverage(USERS_PER_SHARD + 9)[0].value == 1.0


def test_no_lists_have_no_curves() -> None:
    curves = ListCurves()
    assert (curves.coverage(3), curves.diversity(), curves.score_by_rank()) == ([], [], [])
