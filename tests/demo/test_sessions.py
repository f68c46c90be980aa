"""What planned users do: it shows the planted tastes and the planted bias."""

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.demo.sessions import let_watch, shelve
from vidrec_tasks.demo.tastes import plan_users, users_table
from vidrec_tasks.demo.world import World


@pytest.fixture(scope="module")
def plays(usual_world: World) -> pd.DataFrame:
    """Plays with the video's length, the share watched and whether it is to the user's taste."""
    videos = {video.video_id: video for video in usual_world.videos}
    users = {user.user_id: user for user in usual_world.users}
    rows = usual_world.events[usual_world.events["event_type"] == "play"].copy()
    rows["duration_s"] = [videos[video].duration_s for video in rows["video_id"]]
    rows["share"] = rows["watched_s"].astype(float) / rows["duration_s"]
    rows["late"] = rows["day"] > sorted(rows["day"].unique())[7]
    rows["liked"] = [
        bool({*users[u].tastes, *users[u].later_tastes} & set(videos[v].topic_names))
        for u, v in zip(rows["user_id"], rows["video_id"], strict=True)
    ]
    return rows


def test_users_play_fifteen_to_twenty_five_times(plays: pd.DataFrame) -> None:
    assert 15 <= len(plays) / plays["user_id"].nunique() <= 25


def test_most_plays_follow_taste_and_some_do_not(plays: pd.DataFrame) -> None:
    assert 0.8 < plays["liked"].mean() < 0.98


def test_short_videos_are_watched_further(plays: pd.DataFrame) -> None:
    length = np.log(plays["duration_s"])
    assert np.corrcoef(length, plays["share"])[0, 1] < -0.3


def test_a_video_to_the_users_taste_is_watched_further(plays: pd.DataFrame) -> None:
    shares = plays.groupby("liked")["share"].mean()
    assert shares[True] > shares[False] + 0.1


def test_who_drifts_turns_to_the_new_topic(plays: pd.DataFrame, usual_world: World) -> None:
    topics = {video.video_id: set(video.topic_names) for video in usual_world.videos}
    rates = {False: [], True: []}
    for user in (user for user in usual_world.users if user.drifts):
        new = set(user.later_tastes) - set(user.tastes)
        mine = plays[plays["user_id"] == user.user_id]
        for late, rows in mine.groupby("late"):
            rates[bool(late)] += [bool(new & topics[video]) for video in rows["video_id"]]
    assert np.mean(rates[True]) > np.mean(rates[False]) + 0.2


def test_evening_people_watch_in_the_evening(usual_world: World) -> None:
    evening = {user.user_id for user in usual_world.users if user.habit == "evening"}
    events = usual_world.events
    hours = events["event_at"].str[11:13].astype(int)
    assert (hours[events["user_id"].isin(evening)] >= 16).mean() > 0.9


def test_some_videos_are_watched_twice(plays: pd.DataFrame) -> None:
    assert 0.02 < plays.duplicated(["user_id", "video_id"]).mean() < 0.4


def test_unseen_videos_on_planted_topics_remain(usual_world: World) -> None:
    seen = usual_world.events[usual_world.events["event_type"] == "play"]
    seen_by = seen.groupby("user_id")["video_id"].agg(set)
    remaining = [
        sum(
            bool(set(user.topics) & set(video.topic_names)) and video.video_id not in mine
            for video in usual_world.videos
        )
        for user in usual_world.users
        if len(mine := seen_by.get(user.user_id, set()))
    ]
    assert np.median(remaining) >= 8


def test_no_event_breaks_a_rule_of_its_video(usual_world: World) -> None:
    videos = {video.video_id: video for video in usual_world.videos}
    users = {user.user_id: user for user in usual_world.users}
    moments = pd.to_datetime(usual_world.events["event_at"])
    rows = zip(usual_world.events["user_id"], usual_world.events["video_id"], moments, strict=True)
    for user_id, video_id, at in rows:
        video = videos[video_id]
        assert video.published_at <= at
        assert video.expires_at is None or at < video.expires_at
        assert users[user_id].may_see(video)
        assert video.role != "new"


def test_a_user_does_the_same_whoever_else_is_there(usual_world: World) -> None:
    shelf = shelve(usual_world.videos, [topic.name for topic in usual_world.market.topics])
    user = usual_world.users[5]
    alone = let_watch(user, shelf, usual_world.size)
    among = usual_world.events[usual_world.events["user_id"] == user.user_id]
    assert [event["video_id"] for event in alone] == among["video_id"].tolist()


def test_those_who_want_the_wanted_topic_watch_the_affected_creators(usual_world: World) -> None:
    market = usual_world.market
    fans = [user for user in usual_world.users if market.underserved in user.tastes]
    assert len(fans) > 0.2 * len(usual_world.users)
    assert all(set(user.tastes) & set(market.plentiful) for user in fans)
    assert not any(user.drifts for user in fans)


def test_users_are_the_same_for_the_same_seed(usual_world: World) -> None:
    again = plan_users(usual_world.size, usual_world.market, usual_world.videos)
    assert again == usual_world.users
    assert users_table(again)["opted_out"].tolist().count("true") == 1
