"""Visits: what the events of one user around one video collapse to, and what is known of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audience.worlds import MIDNIGHT, NIGHT, catalogue, event, log
from vidrec_tasks.audience.visits import COMPLETED_SHARE, gather_visits
from vidrec_tasks.columns import EVENT_TYPES

VIDEOS = catalogue(v0={}, v1={"duration_s": 100.0}, v2={"duration_s": 7200.0}, v3={
    "duration_s": None})  # fmt: skip


def visits(*events: dict[str, Any]) -> pd.DataFrame:
    return gather_visits(log(*events), VIDEOS, night=NIGHT)


def share(*events: dict[str, Any]) -> float:
    (value,) = visits(*events)["watched_share"]
    return float(value)


def test_a_play_a_completion_and_a_like_are_one_visit_at_its_last_moment() -> None:
    found = visits(
        event("u", "v1", 5.0, watched_s=40),
        event("u", "v1", 4.9, "complete"),
        event("u", "v1", 4.8, "like"),
    )
    (row,) = found.to_dict("records")
    assert (row["play"], row["complete"], row["like"], row["skip"]) == (1, 1, 1, 0)
    assert row["event_at"] == MIDNIGHT - pd.Timedelta(hours=4.8)
    assert (row["row_num"], row["video_num"], row["duration_s"]) == (2, 1, 100.0)


@pytest.mark.parametrize(("apart_s", "n_visits"), [(1800, 1), (1801, 2)])
def test_half_an_hour_without_an_event_ends_a_visit(apart_s: int, n_visits: int) -> None:
    found = visits(event("u", "v1", 10), event("u", "v1", 10 - apart_s / 3600))
    assert len(found) == n_visits


@pytest.mark.parametrize(("apart_s", "n_visits"), [(10_800, 1), (10_801, 2)])
def test_a_long_film_may_be_quiet_for_half_as_long_again(apart_s: int, n_visits: int) -> None:
    found = visits(event("u", "v2", 10), event("u", "v2", 10 - apart_s / 3600))
    assert len(found) == n_visits


def test_another_video_in_between_does_not_end_a_visit() -> None:
    found = visits(event("u", "v1", 2), event("u", "v0", 1.9), event("u", "v1", 1.8, "like"))
    assert found["video_id"].tolist() == ["v0", "v1"]
    assert found["like"].tolist() == [0, 1]


def test_users_do_not_share_a_visit() -> None:
    assert len(visits(event("a", "v1", 2), event("b", "v1", 2))) == 2


def test_impressions_are_no_visit() -> None:
    assert visits(event("u", "v1", 2, "impression")).empty


def test_videos_outside_the_catalogue_are_no_visit() -> None:
    found = visits(event("u", "gone", 2), event("u", "v1", 1))
    assert found["video_id"].tolist() == ["v1"]


def test_nothing_at_or_after_the_night_is_seen() -> None:
    known = [event("u", "v1", 1 / 3600, watched_s=40), event("w", "v0", 3)]
    future = [
        event("u", "v1", 0, "like"),
        event("u", "v1", 0, watched_s=60),
        event("new", "v2", -1, "rating", value=5),
    ]
    pd.testing.assert_frame_equal(visits(*known), visits(*known, *future))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event("u", "v1", 2, watched_s=30)], 0.3),
        ([event("u", "v1", 2, watched_s=30), event("u", "v1", 1.9, watched_s=50)], 0.8),
        ([event("u", "v1", 2, watched_s=30), event("u", "v1", 1.9, watched_s=90)], 1.0),
        ([event("u", "v1", 2, watched_s=30), event("u", "v1", 1.9, "like", watched_s=30)], 0.3),
        ([event("u", "v1", 2, watched_s=30), event("u", "v1", 1.9, "skip", watched_s=35)], 0.35),
        ([event("u", "v1", 2, watched_s=30), event("u", "v1", 1.9, "complete")], COMPLETED_SHARE),
        ([event("u", "v1", 2, "complete")], 1.0),
        ([event("u", "v1", 2, watched_s=0)], 0.0),
        ([event("u", "v3", 2, "complete")], 1.0),
        ([event("u", "v3", 2, "complete", watched_s=9)], COMPLETED_SHARE),
    ],
)
def test_the_share_watched_follows_from_seconds_and_completions(
    events: list[dict[str, Any]], expected: float
) -> None:
    assert share(*events) == pytest.approx(expected)


@pytest.mark.parametrize(
    "events",
    [
        [event("u", "v1", 2)],
        [event("u", "v1", 2, "like")],
        [event("u", "v3", 2, watched_s=30)],
    ],
)
def test_a_share_that_nothing_tells_of_is_unknown(events: list[dict[str, Any]]) -> None:
    assert np.isnan(share(*events))


def test_a_video_of_no_length_has_no_share() -> None:
    found = gather_visits(
        log(event("u", "v", 2, watched_s=3)), catalogue(v={"duration_s": 0.0}), night=NIGHT
    )
    assert found[["duration_s", "watched_share"]].isna().all(axis=None)


def test_ratings_of_a_visit_are_averaged_and_empty_ones_left_out() -> None:
    found = visits(
        event("u", "v1", 2, "rating", value=4),
        event("u", "v1", 1.9, "rating", value=1),
        event("u", "v1", 1.8, "rating"),
    )
    assert found["value"].tolist() == [2.5]
    assert found["rating"].tolist() == [3]


def test_the_value_of_a_play_is_no_rating() -> None:
    assert visits(event("u", "v1", 2, value=9))["value"].isna().all()


def test_events_of_one_moment_keep_the_order_of_their_rows() -> None:
    found = visits(event("u", "v1", 2), event("u", "v0", 2), event("u", "v2", 2))
    assert found["video_id"].tolist() == ["v1", "v0", "v2"]
    assert found["row_num"].tolist() == [0, 1, 2]


def test_no_events_give_no_visits_with_all_columns() -> None:
    assert set(visits(event("u", "v1", 1)).columns) == set(visits().columns)
    assert visits().empty


events = st.builds(
    event,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["v0", "v1", "v2", "v3", "gone"]),
    st.integers(-5, 60).map(lambda quarters: quarters / 4),
    st.sampled_from(EVENT_TYPES),
    watched_s=st.none() | st.integers(0, 9000),
    value=st.none() | st.integers(1, 5),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(events, max_size=25), st.randoms(use_true_random=False))
def test_every_known_event_is_in_one_visit_whatever_the_order_of_rows(
    rows: list[dict[str, Any]], random: Any
) -> None:
    found = visits(*rows)
    counted = [row for row in rows if row["event_at"] < MIDNIGHT and row["video_id"] != "gone"]
    for name in EVENT_TYPES[1:]:
        assert found[name].sum() == sum(row["event_type"] == name for row in counted)
    assert found["watched_share"].dropna().between(0, 1).all()
    by_row = found.sort_values(["user_id", "event_at", "row_num"], ignore_index=True)
    pd.testing.assert_frame_equal(found, by_row)
    interactions = log(*rows)
    mixed = interactions.iloc[random.sample(range(len(rows)), len(rows))]
    pd.testing.assert_frame_equal(gather_visits(mixed, VIDEOS, night=NIGHT), found)
