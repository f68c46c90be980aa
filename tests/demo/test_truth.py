"""Measures of recovery on lists whose answer is known by construction."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.demo.truth import (
    duplicates_found,
    duration_correlation,
    has_truth,
    listable,
    planted_pairs,
    planted_share,
    read_truth,
    sensible_share,
    underserved_found,
)
from vidrec_tasks.demo.world import World
from vidrec_tasks.errors import InputError

VIDEOS = pd.DataFrame({"video_id": [f"c{n}" for n in range(6)] + [f"d{n}" for n in range(6)]})


def truth_of(**users: Any) -> dict[str, Any]:
    """Videos c0..c5 are about cats, d0..d5 about coins; c5 shows c4 again."""
    videos = {
        video: {"topics": ["cats" if video[0] == "c" else "coins"], "reupload_of": ""}
        for video in VIDEOS["video_id"]
    }
    videos["c5"]["reupload_of"] = "c4"
    usual = {"topics": ["cats"], "tastes": {"cats": 1}, "later_tastes": {"cats": 1}, "barred": []}
    return {
        "videos": videos,
        "users": {name: {**usual, **said} for name, said in users.items()},
        "topics": {"coins": {"category": "collecting", "tags": ["mint"]}},
        "underserved": {"topic": "coins", "creators": ["k1", "k2"]},
    }


def lists(**by_user: str) -> pd.DataFrame:
    rows = [
        (user, rank, video)
        for user, videos in by_user.items()
        for rank, video in enumerate(videos.split(), start=1)
    ]
    return pd.DataFrame(rows, columns=["user_id", "rank", "video_id"])


WATCHED = lists(u="c0 d0 d1").drop(columns="rank")


def test_a_named_video_is_sensible_when_it_shares_a_planted_topic() -> None:
    explained = pd.DataFrame(
        {
            "video_id": ["c1", "c1", "c1", "c1", "d1"],
            "evidence": [
                {"cited": "c2"},
                {"cited": "d2"},
                {"cited": "c2", "also": {"reason": "liked_by_others", "cited": "d2"}},
                {"n_viewers": 7, "also": {"reason": "liked_by_others", "cited": "c3"}},
                {"n_viewers": 7},
            ],
        }
    )
    assert sensible_share(explained, truth_of()) == {"n_named": 4, "share": 0.5}
    assert np.isnan(sensible_share(explained.tail(1), truth_of())["share"])


def test_a_list_of_all_that_is_possible_scores_one() -> None:
    # unseen on cats: c1, c2, c3 and c4 (c5 is c4 again): 4 possible
    measured = planted_share(lists(u="c1 c2 c3 c4 d2"), truth_of(u={}), VIDEOS, WATCHED)
    assert measured["share"] == 1
    assert measured["precision"] == 0.8
    assert measured["n_users"] == 1


def test_random_order_gets_its_expectation() -> None:
    # 8 unseen groups (c1 c2 c3 c4, d2 d3 d4 d5); the first 2 hold 1 of 4 on average, 2 possible
    measured = planted_share(lists(u="c1 d2"), truth_of(u={}), VIDEOS, WATCHED, n=2)
    assert measured["random_share"] == 0.5
    assert measured["share"] == 0.5


def test_a_video_and_its_reupload_count_once() -> None:
    measured = planted_share(lists(u="c4 c5"), truth_of(u={}), VIDEOS, WATCHED)
    assert measured["share"] == 0.25


def test_what_was_watched_is_no_hit() -> None:
    measured = planted_share(lists(u="c0 c1"), truth_of(u={}), VIDEOS, WATCHED)
    assert measured["share"] == 0.25


def test_a_user_without_a_list_scores_nothing() -> None:
    assert planted_share(lists(v="c1"), truth_of(u={}), VIDEOS, WATCHED)["share"] == 0


def test_barred_videos_are_not_possible() -> None:
    truth = truth_of(u={"barred": ["c2", "c3"]})
    assert planted_share(lists(u="c1 c4"), truth, VIDEOS, WATCHED)["share"] == 1


def test_who_watched_less_than_three_videos_is_left_out() -> None:
    measured = planted_share(lists(u="c1"), truth_of(u={}), VIDEOS, WATCHED[:2])
    assert measured["n_users"] == 0
    assert np.isnan(measured["share"])


def test_drift_is_measured_by_the_new_topic() -> None:
    user = {
        "topics": ["coins", "cats"],
        "tastes": {"cats": 1},
        "later_tastes": {"coins": 0.8, "cats": 0.2},
    }
    measured = planted_share(lists(u="c1 c2 c3 d2"), truth_of(u=user), VIDEOS, WATCHED)
    assert measured["drifted_share"] == 0.25


@given(st.permutations(VIDEOS["video_id"].tolist()), st.integers(1, 12))
def test_shares_lie_between_nothing_and_all(order: list[str], n: int) -> None:
    measured = planted_share(lists(u=" ".join(order)), truth_of(u={}), VIDEOS, WATCHED, n=n)
    assert 0 <= measured["share"] <= 1
    assert 0 < measured["random_share"] <= 1


def test_random_lists_get_the_random_share() -> None:
    rng = np.random.default_rng(1)
    unseen = [v for v in VIDEOS["video_id"] if v not in {"c0", "d0", "d1", "c5"}]
    shares = [
        planted_share(
            lists(u=" ".join(rng.permutation(unseen)[:3])), truth_of(u={}), VIDEOS, WATCHED, n=3
        )
        for _ in range(100)
    ]
    mean = np.mean([measured["share"] for measured in shares])
    assert mean == pytest.approx(shares[0]["random_share"], abs=0.08)


def test_listable_videos_are_active_published_and_not_expired() -> None:
    moments = pd.to_datetime(pd.Series(["2026-08-01", "2026-09-02", None, "2026-08-01"]), utc=True)
    videos = pd.DataFrame(
        {
            "video_id": ["a", "unborn", "b", "withdrawn"],
            "published_at": moments,
            "expires_at": pd.to_datetime(pd.Series([None] * 4), utc=True),
            "status": ["active", "active", "active", "withdrawn"],
        }
    )
    assert listable(videos, night=date(2026, 9, 1))["video_id"].tolist() == ["a", "b"]
    videos["expires_at"] = pd.Timestamp("2026-08-31", tz="UTC")
    assert listable(videos, night=date(2026, 9, 1)).empty


def test_rank_and_length_are_compared_within_lists() -> None:
    videos = VIDEOS.assign(duration_s=np.arange(12) * 10.0 + 5)
    assert duration_correlation(lists(u="c0 c1 c2", v="d0 d1"), videos) == pytest.approx(1)
    assert duration_correlation(lists(u="c2 c1 c0"), videos) == pytest.approx(-1)
    # long videos for one and short ones for the other say nothing of rank
    assert duration_correlation(lists(u="c0 c2 c1", v="d1 d3 d0"), videos) == pytest.approx(0)
    assert np.isnan(duration_correlation(lists(u="c0"), videos))


def test_duplicates_are_counted_by_pair() -> None:
    groups = pd.DataFrame({"video_id": ["c4", "c5", "d1", "d2"], "group_id": ["g", "g", "h", "h"]})
    assert duplicates_found(groups, truth_of()) == {"n_planted": 1, "n_found": 1, "n_false": 1}


def test_the_gap_is_found_under_any_of_the_topics_words() -> None:
    insights = pd.DataFrame(
        {
            "creator_id": ["k1", "k1", "k2", "k2", "k9"],
            "topic": ["mint", "cats", "cats", "coins", "cats"],
            "gap": [0.5, 0.1, 0.9, 0.2, 0.8],
        }
    )
    assert underserved_found(insights, truth_of()) == {"n_affected": 2, "n_found": 1}


def test_the_written_truth_agrees_with_the_plan(tiny: Path, tiny_world: World) -> None:
    truth = read_truth(tiny)
    assert set(truth["videos"]) == {video.video_id for video in tiny_world.videos}
    assert sum(truth["events"].values()) == len(tiny_world.events)
    for source, copy in planted_pairs(truth):
        assert truth["videos"][source]["topics"] == truth["videos"][copy]["topics"]
    for user in truth["users"].values():
        assert sum(user["tastes"].values()) == pytest.approx(1)
        assert set(user["topics"]) == set(user["later_tastes"])


def test_a_store_without_a_world_has_no_truth(tmp_path: Path) -> None:
    assert not has_truth(tmp_path)
    with pytest.raises(InputError, match="no demo world"):
        read_truth(tmp_path)
