"""Interactions: one weight a visit; lengths compete fairly, and what was said on purpose counts."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audience.test_visits import events
from tests.audience.worlds import MIDNIGHT, NIGHT, SETTINGS, catalogue, event, log
from vidrec_tasks.audience.interactions import (
    MAX_WEIGHT,
    MIN_WEIGHT,
    decay,
    duration_statistics,
    weigh,
)
from vidrec_tasks.audience.watch_statistics import merge_statistics

VIDEOS = catalogue(
    v0={}, v1={"duration_s": 100.0}, v2={"duration_s": 7200.0}, v3={"duration_s": None}
)


def weighed(*rows: dict[str, Any], **more: Any) -> pd.DataFrame:
    return weigh(log(*rows), VIDEOS, SETTINGS, night=NIGHT, **more)


def weight(*rows: dict[str, Any]) -> float:
    """The weight of the only visit there is."""
    (value,) = weighed(*rows)["weight"]
    return float(value)


def watched_by_length() -> pd.DataFrame:
    """Users 0 to 4 watch ever more; a short film's least is more than a long one's most."""
    videos = catalogue(long={"duration_s": 3600.0}, short={"duration_s": 10.0})
    shares = {"long": [0.02, 0.07, 0.12, 0.17, 0.22], "short": [0.6, 0.7, 0.8, 0.9, 1.0]}
    rows = [
        event(f"u{num}", video, 5, watched_s=share * seconds)
        for video, seconds in (("long", 3600.0), ("short", 10.0))
        for num, share in enumerate(shares[video])
    ]
    table = weigh(log(*rows), videos, SETTINGS, night=NIGHT)
    return table.pivot(index="user_id", columns="video_id", values="weight")


def test_long_and_short_videos_watched_equally_far_for_their_kind_weigh_the_same() -> None:
    table = watched_by_length().iloc[1:]  # the least of all is more than half a short video
    expected = [((num + 0.5) / 5 - 0.2) / 0.8 for num in range(1, 5)]
    for video in ("long", "short"):
        np.testing.assert_allclose(table[video], expected, atol=0.01)


def test_more_of_a_long_video_than_others_beats_an_average_short_one() -> None:
    table = watched_by_length()
    assert table.loc["u4", "long"] > table.loc["u2", "short"] > table.loc["u1", "long"]


def test_a_viewing_weighs_by_its_place_among_its_like() -> None:
    rows = [event(f"u{place}", "v1", 5, watched_s=10 * place) for place in range(10)]
    table = weighed(*rows)
    np.testing.assert_allclose(table["watch_quantile"], (np.arange(10) + 0.5) / 10)
    expected = [(quantile - 0.2) / 0.8 for quantile in table["watch_quantile"]]
    np.testing.assert_allclose(table["weight"], expected, atol=1e-6)


def test_half_a_video_watched_is_never_against_it() -> None:
    rows = [event("low", "v1", 5, watched_s=50)]
    rows += [event(f"u{num}", "v1", 5, watched_s=100) for num in range(30)]
    table = weighed(*rows).set_index("user_id")
    assert table.loc["low", "watch_quantile"] < 0.2
    assert table.loc["low", "weight"] == pytest.approx(0.05)


def test_plays_and_completions_of_unknown_length_weigh_by_their_kind() -> None:
    assert weight(event("u", "v3", 5)) == pytest.approx((0.4 - 0.2) / 0.8)
    assert weight(event("u", "v3", 5, "complete")) == pytest.approx((0.75 - 0.2) / 0.8)


@pytest.mark.parametrize("kind", ["like", "share", "dislike", "skip"])
def test_what_is_said_on_purpose_adds_its_configured_weight(kind: str) -> None:
    told = SETTINGS.model_copy(update={f"{kind}_weight": 0.625})
    (got,) = weigh(log(event("u", "v3", 5, kind)), VIDEOS, told, night=NIGHT)["weight"]
    assert got == pytest.approx(0.625)


def test_a_like_adds_to_what_was_watched() -> None:
    play, like = event("u", "v3", 5), event("u", "v3", 4.9, "like")
    assert weight(play, like) == pytest.approx(weight(play) + SETTINGS.like_weight)


def test_a_like_said_twice_in_a_visit_counts_once() -> None:
    like = event("u", "v1", 5, "like")
    assert weight(like, event("u", "v1", 4.9, "like")) == weight(like)


def test_a_skip_and_a_dislike_speak_against_a_video() -> None:
    assert weight(event("u", "v1", 5, "skip")) < 0
    play = event("u", "v3", 5, "complete")
    assert weight(play, event("u", "v3", 4.9, "dislike")) < 0


def test_only_skipped_or_disliked_is_not_watched() -> None:
    table = weighed(
        event("u", "v0", 9, "skip"),
        event("u", "v1", 8, "dislike"),
        event("u", "v2", 7),
        event("u", "v3", 6, "like"),
    )
    assert table["is_watched"].tolist() == [False, False, True, True]


def test_the_nth_visit_counts_by_one_over_the_root_of_n() -> None:
    table = weighed(*[event("u", "v3", 100 - 10 * num, "like") for num in range(4)])
    np.testing.assert_allclose(table["weight"], [1, 1 / 2**0.5, 1 / 3**0.5, 1 / 2], rtol=1e-6)


def test_a_skip_is_no_repeat_and_is_not_damped() -> None:
    kinds = ["like", "skip", "skip", "like"]
    rows = [event("u", "v3", 100 - 10 * num, kind) for num, kind in enumerate(kinds)]
    np.testing.assert_allclose(weighed(*rows)["weight"], [1, -0.5, -0.5, 1 / 2**0.5], rtol=1e-6)


def test_other_users_and_other_videos_are_no_repeats() -> None:
    table = weighed(
        event("a", "v3", 50, "like"), event("a", "v2", 40, "like"), event("b", "v3", 30, "like")
    )
    assert table["weight"].tolist() == [1, 1, 1]


def ratings(user: str, values: list[float]) -> list[dict[str, Any]]:
    videos = ["v0", "v1", "v2", "v3"]
    return [
        event(user, videos[num % 4], 90 - num, "rating", value=value)
        for num, value in enumerate(values)
    ]


def test_a_rating_weighs_by_its_distance_from_the_users_own_mean() -> None:
    table = weighed(*ratings("a", [2, 4]), *ratings("b", [3, 5])).set_index(["user_id", "video_id"])
    # mean of all 3.5, spread sqrt(1.25); own means lean on it by 5 ratings
    spread = 1.25**0.5
    first, second = (2, 4), (3, 5)
    for user, so_far, value, video in (
        ("a", first[:1], 2, "v0"), ("a", first, 4, "v1"), ("b", second, 5, "v1"),
    ):  # fmt: skip
        mean = (sum(so_far) + 5 * 3.5) / (len(so_far) + 5)
        expected = 0.5 + SETTINGS.rating_weight * (value - mean) / spread
        assert table.loc[(user, video), "weight"] == pytest.approx(expected, rel=1e-5)


def test_what_is_rated_later_does_not_change_what_a_rating_said() -> None:
    rows = ratings("a", [3, 3.1, 3, 3.1])
    before = log(*rows, *ratings("b", [2, 5, 3, 4]))
    later = [event("a", f"v{num % 4}", 20 - num, "rating", value=5.0) for num in range(8)]
    whole = log(*rows, *ratings("b", [2, 5, 3, 4]), *later)
    counts = duration_statistics(before, VIDEOS, night=NIGHT)
    said = weigh(before, VIDEOS, SETTINGS, night=NIGHT, statistics=counts)
    now = weigh(whole, VIDEOS, SETTINGS, night=NIGHT, statistics=counts)
    earlier = now[now["event_at"] <= said["event_at"].max()]
    assert earlier["weight"].tolist() == said["weight"].tolist()


def test_the_same_rating_says_more_from_who_rates_low() -> None:
    rows = ratings("harsh", [1, 1, 1, 3]) + ratings("kind", [5, 5, 5, 3])
    table = weighed(*rows).set_index(["user_id", "video_id"])["weight"]
    assert table[("harsh", "v3")] > 0.75 > 0.25 > table[("kind", "v3")]


def test_everybody_rating_alike_says_little_and_breaks_nothing() -> None:
    assert weighed(*ratings("u", [4, 4, 4]))["weight"].tolist() == [0.5, 0.5, 0.5]


def test_a_rating_without_a_value_weighs_nothing() -> None:
    assert weight(event("u", "v1", 5, "rating")) == 0


def test_statistics_of_all_shards_weigh_a_shard_as_the_whole_log_would() -> None:
    rows = [event(f"u{num}", "v1", 5, watched_s=9 * num) for num in range(10)]
    rows += ratings("u1", [1, 5]) + ratings("u7", [4, 3])
    interactions = log(*rows)
    first = interactions["user_id"].isin([f"u{num}" for num in range(5)])
    shards = [interactions[first], interactions[~first]]
    counts = [duration_statistics(shard, VIDEOS, night=NIGHT) for shard in shards]
    statistics = merge_statistics(counts)
    parts = [weigh(shard, VIDEOS, SETTINGS, night=NIGHT, statistics=statistics) for shard in shards]
    whole = weigh(interactions, VIDEOS, SETTINGS, night=NIGHT)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_nothing_at_or_after_the_night_moves_a_weight() -> None:
    known = [event(f"u{num}", "v1", 5, watched_s=9 * num) for num in range(10)]
    known += ratings("u1", [1, 5])
    future = [event(f"u{num}", "v1", 0, "like") for num in range(10)]
    future += [event(f"f{num}", "v1", -3, watched_s=100) for num in range(50)]
    future += [event("u1", "v3", -1, "rating", value=1)]
    pd.testing.assert_frame_equal(weighed(*known), weighed(*known, *future))
    for rows in (known, [*known, *future]):
        counted = duration_statistics(log(*rows), VIDEOS, night=NIGHT)
        assert counted["n"].sum() == 22  # 10 shares, 10 times seconds, 2 ratings


def test_the_log_is_not_changed() -> None:
    interactions = log(event("u", "v1", 5, watched_s=9), event("u", "v1", 4.9, "like"))
    before = interactions.copy(deep=True)
    weigh(interactions, VIDEOS, SETTINGS, night=NIGHT)
    pd.testing.assert_frame_equal(interactions, before)


def test_no_events_give_no_weights() -> None:
    assert weighed().empty
    assert set(weighed().columns) == set(weighed(event("u", "v1", 1)).columns)


@settings(max_examples=15, deadline=None)
@given(st.lists(events, max_size=25))
def test_every_weight_is_a_number_within_its_bounds(rows: list[dict[str, Any]]) -> None:
    table = weighed(*rows)
    assert table["weight"].between(MIN_WEIGHT, MAX_WEIGHT).all()
    assert table["watch_quantile"].dropna().between(0, 1).all()
    assert (table["event_at"] < MIDNIGHT).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=20))
def test_who_watched_more_of_a_video_never_weighs_less(seconds: list[int]) -> None:
    rows = [event(f"u{num:02d}", "v1", 5, watched_s=s) for num, s in enumerate(sorted(seconds))]
    assert (weighed(*rows)["weight"].diff().dropna() >= -1e-6).all()


def test_decay_halves_each_half_life_and_is_whole_at_the_night() -> None:
    days = pd.Series(MIDNIGHT - pd.to_timedelta([0, 15, 30, 60], unit="D"))
    got = decay(days, night=NIGHT, half_life_days=30)
    np.testing.assert_allclose(got, [1, 0.5**0.5, 0.5, 0.25])


def test_what_lies_after_the_night_is_not_worth_more() -> None:
    later = pd.Series([MIDNIGHT + pd.Timedelta(days=30)])
    assert decay(later, night=NIGHT, half_life_days=30).tolist() == [1.0]


def labelled(label: str, videos: pd.DataFrame, *rows: dict[str, Any]) -> pd.Series:
    """user_id -> watch_quantile by a label."""
    chosen = SETTINGS.model_copy(update={"watch_label": label})
    table = weigh(log(*rows), videos, chosen, night=NIGHT)
    return table.set_index("user_id")["watch_quantile"]


def test_seconds_of_unknown_length_stand_among_those_of_all_viewings() -> None:
    rows = [event("short", "v3", 5, watched_s=1), event("long", "v3", 5, watched_s=500)]
    rows += [event(f"u{num}", "v1", 5, watched_s=50) for num in range(8)]
    quantile = labelled("quantile", VIDEOS, *rows)
    assert (quantile["short"], quantile["long"]) == (0.05, 0.95)


def test_a_completion_of_unknown_length_is_no_less_for_its_seconds() -> None:
    rows = [event("u", "v3", 5, watched_s=1), event("u", "v3", 4.999, "complete")]
    rows += [event(f"u{num}", "v1", 5, watched_s=50) for num in range(8)]
    assert labelled("quantile", VIDEOS, *rows)["u"] == 0.75


def test_by_seconds_a_little_of_a_long_video_beats_the_whole_of_a_short_one() -> None:
    videos = catalogue(long={"duration_s": 3600.0}, short={"duration_s": 10.0})
    rows = [event("whole", "short", 5, watched_s=10), event("glance", "long", 5, watched_s=60)]
    rows += [event(f"u{num}", "short", 5, watched_s=2) for num in range(4)]
    rows += [event(f"l{num}", "long", 5, watched_s=1800) for num in range(4)]
    by_seconds, by_share = (labelled(label, videos, *rows) for label in ("seconds", "quantile"))
    assert by_seconds["glance"] > by_seconds["whole"]
    assert by_share["glance"] < by_share["whole"]


@pytest.mark.parametrize(
    ("video", "watched_s", "is_long"),
    [("v2", 17, False), ("v2", 18, True), ("v0", 9, False), ("v0", 12, True)],
)
def test_a_long_view_is_18_seconds_or_a_shorter_video_as_a_whole(
    video: str, watched_s: float, is_long: bool
) -> None:
    videos = catalogue(v0={"duration_s": 12.0}, v2={"duration_s": 7200.0})
    quantile = labelled("long_view", videos, event("u", video, 5, watched_s=watched_s))
    assert quantile["u"] == float(is_long)
