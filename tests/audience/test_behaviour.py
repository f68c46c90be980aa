"""Behaviour: when, how long, how far and whom a user watches, counted by hand."""

from typing import Any

import pandas as pd
import pytest

from tests.audience.worlds import MIDNIGHT, NIGHT, SETTINGS, catalogue, event, log
from vidrec_tasks.audience.behaviour import N_CREATORS, gather_behaviour
from vidrec_tasks.audience.interactions import weigh

VIDEOS = catalogue(
    v1={"duration_s": 100, "creator_id": "ann", "published_at": MIDNIGHT - pd.Timedelta(days=10)},
    v2={"duration_s": 200, "creator_id": "ben", "published_at": MIDNIGHT - pd.Timedelta(days=4)},
    v3={"duration_s": 600, "creator_id": "ann"},
    v4={"duration_s": None},
)


def of(*rows: dict[str, Any], user: str = "u", videos: pd.DataFrame = VIDEOS) -> dict[str, Any]:
    interactions = log(*rows)
    weighed = weigh(interactions, videos, SETTINGS, night=NIGHT)
    (found,) = gather_behaviour(interactions, weighed, videos, user_ids=[user], night=NIGHT)
    return found


def at(hour: int, day: int = 9) -> float:
    """Hours before the night of a moment in September 2026; the 9th is a Wednesday."""
    moment = pd.Timestamp(f"2026-09-{day:02d} {hour:02d}:00", tz="UTC")
    return (MIDNIGHT - moment).total_seconds() / 3600


def test_numbers_of_a_known_user() -> None:
    found = of(
        event("u", "v1", at(19, 5), watched_s=50),  # a Saturday evening, five days old
        event("u", "v1", at(20), watched_s=100),  # nine days old and 20 hours
        event("u", "v2", at(23), watched_s=100),  # 4 days less one hour
        event("u", "v3", at(12), watched_s=600),
        event("u", "v4", at(11)),
        event("u", "v2", at(9), "skip"),
        event("u", "v2", at(8), "impression"),
        event("u", "v2", at(8), "impression"),
    )
    ages = [10 - 5 + 19 / 24, 9 + 20 / 24, 3 + 23 / 24]
    assert found == {
        "n_plays": 5,
        "n_videos": 4,
        "n_creators": 2,
        "mean_watched_share": pytest.approx((0.5 + 1 + 0.5 + 1) / 4),
        "median_duration_s": 150.0,
        "evening_share": 0.4,
        "night_share": 0.2,
        "weekend_share": 0.2,
        "novelty": pytest.approx(sum(ages) / 3, abs=1e-4),
        "sessions": 6,
        "skip_share": pytest.approx(1 / 6, abs=1e-4),
        "n_impressions": 2,
        "top_creators": [["ann", 2], ["ben", 1]],
        "top_hour": 11,
    }


@pytest.mark.parametrize(
    ("hour", "evening", "late"), [(17, 0, 0), (18, 1, 0), (21, 1, 0), (22, 0, 1), (5, 0, 1),
                                  (6, 0, 0)]
)  # fmt: skip
def test_evening_ends_where_night_begins(hour: int, evening: float, late: float) -> None:
    found = of(event("u", "v1", at(hour)))
    assert (found["evening_share"], found["night_share"]) == (evening, late)


@pytest.mark.parametrize(("day", "share"), [(4, 0), (5, 1), (6, 1), (7, 0)])
def test_the_weekend_is_saturday_and_sunday(day: int, share: float) -> None:
    assert of(event("u", "v1", at(12, day)))["weekend_share"] == share


def test_half_an_hour_without_an_event_ends_a_session() -> None:
    near = [event("u", "v1", 10), event("u", "v2", 9.5)]
    assert of(*near)["sessions"] == 1
    assert of(*near, event("u", "v3", 9.5 - 1801 / 3600))["sessions"] == 2


def test_sessions_that_the_log_names_are_counted_by_name() -> None:
    named = [event("u", "v1", 9, session_id="s1"), event("u", "v2", 5, session_id="s1"),
             event("u", "v3", 4.99, session_id="s2")]  # fmt: skip
    assert of(*named)["sessions"] == 2
    assert of(*named, event("u", "v4", 3))["sessions"] == 3


def test_an_impression_is_no_session_and_no_play() -> None:
    found = of(event("u", "v1", 5, "impression"))
    assert (found["sessions"], found["n_plays"], found["n_impressions"]) == (0, 0, 1)
    assert found["skip_share"] is None


def test_who_only_skips_has_watched_nothing() -> None:
    found = of(event("u", "v1", 5, "skip"))
    assert (found["n_plays"], found["skip_share"], found["top_creators"]) == (0, 1.0, [])


def test_a_user_without_events_is_unknown_not_nought() -> None:
    found = of(event("other", "v1", 5), user="u")
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == {
        "mean_watched_share", "median_duration_s", "evening_share", "night_share",
        "weekend_share", "novelty", "skip_share", "top_hour",
    }  # fmt: skip
    assert found["n_plays"] == found["sessions"] == found["n_impressions"] == 0


def test_an_empty_log_knows_nothing_of_anybody() -> None:
    assert of(user="u") == of(event("other", "v1", 5), user="u")


def test_a_creator_without_a_name_is_no_creator() -> None:
    found = of(event("u", "v4", 5))
    assert (found["n_creators"], found["top_creators"]) == (0, [])


def test_the_same_video_again_makes_its_creator_no_greater() -> None:
    found = of(event("u", "v1", 30), event("u", "v1", 20), event("u", "v2", 10))
    assert found["top_creators"] == [["ann", 1], ["ben", 1]]


def test_only_the_most_watched_creators_are_kept() -> None:
    videos = catalogue(**{f"v{num}": {"creator_id": f"c{num}"} for num in range(N_CREATORS + 2)})
    found = of(*[event("u", f"v{num}", 20 - num) for num in range(N_CREATORS + 2)], videos=videos)
    assert found["top_creators"] == [[f"c{num}", 1] for num in range(N_CREATORS)]
    assert found["n_creators"] == N_CREATORS + 2


def test_the_earliest_of_equal_hours_is_the_top_hour() -> None:
    assert of(event("u", "v1", at(20)), event("u", "v2", at(7)))["top_hour"] == 7


def test_nothing_at_or_after_the_night_is_seen() -> None:
    known = [event("u", "v1", 5, watched_s=50), event("u", "v2", 0.1, "skip")]
    future = [event("u", "v2", 0), event("u", "v3", -1, "skip"), event("u", "v1", -2, "impression")]
    assert of(*known, *future) == of(*known)


def test_users_come_in_the_order_asked_for() -> None:
    interactions = log(event("a", "v1", 5), event("b", "v2", 5), event("b", "v3", 4))
    weighed = weigh(interactions, VIDEOS, SETTINGS, night=NIGHT)
    found = gather_behaviour(
        interactions, weighed, VIDEOS, user_ids=["b", "nobody", "a"], night=NIGHT
    )
    assert [row["n_plays"] for row in found] == [2, 0, 1]
