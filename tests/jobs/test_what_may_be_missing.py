"""Whatever is absent from the inputs, alone or together: a night ends well and is published."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.jobs.small_nights import EVENTS, NEXT, VIDEOS, lists_of, run, table_of, write

OPTIONAL = [name for name in VIDEOS.columns if name != "video_id"]

CATALOGUES = {
    "all columns": VIDEOS,
    **{f"no {name}": VIDEOS.drop(columns=name) for name in OPTIONAL},
    "ids alone": VIDEOS[["video_id"]],
    "no tags and categories": VIDEOS.drop(columns=["tags", "categories"]),
    "no text": VIDEOS.assign(title="", description="", tags="", categories=""),
    "text alone": VIDEOS[["video_id", "title"]],
    "media that are not there": VIDEOS.assign(uri="nowhere.mp4"),
    "one video": VIDEOS.iloc[:1],
    "two videos": VIDEOS.iloc[:2],
    "one creator": VIDEOS.assign(creator_id="acme"),
    "one title": VIDEOS.assign(title="Untitled", description="", tags="", categories=""),
    "all expired": VIDEOS.assign(expires_at="2026-08-31"),
    "all withdrawn": VIDEOS.assign(status="removed"),
    "all for adults": VIDEOS.assign(age_rating=21),
    "all elsewhere": VIDEOS.assign(regions="XX"),
    "all new": VIDEOS.assign(published_at="2026-08-31"),
}

PLAYS = EVENTS.assign(event_type="play")
LOGS = {
    **{
        f"{kind} alone": EVENTS.assign(event_type=kind, watched_s=None).drop(columns="watched_s")
        for kind in ("impression", "play", "complete", "like", "dislike", "skip", "share")
    },
    "ratings alone": PLAYS.assign(event_type="rating", value=4).drop(columns="watched_s"),
    "ratings without a value": PLAYS.assign(event_type="rating").drop(columns="watched_s"),
    "bad ratings alone": PLAYS.assign(event_type="rating", value=[1, 2, 1, 1, 2, 1, 1]),
    "nothing was watched": PLAYS.assign(watched_s=0),
    "one user": PLAYS.assign(user_id="u1"),
    "one event": EVENTS.iloc[:1],
    "one video": PLAYS.assign(video_id="v1"),
    "one moment": PLAYS.assign(event_at="2026-08-20T18:00:00Z"),
    "long ago": PLAYS.assign(event_at="2019-08-20T18:00:00Z"),
    "all in the held-out days": PLAYS.assign(event_at="2026-08-31T18:00:00Z"),
    "everybody saw everything": pd.DataFrame(
        [(u, v, "2026-08-31T18:00:00Z", "play", 300) for u in "abc" for v in VIDEOS["video_id"]],
        columns=EVENTS.columns,
    ),
}

PUBLISHED_AT = VIDEOS["published_at"]


def log_of(videos: pd.DataFrame) -> pd.DataFrame:
    """The events of the videos that there are."""
    known = EVENTS[EVENTS["video_id"].isin(videos["video_id"])]
    if "published_at" in videos and (videos["published_at"] == "2026-08-31").all():
        return known.assign(event_at="2026-08-31T18:00:00Z")
    return known


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_night_ends_well_whatever_the_catalogue_lacks(tmp_path: Path, name: str) -> None:
    videos = CATALOGUES[name]
    write(tmp_path, videos=videos, interactions=log_of(videos))
    counts = run(tmp_path)
    assert counts["check_gates"]["failed"] == 0
    assert counts["publish_lists"]["is_current"] is True
    listed = set(table_of(tmp_path, "recommendations")["video_id"])
    if name in ("all expired", "all withdrawn", "all for adults", "all elsewhere", "one video"):
        assert listed == set()
    else:
        assert listed
    assert "nan" not in str(table_of(tmp_path, "user_profiles")["topics"].tolist()).lower()


@pytest.mark.parametrize("name", LOGS)
def test_a_night_ends_well_whatever_the_log_lacks(tmp_path: Path, name: str) -> None:
    published = "2019-01-01" if name == "long ago" else PUBLISHED_AT
    published = "2026-08-01" if name == "one moment" else published
    write(tmp_path, videos=VIDEOS.assign(published_at=published), interactions=LOGS[name])
    counts = run(tmp_path)
    assert counts["check_gates"]["failed"] == 0
    assert counts["publish_lists"]["is_current"] is True
    lists = lists_of(tmp_path)
    if name == "everybody saw everything":
        assert lists == {}
    else:
        assert set(lists) == set(LOGS[name]["user_id"])
    assert len(table_of(tmp_path, "fallback_recommendations")) > 0


USERS: dict[str, Any] = {
    "nobody": pd.DataFrame({"user_id": []}),
    "ids alone": pd.DataFrame({"user_id": ["u1", "stranger"]}),
    "all opted out": pd.DataFrame({"user_id": ["u1", "u2", "u3", "u4"], "opted_out": 1}),
    "all children": pd.DataFrame({"user_id": ["u1", "u2", "u3", "u4"], "max_age_rating": 0}),
    "regions": pd.DataFrame({"user_id": ["u1", "u2"], "region": ["DE", "FR"]}),
}


@pytest.mark.parametrize("name", USERS)
def test_a_night_ends_well_whatever_is_said_of_users(tmp_path: Path, name: str) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS, users=USERS[name])
    counts = run(tmp_path)
    assert counts["check_gates"]["failed"] == 0
    lists = lists_of(tmp_path)
    expected = set() if name == "all opted out" else {"u1", "u2", "u3", "u4"}
    assert set(lists) - {"stranger"} == expected
    if name == "all opted out":
        assert counts["validate_inputs"]["interactions_opted_out"] == len(EVENTS)
        assert table_of(tmp_path, "user_profiles").empty


@pytest.mark.parametrize("queries", ["query,count\n", "query,count\nbread,3\nbread,1\n", None])
def test_a_night_ends_well_with_and_without_queries(tmp_path: Path, queries: str | None) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS, queries=queries)
    assert run(tmp_path)["check_gates"]["failed"] == 0


def test_a_catalogue_alone_is_enough_where_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS)
    counts = run(tmp_path, inputs={"need_interactions": False})
    assert counts["check_gates"]["failed"] == 0
    assert len(table_of(tmp_path, "similar_videos")) > 0


TOGETHER = {
    "nothing but ids and impressions": (VIDEOS[["video_id"]], LOGS["impression alone"]),
    "one video and one event": (VIDEOS.iloc[:1], EVENTS.iloc[:1]),
    "no topics and ratings": (VIDEOS[["video_id", "title"]], LOGS["ratings alone"]),
    "no times and likes": (VIDEOS.drop(columns=["published_at", "duration_s"]), LOGS["like alone"]),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_two_nights_end_well_whatever_is_absent_together(tmp_path: Path, name: str) -> None:
    videos, events = TOGETHER[name]
    write(tmp_path, videos=videos, interactions=events)
    assert run(tmp_path)["check_gates"]["failed"] == 0
    more = events.iloc[[0]].assign(user_id="u9", event_at="2026-09-01T10:00:00Z")
    write(tmp_path, interactions=pd.concat([events, more]))
    counts = run(tmp_path, NEXT)
    assert counts["check_gates"]["failed"] == 0
    assert counts["publish_lists"]["is_current"] is True
