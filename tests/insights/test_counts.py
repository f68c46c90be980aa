"""Counting by shard: as of one table of all users, whatever the split, in the memory of a shard."""

import tracemalloc
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.insights.whole_table import Row, insights_of
from vidrec_tasks.insights.crowd import Offer
from vidrec_tasks.insights.insights import Insights, summarise_audiences
from vidrec_tasks.settings import InsightSettings

NIGHT = date(2026, 9, 1)
END = pd.Timestamp(NIGHT, tz="UTC")
K = 5
N_VIDEOS = 60
TOPICS = [sorted({f"t{num % 7}", f"t{num % 11}"}) for num in range(N_VIDEOS)]
CREATORS = ["" if num % 9 == 8 else f"c{num % 9}" for num in range(N_VIDEOS)]


def catalogue() -> pd.DataFrame:
    published = [END - pd.Timedelta(days=num) for num in range(N_VIDEOS)]
    return pd.DataFrame(
        {
            "video_id": [f"v{num:03}" for num in range(N_VIDEOS)],
            "creator_id": CREATORS,
            "published_at": pd.Series(published, dtype="datetime64[us, UTC]"),
        }
    )


def visits_of(rng: np.random.Generator, users: range, n: int) -> pd.DataFrame:
    """Rows of some users: mostly of few videos, some before the window, some not watched."""
    drawn = rng.choice(np.array(users), n)
    days = rng.uniform(0.01, 32, n)
    return pd.DataFrame(
        {
            "user_id": pd.Series([f"u{user:05}" for user in drawn], dtype="str"),
            "video_num": (N_VIDEOS * rng.random(n) ** 2).astype(np.int64),
            "event_at": (END - pd.to_timedelta(days, unit="D")).astype("datetime64[us, UTC]"),
            "watched_share": rng.random(n),
            "is_watched": rng.random(n) < 0.9,
        }
    )


def profiles_of(rng: np.random.Generator, users: range) -> pd.DataFrame:
    topics = [
        [[f"t{topic}", float(rng.normal()), 2] for topic in rng.choice(11, 2, replace=False)]
        for _ in users
    ]
    ids = pd.Series([f"u{user:05}" for user in users], dtype="str")
    return pd.DataFrame({"user_id": ids, "topics": topics})


def by_shard(visits: pd.DataFrame, profiles: pd.DataFrame, n_shards: int) -> Insights:
    def parts(table: pd.DataFrame) -> list[pd.DataFrame]:
        shard = table["user_id"].str[1:].astype(int) * 7 % n_shards
        return [table[shard == number] for number in range(n_shards)]

    videos = catalogue()
    return summarise_audiences(
        lambda: parts(visits),
        parts(profiles),
        videos,
        Offer.of(videos, TOPICS),
        InsightSettings(k_anonymity=K),
        night=NIGHT,
    )


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    return visits_of(rng, range(90), 700), profiles_of(rng, range(90))


@pytest.mark.parametrize("n_shards", [2, 7, 200])
def test_no_split_changes_a_bit(tables: tuple[pd.DataFrame, pd.DataFrame], n_shards: int) -> None:
    one, many = by_shard(*tables, 1), by_shard(*tables, n_shards)
    assert len(one.creator_insights) > 20
    assert one.creator_videos["reachable_topics"].str.len().sum() > 20
    for name in ("creator_insights", "creator_videos"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(many, name), check_exact=True)


@pytest.mark.parametrize("n_shards", [1, 7])
def test_cells_are_those_of_one_table_of_distinct_users(
    tables: tuple[pd.DataFrame, pd.DataFrame], n_shards: int
) -> None:
    visits, profiles = tables
    seen = visits[visits["is_watched"] & (visits["event_at"] >= END - pd.Timedelta(days=28))]
    rows: list[Row] = [
        (user, num, at >= END - pd.Timedelta(days=14), share)
        for user, num, at, share in zip(
            seen["user_id"], seen["video_num"], seen["event_at"], seen["watched_share"],
            strict=True,
        )
    ]  # fmt: skip
    expected = insights_of(rows, CREATORS, TOPICS, K)
    table = by_shard(visits, profiles, n_shards).creator_insights
    found = table.set_index(["creator_id", "topic"]).to_dict(orient="index")
    assert set(found) == set(expected)
    for key, cell in expected.items():
        assert found[key]["n_viewers"] == cell["n_viewers"]
        assert found[key]["audience_share"] == pytest.approx(cell["audience_share"], abs=1e-4)
        assert found[key]["trend"] == pytest.approx(cell["trend"], abs=1e-4, nan_ok=True)
        # published in steps of 1/k
        assert found[key]["completion"] == pytest.approx(cell["completion"], abs=0.5 / K + 1e-6)


def test_users_of_several_shards_make_a_cell_that_no_shard_would_hold() -> None:
    rng = np.random.default_rng(1)
    visits = pd.concat([visits_of(rng, range(user, user + 1), 40) for user in range(2 * K)])
    profiles = profiles_of(rng, range(2 * K))
    assert len(by_shard(visits, profiles, 2 * K).creator_insights) > 0


def peak_bytes(n_shards: int) -> int:
    """Memory of counting shards of 150 users each, which are made as they are asked for."""

    def users(shard: int) -> range:
        return range(150 * shard, 150 * (shard + 1))

    def visits() -> Iterator[pd.DataFrame]:
        for shard in range(n_shards):
            yield visits_of(np.random.default_rng(shard), users(shard), 3_000)

    videos = catalogue()
    offer, chosen = Offer.of(videos, TOPICS), InsightSettings(k_anonymity=K)
    profiles = (profiles_of(np.random.default_rng(n), users(n)) for n in range(n_shards))
    tracemalloc.start()
    try:
        summarise_audiences(visits, profiles, videos, offer, chosen, night=NIGHT)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_holds_one_shard() -> None:
    peak_bytes(1)  # what is made once by libraries
    assert peak_bytes(12) < 1.5 * peak_bytes(2)
