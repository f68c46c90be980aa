"""Popularity: users a day before the cut, whatever was planted after it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import Popularity, age_days, measure_popularity

NIGHT = worlds.NIGHT
N = 4


def content(*ages_days: float | None) -> Content:
    """Videos published so many days before the night; None where it is unknown."""
    rows = [(f"v{num}", "c", 60.0, age) for num, age in enumerate(ages_days)]
    table = pd.DataFrame(rows, columns=["video_id", "creator_id", "duration_s", "age"])
    age = pd.to_timedelta(table["age"].astype("float64"), unit="D")
    fused = np.zeros((len(rows), 2), dtype=np.float32)
    return Content.of(table.assign(published_at=NIGHT - age), fused)


OLD = content(100, 100, 100, 100)
Event = tuple[str, int, float, float]


def log(*events: Event) -> Histories:
    """``(user_id, video_num, days before the night, weight)``."""
    table = pd.DataFrame(events, columns=["user_id", "video_num", "days", "weight"])
    moments = NIGHT - pd.to_timedelta(table["days"].astype("float64"), unit="D")
    return gather(table.assign(event_at=moments))


def measure(*events: Event, videos: Content = OLD, cut: int = worlds.CUT) -> Popularity:
    return measure_popularity(log(*events), videos, cut=cut)


def test_users_are_counted_once_a_video_and_only_if_they_liked_it() -> None:
    found = measure(
        ("a", 0, 5, 1.0), ("a", 0, 4, 1.0), ("b", 0, 3, 0.1), ("c", 0, 2, -1.0), ("c", 1, 50, 1.0)
    )
    assert found.n_users.tolist() == [2, 1, 0, 0]


def test_videos_that_as_many_liked_have_one_rank_whatever_their_ids() -> None:
    found = measure(("a", 2, 0.5, 1.0), ("b", 2, 0.5, 1.0), ("c", 0, 0.5, 1.0))
    expected = np.log1p([1, 2, 0, 2])
    np.testing.assert_allclose(found.ranks[:, 0], expected, rtol=1e-6)


def test_popular_is_the_log_of_users_in_the_last_28_days() -> None:
    found = measure(("a", 0, 27.9, 1.0), ("b", 0, 5, 1.0), ("c", 1, 28.1, 1.0))
    expected = np.log1p([2, 0, 0, 0]) + 0.01 * np.log1p([2, 1, 0, 0])
    np.testing.assert_allclose(found.popular, expected, rtol=1e-6)


def test_a_new_video_is_measured_by_the_days_it_was_there() -> None:
    young = content(7, 100, 0.25, None)
    users = [(f"u{num}", video, 0.1, 1.0) for video in range(4) for num in range(2)]
    rates = np.array([2 / 7, 2 / 28, 2, 2 / 28]) * 28
    expected = np.log1p(rates) + 0.01 * np.log1p(2)
    np.testing.assert_allclose(measure(*users, videos=young).popular, expected, rtol=1e-6)


def test_trending_is_the_last_three_days_against_the_window() -> None:
    rising = [(f"u{num}", 0, 1.0, 1.0) for num in range(6)]
    steady = [(f"u{num}", 1, 4.0 * num + 0.5, 1.0) for num in range(7)]
    fading = [(f"u{num}", 2, 10.0, 1.0) for num in range(6)] + [("w", 2, 1.0, 1.0)]
    found = measure(*rising, *steady, *fading).trending
    doubt = 2 / 28
    rates = np.array([6, 7, 7]) / 28, np.array([6, 1, 1]) / 3
    np.testing.assert_allclose(
        found[:3], np.log((rates[1] + doubt) / (rates[0] + doubt)), rtol=1e-5
    )
    assert found[0] > found[1] > 0 == found[3]


def test_a_single_viewer_is_a_weaker_trend_than_six() -> None:
    found = measure(("a", 0, 1, 1.0), *[(f"u{num}", 1, 1.0, 1.0) for num in range(6)]).trending
    assert 0 < found[0] < found[1]


def test_nothing_at_or_after_the_cut_is_counted() -> None:
    known: list[Event] = [("a", 0, 2, 1.0), ("b", 1, 10, 1.0)]
    future: list[Event] = [("f", 2, 0, 1.0), ("g", 2, -5, 1.0), ("a", 0, -1, -1.0)]
    before, after = measure(*known), measure(*known, *future)
    for name in ("n_users", "popular", "trending", "age_days"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_an_old_log_is_measured_at_its_own_end_but_ages_at_the_cut() -> None:
    found = measure(("a", 0, 300, 1.0), ("b", 0, 301, 1.0), ("c", 1, 340, 1.0),
                    videos=content(400, 400, 400, 400))  # fmt: skip
    np.testing.assert_allclose(found.popular[:2], [np.log(3) + 0.01 * np.log(3), 0.01 * np.log(2)],
                               rtol=1e-6)  # fmt: skip
    assert found.trending[0] > 0
    assert found.age_days.tolist() == [400] * 4


def test_an_unknown_birthday_is_infinitely_long_ago() -> None:
    found = age_days(content(2, None, 0, -3), at=worlds.CUT)
    assert found.tolist() == [2, np.inf, 0, -3]


@pytest.mark.parametrize("events", [[], [("a", 0, 1.0, -1.0)], [("a", 0, -1.0, 1.0)]])
def test_without_likes_nothing_is_popular(events: list[Event]) -> None:
    found = measure(*events)
    for name in ("n_users", "popular", "trending"):
        assert getattr(found, name).tolist() == [0] * N


likes = st.tuples(
    st.sampled_from("abcde"), st.integers(0, 3), st.floats(0.1, 27), st.sampled_from([-1.0, 1.0])
)


@settings(max_examples=30, deadline=None)
@given(st.lists(likes, max_size=20), st.sampled_from("abcdef"))
def test_one_more_like_never_makes_a_video_less_popular_nor_moves_another(
    events: list[Event], user: str
) -> None:
    before, after = measure(*events), measure(*events, (user, 0, 0.5, 1.0))
    assert after.popular[0] >= before.popular[0]
    np.testing.assert_array_equal(after.popular[1:], before.popular[1:])
    for found in (before, after):
        assert np.isfinite(found.popular).all()
        assert np.isfinite(found.trending).all()


def test_users_who_turned_a_video_away_before_the_cut_are_counted_once() -> None:
    found = measure(("a", 0, 5, -1), ("a", 0, 4, -1), ("b", 0, 3, -2), ("c", 0, 3, 1),
                    ("d", 0, -1, -1))  # fmt: skip
    assert found.turned_away.tolist() == [2, 0, 0, 0]
    assert found.n_users.tolist() == [1, 0, 0, 0]
