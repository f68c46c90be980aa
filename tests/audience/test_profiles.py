"""Profiles: a content vector, topics and behaviour of each user, as of the night."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audience import worlds
from tests.audience.worlds import NIGHT, catalogue, event, log
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.profiles import MIN_TOPIC_SHARE, Profiles, build_profiles

TOPICS = [["cats"], ["cats", "space"], ["space"], ["jazz"], []]
VIDEOS = catalogue(**{f"v{num}": {} for num in range(5)})
FUSED = np.eye(5, dtype=np.float32)
"""Each video points its own way."""
SETTINGS = worlds.SETTINGS.model_copy(update={"half_life_days": 10.0})
DAY = 24.0


def build(*rows: dict[str, Any], **more: Any) -> Profiles:
    interactions = log(*rows)
    told = {"settings": SETTINGS, "video_topics": TOPICS, **more}
    return build_profiles(
        interactions,
        weigh(interactions, VIDEOS, told["settings"], night=NIGHT),
        VIDEOS,
        FUSED,
        told["video_topics"],
        told["settings"],
        night=NIGHT,
        users=told.get("users"),
    )


def like(user: str, num: int, days: float = 1.0) -> dict[str, Any]:
    return event(user, f"v{num}", days * DAY, "like")


def test_who_liked_one_video_points_where_it_points() -> None:
    np.testing.assert_allclose(build(like("u", 2)).content, FUSED[[2]], atol=1e-6)


def test_what_was_liked_a_half_life_ago_counts_half() -> None:
    (vector,) = build(like("u", 0, days=11), like("u", 1, days=1)).content
    assert vector[0] / vector[1] == pytest.approx(0.5)
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_what_was_disliked_turns_the_vector_nowhere() -> None:
    rows = [like("u", 0), event("u", "v1", 20, "dislike")]
    np.testing.assert_allclose(build(*rows).content, FUSED[[0]], atol=1e-6)


def test_a_dislike_after_a_like_takes_the_like_back() -> None:
    rows = [like("u", 0, days=3), like("u", 1, days=2), event("u", "v0", 20, "dislike")]
    np.testing.assert_allclose(build(*rows).content, FUSED[[1]], atol=1e-6)


def test_who_liked_nothing_has_a_zero_vector_and_no_topics() -> None:
    profiles = build(event("u", "v0", 5, "skip"), event("w", "v1", 5, "impression"))
    assert not profiles.content.any()
    assert profiles.table["topics"].tolist() == [[], []]
    assert profiles.table["n_interactions"].tolist() == [1, 0]


def test_topics_weigh_by_taste_by_rarity_and_by_what_else_a_video_carries() -> None:
    (found,) = build(like("u", 0), like("u", 1)).table["topics"]
    # cats and space: two of five videos each; v1 tells half of each, by the root of 2
    idf = np.log(5.5 / 2)
    cats, space = idf + idf / 2**0.5, idf / 2**0.5
    assert found == [
        ["cats", pytest.approx(cats / (cats + space), abs=1e-6), 2],
        ["space", pytest.approx(space / (cats + space), abs=1e-6), 1],
    ]


def test_equal_topics_stand_in_alphabetical_order() -> None:
    (found,) = build(like("u", 1)).table["topics"]
    assert found == [["cats", 0.5, 1], ["space", 0.5, 1]]


def test_a_topic_that_is_more_disliked_than_liked_is_not_the_users() -> None:
    rows = [like("u", 1, days=2), event("u", "v2", 20, "dislike")]
    (found,) = build(*rows).table["topics"]
    assert [name for name, _, _ in found] == ["cats"]


def test_a_topic_far_under_the_strongest_is_not_said() -> None:
    faded = -np.log2(MIN_TOPIC_SHARE) * 10
    for days, names in ((faded - 2, ["cats", "jazz"]), (faded + 3, ["cats"])):
        videos = [["cats"], [], [], ["jazz"], []]
        profiles = build(like("u", 0, 0.5), like("u", 3, days), video_topics=videos)
        assert [name for name, _, _ in profiles.table["topics"][0]] == names


def test_no_more_topics_are_kept_than_asked_for() -> None:
    told = SETTINGS.model_copy(update={"n_topics": 1})
    (found,) = build(like("u", 0), like("u", 3), like("u", 2), settings=told).table["topics"]
    assert len(found) == 1


def test_topics_count_the_videos_that_were_watched_each_once() -> None:
    rows = [like("u", 0, 5), like("u", 0, 4), like("u", 1, 3), event("u", "v2", 30, "skip")]
    counts = {name: n for name, _, n in build(*rows).table["topics"][0]}
    assert counts == {"cats": 2, "space": 1}


def test_a_user_is_cold_under_the_configured_number_of_visits() -> None:
    rows = [like("a", num) for num in range(SETTINGS.min_interactions)]
    rows += [like("b", num) for num in range(SETTINGS.min_interactions - 1)]
    table = build(*rows).table
    assert table["is_cold"].tolist() == [False, True]
    assert table["n_interactions"].tolist() == [3, 2]


def test_users_are_sorted_and_numbered() -> None:
    table = build(like("c", 0), like("a", 1), like("b", 2)).table
    assert table["user_id"].tolist() == ["a", "b", "c"]
    assert table["user_num"].tolist() == [0, 1, 2]


def test_a_vector_stands_in_its_users_row() -> None:
    profiles = build(like("c", 0), like("a", 1), like("b", 2))
    np.testing.assert_allclose(profiles.content, FUSED[[1, 2, 0]], atol=1e-6)


def test_a_named_user_without_events_has_a_cold_profile() -> None:
    profiles = build(like("a", 0), users=worlds.users(stranger={}, a={}))
    assert profiles.table["user_id"].tolist() == ["a", "stranger"]
    assert profiles.table["is_cold"].tolist() == [True, True]
    assert profiles.table["behaviour"][1]["n_plays"] == 0
    assert not profiles.content[1].any()


def test_who_opted_out_has_no_profile() -> None:
    everybody = worlds.users(a={"opted_out": True}, b={}, c={"opted_out": True})
    profiles = build(like("a", 0), like("b", 1), users=everybody)
    assert profiles.table["user_id"].tolist() == ["b"]
    np.testing.assert_allclose(profiles.content, FUSED[[1]], atol=1e-6)


def test_an_empty_shard_has_no_profiles_but_their_columns() -> None:
    profiles = build()
    assert profiles.content.shape == (0, 5)
    assert set(profiles.table.columns) == set(build(like("u", 0)).table.columns)


def test_nothing_at_or_after_the_night_leaves_a_trace() -> None:
    known = [like("a", 0, 3), event("a", "v1", 5), event("b", "v2", 1, "skip")]
    future = [event("a", "v3", 0, "like"), event("new", "v3", 0), event("b", "v2", -9, "like")]
    before, after = build(*known), build(*known, *future)
    pd.testing.assert_frame_equal(before.table, after.table)
    np.testing.assert_array_equal(before.content, after.content)


def test_a_users_profile_does_not_depend_on_who_else_is_in_the_shard() -> None:
    alone, both = build(like("u", 0), like("u", 1)), build(like("u", 0), like("u", 1), like("a", 3))
    mine = both.table[both.table["user_id"] == "u"].iloc[0]
    assert mine["topics"] == alone.table["topics"][0]
    assert mine["behaviour"] == alone.table["behaviour"][0]
    np.testing.assert_array_equal(both.content[1], alone.content[0])


kinds = st.sampled_from(["like", "play", "skip", "dislike", "complete", "impression"])
rows = st.builds(
    event, st.sampled_from("abc"), st.sampled_from([f"v{num}" for num in range(5)]),
    st.integers(-20, 900).map(float), kinds,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(rows, max_size=15))
def test_vectors_are_of_length_one_or_nought_and_topic_weights_of_one_at_most(
    events: list[dict[str, Any]],
) -> None:
    profiles = build(*events)
    norms = np.linalg.norm(profiles.content, axis=1)
    assert (np.isclose(norms, 1, atol=1e-5) | (norms == 0)).all()
    for topics in profiles.table["topics"]:
        weights = [weight for _, weight, _ in topics]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) <= 1 + 1e-5
        assert all(n >= 1 for _, _, n in topics)
