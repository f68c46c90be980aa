"""Fallbacks in a world of ten videos: what strangers see, and that its reasons are true."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.recommending.beside.fallback_reasons import (
    FALLBACK_TEMPLATES,
    IN_CATALOGUE,
    IN_TOPIC,
)
from vidrec_tasks.recommending.beside.fallbacks import list_fallbacks
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.crowds import Counts, Crowd, first_topics, newest_of
from vidrec_tasks.recommending.reason_codes import NEW_VIDEO, POPULAR_NOW
from vidrec_tasks.settings import RecommendingSettings

NIGHT = pd.Timestamp("2026-09-01", tz="UTC")
OLD = pd.Timestamp("2026-01-01", tz="UTC")
N = 10
TOPICS = [["cats"]] * 4 + [["sea"]] * 4 + [[], ["ignore all instructions"]]


def days_ago(days: float) -> pd.Timestamp:
    return NIGHT - pd.Timedelta(days=days)


def catalogue(**columns: list[Any]) -> pd.DataFrame:
    usual: dict[str, Any] = {
        "video_id": [f"v{num}" for num in range(N)],
        "creator_id": [""] * N,
        "published_at": pd.Series([OLD] * N, dtype="datetime64[us, UTC]"),
        "expires_at": pd.Series([pd.NaT] * N, dtype="datetime64[us, UTC]"),
        "duration_s": [10.0] * N,
        "status": ["active"] * N,
        "age_rating": [0] * N,
        "regions": [[]] * N,
        "language": [""] * N,
    }
    return pd.DataFrame({**usual, **columns})


def content_of(videos: pd.DataFrame, groups: dict[str, str] | None = None) -> Content:
    fused = np.eye(N, dtype=np.float32)
    same = pd.DataFrame({"video_id": list(groups or {}), "group_id": list((groups or {}).values())})
    return Content.of(videos, fused, TOPICS, same)


def visits(*rows: tuple[str, int, float]) -> pd.DataFrame:
    """User, video and days before the night."""
    return pd.DataFrame(
        {
            "user_id": pd.Series([user for user, _, _ in rows], dtype="str"),
            "video_num": pd.Series([num for _, num, _ in rows], dtype="int64"),
            "event_at": pd.Series([days_ago(d) for _, _, d in rows], dtype="datetime64[us, UTC]"),
            "is_watched": pd.Series([True] * len(rows), dtype=bool),
            "weight": pd.Series([1.0] * len(rows), dtype="float32"),
        }
    )


def watched_by(num: int, n: int, *, days: float = 5, prefix: str = "u") -> list[Any]:
    return [(f"{prefix}{user:03}", num, days) for user in range(n)]


USERS = pd.DataFrame({"user_id": ["u000"], "region": [""], "language": [""]})


def fallbacks(
    seen: pd.DataFrame | None = None,
    videos: pd.DataFrame | None = None,
    users: pd.DataFrame = USERS,
    groups: dict[str, str] | None = None,
    n_shards: int = 1,
    **more: Any,
) -> pd.DataFrame:
    videos = catalogue() if videos is None else videos
    chosen = RecommendingSettings(**{"n": 4, "n_exploration": 0, **more})
    shards = in_shards(visits() if seen is None else seen, n_shards)
    return list_fallbacks(
        videos, users, content_of(videos, groups), shards,
        newest=newest_of(shards, moment=NIGHT), moment=NIGHT, settings=chosen,
    )  # fmt: skip


def in_shards(seen: pd.DataFrame, n: int) -> list[pd.DataFrame]:
    """The visits of each user in one of ``n`` shards."""
    shard_of = seen["user_id"].map(lambda user: sum(map(ord, user)) % n)
    return [seen[shard_of == shard] for shard in range(n)]


def listed(segment: str, table: pd.DataFrame) -> list[str]:
    return list(table.loc[table["segment"] == segment, "video_id"])


def said(segment: str, video_id: str, table: pd.DataFrame) -> tuple[str, str]:
    row = table[(table["segment"] == segment) & (table["video_id"] == video_id)].iloc[0]
    return row["reason_code"], row["explanation"]


def test_the_most_watched_video_comes_first_and_says_by_how_many() -> None:
    table = fallbacks(visits(*watched_by(3, 9), *watched_by(5, 4)))
    assert listed("__default__", table)[:2] == ["v3", "v5"]
    assert said("__default__", "v3", table) == (
        POPULAR_NOW,
        "Popular now: watched by 9 users in the last 28 days.",
    )


def test_a_video_that_is_neither_popular_nor_new_claims_nothing() -> None:
    assert said("__default__", "v0", fallbacks()) == (IN_CATALOGUE, "From the catalogue.")


def test_what_was_watched_before_the_window_is_not_called_popular_now() -> None:
    table = fallbacks(visits(*watched_by(3, 9, days=90)))
    assert listed("__default__", table)[0] == "v3"
    assert said("__default__", "v3", table)[0] == IN_CATALOGUE


def test_visits_after_the_night_do_not_exist() -> None:
    table = fallbacks(visits(*watched_by(3, 9, days=-1)))
    assert POPULAR_NOW not in set(table["reason_code"])


def test_a_new_video_has_a_place_and_says_its_age() -> None:
    published = pd.Series([OLD] * 9 + [days_ago(3.5)], dtype="datetime64[us, UTC]")
    table = fallbacks(
        visits(*(row for num in range(6) for row in watched_by(num, 30))),
        catalogue(published_at=published),
        n_exploration=1,
    )
    assert "v9" in listed("__default__", table)
    assert said("__default__", "v9", table) == (NEW_VIDEO, "New: published 3 days ago.")


def test_the_default_list_holds_only_what_everybody_everywhere_may_see() -> None:
    ages = [0, 6, 18, 0, 0, 0, 0, 0, 0, 0]
    regions = [[], [], [], ["de"], [], [], [], [], [], []]
    states = ["active"] * 4 + ["withdrawn"] + ["active"] * 5
    videos = catalogue(age_rating=ages, regions=regions, status=states)
    table = fallbacks(videos=videos, n=N)
    assert set(listed("__default__", table)) == {"v0", "v5", "v6", "v7", "v8", "v9"}


def test_a_region_may_see_what_is_bound_to_it() -> None:
    regions = [["de"], ["fr"], ["de", "fr"], *[[]] * 7]
    table = fallbacks(videos=catalogue(regions=regions), n=N)
    assert {"v0", "v2"} <= set(listed("region:de", table))
    assert "v1" not in listed("region:de", table)


def test_a_region_of_many_users_has_its_own_order() -> None:
    seen = visits(*watched_by(1, 100), *watched_by(2, 80, prefix="g"))
    users = pd.DataFrame(
        {
            "user_id": [f"g{num:03}" for num in range(80)],
            "region": ["de"] * 80,
            "language": [""] * 80,
        }
    )
    table = fallbacks(seen, users=users)
    assert listed("__default__", table)[0] == "v1"
    assert listed("region:de", table)[0] == "v2"


def test_a_region_of_few_users_shows_nothing_of_them() -> None:
    seen = visits(*watched_by(1, 100), *watched_by(2, 15, prefix="g"))
    users = pd.DataFrame(
        {
            "user_id": [f"g{num:03}" for num in range(15)],
            "region": ["de"] * 15,
            "language": [""] * 15,
        }
    )
    table = fallbacks(seen, users=users)
    assert listed("region:de", table) == listed("__default__", table)


def test_a_language_has_its_own_videos_first_then_others() -> None:
    spoken = ["en"] * 7 + ["de", "de", ""]
    table = fallbacks(videos=catalogue(language=spoken))
    assert set(listed("language:de", table)[:3]) == {"v7", "v8", "v9"}
    assert len(listed("language:de", table)) == 4


def test_a_topic_has_its_own_videos_first_and_says_so() -> None:
    table = fallbacks(visits(*watched_by(8, 50)), n=6)
    assert set(listed("topic:cats", table)[:4]) == {"v0", "v1", "v2", "v3"}
    assert said("topic:cats", "v0", table) == (IN_TOPIC, "About “cats”.")
    assert said("topic:cats", "v8", table)[0] == POPULAR_NOW


def test_a_topic_of_few_videos_has_no_list() -> None:
    assert "topic:ignore all instructions" not in set(fallbacks()["segment"])


def test_the_first_watch_decides_for_which_topic_a_user_speaks() -> None:
    seen = visits(("u1", 5, 2), ("u1", 0, 9), ("u2", 8, 1))
    assert first_topics(seen, TOPICS) == {"cats": ["u1"]}


def test_near_duplicates_share_no_list() -> None:
    groups = {f"v{num}": "g" for num in range(5)}
    table = fallbacks(groups=groups, n=N)
    assert len(set(groups) & set(listed("__default__", table))) == 1


def test_a_creator_fills_no_list_while_there_are_others() -> None:
    creators = ["a"] * 6 + ["b", "c", "d", "e"]
    seen = visits(*(row for num in range(6) for row in watched_by(num, 30)))
    table = fallbacks(seen, catalogue(creator_id=creators), max_per_creator=2)
    assert len(set(listed("__default__", table)) & {f"v{num}" for num in range(6)}) == 2


def test_a_catalogue_that_nobody_may_see_gives_an_empty_table() -> None:
    table = fallbacks(videos=catalogue(age_rating=[18] * N))
    assert table.empty
    assert table.dtypes.to_dict() == fallbacks().dtypes.to_dict()


def test_sentences_are_told_in_chinese() -> None:
    assert set(FALLBACK_TEMPLATES["en"]) == set(FALLBACK_TEMPLATES["zh"])
    table = fallbacks(visits(*watched_by(3, 9)), explanation_language="zh")
    assert said("__default__", "v3", table)[1] == "近期热门：最近28 天内有9 位用户看过。"


@pytest.mark.parametrize("n_members", [19, 20])
def test_a_segment_counts_from_twenty_active_users(n_members: int) -> None:
    seen = visits(*watched_by(1, 100), *watched_by(2, n_members, prefix="g"))
    crowd = Crowd.of(seen, n_videos=N, moment=NIGHT)
    counts = Counts(1, N)
    counts.add(crowd, sp.csr_array([[float(user[0] == "g") for user in crowd.user_ids]]))
    assert np.array_equal(counts.rates(0), counts.rates()) == (n_members < 20)


@pytest.mark.parametrize("days", [5.0, 90.0])
def test_lists_are_the_same_however_users_are_split(days: float) -> None:
    seen = visits(
        *watched_by(1, 60, days=days), *watched_by(2, 40, prefix="g"),
        *watched_by(6, 30, days=days + 1),
    )  # fmt: skip
    users = pd.DataFrame(
        {
            "user_id": [f"g{num:03}" for num in range(40)],
            "region": ["de"] * 40,
            "language": ["en", "fr"] * 20,
        }
    )
    whole = fallbacks(seen, users=users)
    for n_shards in (2, 7):
        pd.testing.assert_frame_equal(fallbacks(seen, users=users, n_shards=n_shards), whole)


events = st.tuples(st.integers(0, 30), st.integers(0, N - 1), st.floats(-3, 60))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(events, max_size=40),
    st.lists(st.sampled_from([0, 12]), min_size=N, max_size=N),
    st.lists(st.sampled_from([(), ("de",), ("de", "fr")]), min_size=N, max_size=N),
    st.lists(st.sampled_from(["", "g", "h"]), min_size=N, max_size=N),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_every_list_keeps_the_rules(
    seen: list[tuple[int, int, float]],
    ages: list[int],
    regions: list[tuple[str, ...]],
    groups: list[str],
    n: int,
    n_exploration: int,
) -> None:
    videos = catalogue(age_rating=ages, regions=[list(names) for names in regions])
    named = {f"v{num}": group for num, group in enumerate(groups) if group}
    rows = visits(*((f"u{user}", num, days) for user, num, days in seen))
    table = fallbacks(rows, videos, groups=named, n=n, n_exploration=n_exploration)
    for segment, own in table.groupby("segment"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert len(own) <= n
        assert own["video_id"].is_unique
        nums = [int(video_id[1:]) for video_id in own["video_id"]]
        assert all(ages[num] == 0 for num in nums)
        region = str(segment).removeprefix("region:")
        assert all(not regions[num] or region in regions[num] for num in nums)
        shared = [named[video_id] for video_id in own["video_id"] if video_id in named]
        assert len(shared) == len(set(shared))
        assert np.isfinite(own["score"]).all()
