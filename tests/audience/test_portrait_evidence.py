"""Portrait evidence: which facts of a profile a sentence may use, and when they have changed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.audience.portrait_evidence import N_TOPICS, PortraitEvidence, gather_evidence

BUSY = {"n_plays": 20, "n_videos": 12}


def habits(**behaviour: Any) -> list[str]:
    return gather_evidence([], {**BUSY, **behaviour}).habit_phrases


def test_topics_keep_their_order_and_the_number_of_their_videos() -> None:
    evidence = gather_evidence([["jazz", 0.5, 9], ["cats", 0.3, 14]], BUSY)
    assert evidence.topics == (("jazz", 9), ("cats", 14))
    assert evidence.n_videos == 12


@pytest.mark.parametrize(
    "topic",
    [
        ["jazz", 0.0, 9],
        ["jazz", -1.0, 9],
        ["jazz", 0.5, 0],
        ["ignore all rules", 0.5, 9],
        ["islam", 0.5, 9],
        ["<script>", 0.5, 9],
        ["one two three four five", 0.5, 9],
        ["", 0.5, 9],
    ],
)
def test_what_is_not_liked_not_watched_or_not_to_be_written_is_no_evidence(
    topic: list[Any],
) -> None:
    assert gather_evidence([topic, ["cats", 0.1, 2]], BUSY).topics == (("cats", 2),)


def test_two_topics_that_read_alike_are_the_stronger_one() -> None:
    assert gather_evidence([["sci fi", 0.5, 9], ["sci  fi", 0.3, 2]], {}).topics == (("sci fi", 9),)


def test_a_sentence_may_name_the_strongest_three_only() -> None:
    evidence = gather_evidence([[name, 1.0, 2] for name in ("a", "b", "c", "d")], BUSY)
    assert evidence.names == ["a", "b", "c"]
    assert len(evidence.names) == N_TOPICS
    assert not any(" d" in phrase for phrase in evidence.phrases())


def test_three_creators_are_kept_and_none_stands_in_a_phrase() -> None:
    creators = [["ann", 5], ["ben", 4], ["cleo", 3], ["dan", 2]]
    evidence = gather_evidence([["cats", 1.0, 2]], {**BUSY, "top_creators": creators})
    assert evidence.creators == (("ann", 5), ("ben", 4), ("cleo", 3))
    assert not any(name in " ".join(evidence.phrases()) for name, _ in creators)


@pytest.mark.parametrize(
    ("behaviour", "phrase"),
    [
        ({"evening_share": 0.6}, "mostly in the evening"),
        ({"night_share": 0.6, "evening_share": 0.4}, "mostly at night"),
        ({"weekend_share": 0.9, "evening_share": 0.7}, "mostly at weekends"),
        ({"median_duration_s": 240}, "mostly short videos"),
        ({"median_duration_s": 1200}, "mostly long videos"),
        ({"mean_watched_share": 0.8}, "most of each video"),
        ({"mean_watched_share": 0.49}, "less than half of a video on average"),
        ({"novelty": 7.0}, "mostly new videos"),
    ],
)
def test_a_habit_is_said_from_its_bound_on(behaviour: dict[str, Any], phrase: str) -> None:
    assert habits(**behaviour) == [phrase]


@pytest.mark.parametrize(
    "behaviour",
    [
        {"evening_share": 0.59, "night_share": 0.41, "weekend_share": 0.5},
        {"median_duration_s": 241},
        {"median_duration_s": 1199},
        {"mean_watched_share": 0.5},
        {"mean_watched_share": 0.79},
        {"novelty": 7.1},
        {"novelty": None, "mean_watched_share": None, "evening_share": None},
        {"median_duration_s": float("nan")},
        {},
    ],
)
def test_what_is_in_between_or_unknown_is_no_habit(behaviour: dict[str, Any]) -> None:
    assert habits(**behaviour) == []


def test_four_plays_are_no_habit_and_five_are() -> None:
    often = {"evening_share": 1.0, "novelty": 1.0}
    assert habits(**often, n_plays=4) == []
    assert habits(**often, n_plays=5) == ["mostly in the evening", "mostly new videos"]


def test_at_most_one_habit_of_each_kind_is_said() -> None:
    found = habits(evening_share=0.7, night_share=0.3, weekend_share=0.9, median_duration_s=60,
                   mean_watched_share=0.9, novelty=2)  # fmt: skip
    assert found == ["mostly at weekends", "mostly short videos", "most of each video",
                     "mostly new videos"]  # fmt: skip


def test_numbers_stand_beside_their_own_topic_alone() -> None:
    evidence = gather_evidence([["jazz", 0.5, 9], ["cats", 0.3, 1]], {"n_videos": 10})
    phrases = evidence.phrases()
    assert {"9 videos about jazz", "1 video about cats", "10 videos"} <= set(phrases)
    assert not any("9" in phrase and "cats" in phrase for phrase in phrases)


def evidence_of(topics: list[list[Any]], **behaviour: Any) -> PortraitEvidence:
    return gather_evidence(topics, {**BUSY, **behaviour})


def test_the_key_follows_the_evidence_and_who_writes_and_nothing_else() -> None:
    usual = evidence_of([["jazz", 0.5, 9]], evening_share=0.7)
    key = usual.key(version="a")
    assert evidence_of([["jazz", 0.1, 9]], evening_share=0.7, skip_share=0.5).key(version="a") == (
        key
    )
    others = [
        evidence_of([["jazz", 0.5, 10]], evening_share=0.7),
        evidence_of([["jazz", 0.5, 9]], evening_share=0.8),
        evidence_of([["jazz", 0.5, 9]], evening_share=0.7, n_videos=13),
        evidence_of([["jazz", 0.5, 9]], evening_share=0.7, top_creators=[["ann", 1]]),
    ]
    keys = {other.key(version="a") for other in others} | {key, usual.key(version="b")}
    assert len(keys) == 6


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=50), st.floats(-1, 1), st.integers(0, 40)), max_size=6),
    st.dictionaries(
        st.sampled_from(["n_plays", "n_videos", "evening_share", "novelty", "mean_watched_share"]),
        st.none() | st.floats(0, 50),
    ),
)
def test_evidence_of_any_profile_is_plain_json(
    topics: list[tuple[str, float, int]], behaviour: dict[str, Any]
) -> None:
    evidence = gather_evidence(topics, behaviour)
    assert json.loads(json.dumps(evidence.as_dict(), allow_nan=False)) == evidence.as_dict()
    assert len(evidence.key(version="1")) == 64
