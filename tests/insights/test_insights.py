"""Insights in planted worlds: what creators learn, and that nobody can be told apart by it."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.insights.crowd import Offer
from vidrec_tasks.insights.insights import Insights, summarise_audiences
from vidrec_tasks.settings import InsightSettings

NIGHT = date(2026, 9, 1)
END = pd.Timestamp(NIGHT, tz="UTC")
TOPICS = [["cats"], ["cats"], ["cats"], ["jazz"], ["jazz"], ["jazz"], ["sea"]]
CREATORS = ["ann", "ann", "bob", "bob", "bob", "", "cid"]
NO_PROFILES = pd.DataFrame({"user_id": pd.Series(dtype="str"), "topics": pd.Series(dtype=object)})

Visit = tuple[int, int, float, float]
"""User, video, days before the night, share watched."""


def catalogue(creators: list[str] = CREATORS, **more: Any) -> pd.DataFrame:
    n = len(creators)
    published = pd.Series([END - pd.Timedelta(days=300)] * n, dtype="datetime64[us, UTC]")
    usual = {
        "video_id": [f"v{num:03}" for num in range(n)],
        "creator_id": creators,
        "published_at": published,
    }
    return pd.DataFrame({**usual, **more})


def visits(rows: list[Visit]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": pd.Series([f"u{user:04}" for user, _, _, _ in rows], dtype="str"),
            "video_num": pd.Series([num for _, num, _, _ in rows], dtype="int64"),
            "event_at": pd.Series(
                [END - pd.Timedelta(days=days) for _, _, days, _ in rows],
                dtype="datetime64[us, UTC]",
            ),
            "watched_share": pd.Series([share for _, _, _, share in rows], dtype="float64"),
            "is_watched": pd.Series([True] * len(rows), dtype=bool),
        }
    )


def everybody(users: range, num: int, days: float = 3, share: float = 0.8) -> list[Visit]:
    return [(user, num, days, share) for user in users]


def insights(
    rows: list[Visit],
    videos: pd.DataFrame | None = None,
    topics: list[list[str]] = TOPICS,
    profiles: pd.DataFrame = NO_PROFILES,
    **more: Any,
) -> Insights:
    chosen = InsightSettings(**{"k_anonymity": 20, **more})
    videos = catalogue() if videos is None else videos
    offer = Offer.of(videos, topics)
    return summarise_audiences(
        lambda: [visits(rows)], [profiles], videos, offer, chosen, night=NIGHT
    )


def cell(found: Insights, creator: str, topic: str) -> dict[str, Any]:
    table = found.creator_insights
    rows = table[(table["creator_id"] == creator) & (table["topic"] == topic)]
    return dict(rows.iloc[0])


def test_a_creator_learns_what_the_audience_watches_elsewhere() -> None:
    found = insights(everybody(range(40), 0) + everybody(range(20), 3))
    row = cell(found, "ann", "jazz")
    assert (row["n_viewers"], row["audience_share"]) == (20, 0.5)


def test_a_cell_under_k_is_not_written() -> None:
    found = insights(everybody(range(40), 0) + everybody(range(19), 3))
    assert "jazz" not in set(found.creator_insights["topic"])


def test_a_creator_with_a_small_audience_learns_nothing_of_it() -> None:
    found = insights(everybody(range(40), 0) + everybody(range(19), 6))
    assert "cid" not in set(found.creator_insights["creator_id"])


def test_an_audience_under_twice_k_is_not_told_of() -> None:
    assert insights(everybody(range(39), 0)).creator_insights.empty
    assert len(insights(everybody(range(40), 0)).creator_insights) == 1


def test_topics_that_the_same_videos_carry_are_one_the_one_named_first() -> None:
    topics = [["cats", "animals"]] * 3 + [["jazz", "music"]] * 3 + [["sea", "music"]]
    found = insights(everybody(range(40), 0) + everybody(range(40), 3), topics=topics)
    ann = found.creator_insights[found.creator_insights["creator_id"] == "ann"]
    assert set(ann["topic"]) == {"cats", "jazz", "music"}


def test_videos_without_a_creator_are_nobodys_insight() -> None:
    found = insights(everybody(range(40), 5))
    assert found.creator_insights.empty


def test_what_lies_outside_the_window_does_not_count() -> None:
    found = insights(everybody(range(40), 0, days=29) + everybody(range(40), 0, days=-0.1))
    assert found.creator_insights.empty


def test_a_topic_that_gains_has_a_trend_above_zero() -> None:
    rows = everybody(range(40), 0, days=20) + everybody(range(40), 0, days=5)
    rows += everybody(range(20), 3, days=20) + everybody(range(40), 3, days=5)
    row = cell(insights(rows), "ann", "jazz")
    assert row["trend"] == 0.5


def test_a_trend_without_viewers_in_a_half_is_unknown() -> None:
    assert np.isnan(cell(insights(everybody(range(40), 0, days=5)), "ann", "cats")["trend"])


def test_completion_is_the_mean_over_users_in_steps() -> None:
    rows = everybody(range(20), 0, share=1.0) + everybody(range(20, 40), 0, share=0.53)
    assert cell(insights(rows), "ann", "cats")["completion"] == pytest.approx(0.75)


def test_completion_of_fewer_than_k_known_users_is_unknown() -> None:
    rows = everybody(range(19), 0) + everybody(range(19, 60), 0, share=float("nan"))
    assert np.isnan(cell(insights(rows), "ann", "cats")["completion"])


def test_supply_is_the_share_of_videos_on_offer() -> None:
    row = cell(insights(everybody(range(40), 0)), "ann", "cats")
    assert row["supply"] == pytest.approx(3 / 7, abs=1e-4)


def test_an_empty_window_gives_empty_tables_of_the_same_columns() -> None:
    empty, some = insights([]), insights(everybody(range(40), 0))
    assert empty.creator_insights.empty
    assert list(empty.creator_insights) == list(some.creator_insights)
    assert list(empty.creator_videos) == list(some.creator_videos)


def planted(seed: int, n_users: int = 300) -> tuple[list[Visit], list[list[str]], list[str]]:
    """Ten topics of twelve videos, but "rare" of two; a third of each audience loves "rare"."""
    rng = np.random.default_rng(seed)
    topics = [[f"topic {num}"] for num in range(9) for _ in range(12)] + [["rare"]] * 2
    creators = [f"creator {num}" for num in range(9) for _ in range(12)] + ["other"] * 2
    rows: list[Visit] = []
    for user in range(n_users):
        tastes = [f"topic {user % 9}", f"topic {rng.integers(9)}"]
        tastes += ["rare"] if rng.random() < 1 / 3 else []
        for _ in range(18):
            own = rng.random() < 0.8
            wanted = tastes[rng.integers(len(tastes))] if own else None
            choice = [n for n, t in enumerate(topics) if wanted is None or t == [wanted]]
            rows.append((user, int(rng.choice(choice)), float(rng.uniform(0.1, 27)), 0.9))
    return rows, topics, creators


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_scarce_topic_is_each_affected_creators_top_gap(seed: int) -> None:
    rows, topics, creators = planted(seed)
    table = insights(rows, catalogue(creators), topics).creator_insights
    affected = set(table.loc[table["topic"] == "rare", "creator_id"])
    assert len(affected) >= 8
    for creator, own in table[table["creator_id"].isin(affected)].groupby("creator_id"):
        assert own.loc[own["gap"].idxmax(), "topic"] == "rare", creator


def test_without_a_scarce_topic_no_gap_is_large() -> None:
    rng = np.random.default_rng(1)
    topics = [[f"topic {num % 5}"] for num in range(40)]
    rows = [
        (user, int(rng.integers(40)), float(rng.uniform(0.1, 27)), 0.9)
        for user in range(200)
        for _ in range(15)
    ]
    table = insights(rows, catalogue([f"c{num % 4}" for num in range(40)]), topics)
    assert table.creator_insights["gap"].abs().max() < 0.15


def test_a_video_that_draws_twice_its_topic_performs_at_one() -> None:
    rows = everybody(range(80), 0) + everybody(range(40), 1) + everybody(range(40), 2)
    table = insights(rows).creator_videos.set_index("video_id")
    assert table.loc["v000", "performance"] == 1.0
    assert table.loc["v001", "performance"] < 0


def test_performance_is_measured_against_the_time_a_video_was_there() -> None:
    published = [END - pd.Timedelta(days=days) for days in [7, *[300] * 6]]
    videos = catalogue(published_at=pd.Series(published, dtype="datetime64[us, UTC]"))
    rows = [row for num in range(3) for row in everybody(range(40), num)]
    rows += everybody(range(999, 1000), 5, days=28)
    assert insights(rows, videos).creator_videos.set_index("video_id").loc["v000"].iloc[1] == 2.0


def test_performance_is_unknown_where_fewer_than_k_stand_behind_it() -> None:
    rows = everybody(range(40), 0) + everybody(range(10), 1) + everybody(range(40), 6)
    table = insights(rows).creator_videos.set_index("video_id")
    assert np.isnan(table.loc[["v000", "v001", "v006"], "performance"].astype(float)).all()


def profile(users: range, *topics: str) -> list[dict[str, Any]]:
    return [
        {"user_id": f"u{user:04}", "topics": [[topic, 0.5, 3] for topic in topics]}
        for user in users
    ]


def test_a_video_reaches_audiences_that_watch_its_topics_more_than_everybody() -> None:
    rows = everybody(range(40), 0) + everybody(range(40, 120), 3)
    profiles = pd.DataFrame(profile(range(40), "pets") + profile(range(40, 120), "music"))
    table = insights(rows, profiles=profiles).creator_videos.set_index("video_id")
    assert table.loc["v001", "reachable_topics"] == [["pets", 1.0]]
    assert table.loc["v004", "reachable_topics"] == [["music", 1.0]]
    assert table.loc["v006", "reachable_topics"] == []


def test_an_audience_under_k_is_never_named() -> None:
    rows = everybody(range(19), 0) + everybody(range(40, 120), 3)
    profiles = pd.DataFrame(profile(range(19), "pets") + profile(range(40, 120), "music"))
    table = insights(rows, profiles=profiles).creator_videos
    assert "pets" not in str(table["reachable_topics"].tolist())


worlds = st.lists(
    st.tuples(
        st.integers(0, 25), st.integers(0, 6), st.floats(0.1, 27.9), st.sampled_from([0.2, 1.0])
    ),
    max_size=150,
)
tagged = st.lists(
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True), min_size=7, max_size=7
)


@settings(max_examples=60, deadline=None)
@given(worlds, tagged, st.integers(2, 6))
def test_every_published_count_is_a_multiple_of_k_and_no_difference_gives_a_smaller_cell(
    rows: list[Visit], topics: list[list[str]], k: int
) -> None:
    table = insights(rows, topics=topics, k_anonymity=k).creator_insights
    assert (table["n_viewers"] >= k).all()
    assert (table["n_viewers"] % k == 0).all()
    sizes = (table["n_viewers"] / table["audience_share"]).to_numpy()
    assert np.allclose(sizes / k, np.round(sizes / k), atol=0.02)
    assert table["audience_share"].between(0, 1).all()
    assert table["gap"].between(-1, 1).all()
    assert not table.duplicated(["creator_id", "topic"]).any()


@settings(max_examples=60, deadline=None)
@given(worlds, tagged, st.integers(0, 25), st.integers(2, 6))
def test_the_tables_with_and_without_one_user_differ_by_no_count_between_0_and_k(
    rows: list[Visit], topics: list[list[str]], user: int, k: int
) -> None:
    key = ["creator_id", "topic"]
    with_user = insights(rows, topics=topics, k_anonymity=k).creator_insights.set_index(key)
    others = [row for row in rows if row[0] != user]
    without = insights(others, topics=topics, k_anonymity=k).creator_insights.set_index(key)
    apart = with_user["n_viewers"].sub(without["n_viewers"], fill_value=0).abs()
    assert ((apart == 0) | (apart >= k)).all()
