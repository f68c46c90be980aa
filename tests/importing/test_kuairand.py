from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from vidrec_tasks.audience.visits import gather_visits
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.kuairand import KUAIRAND
from vidrec_tasks.importing.presets import import_data

LOG = (
    "user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,"
    "is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,"
    "is_profile_enter,is_rand,tab\n"
)
STANDARD = (
    LOG
    + "1,10,20220410,900,1649552400123,1,1,1,0,1,0,1,12500,10000,0,0,0,0,1\n"
    + "1,20,20220410,900,1649552460000,0,0,0,0,0,1,0,1500,0,0,0,0,0,2\n"
    + "2,20,20220411,900,1649638800000,0,0,0,0,0,0,0,0,60000,0,0,0,0,1\n"
)
RANDOM = LOG + "2,30,20220423,900,1650675600000,0,0,0,1,0,0,0,0,0,0,900,0,1,4\n"
BASIC = (
    "video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,"
    "server_width,server_height,music_id,music_type,tag\n"
    '10,7,NORMAL,2022-04-01,ShortImport,1,10000.0,720,1280,5,4,"12,65"\n'
    "20,8,NORMAL,2022-05-01,ShortImport,1,,720,1280,5,4,\n"
)
FILES = {
    "log_standard_4_08_to_4_21_1k.csv": STANDARD,
    "log_random_4_22_to_5_08_1k.csv": RANDOM,
    "video_features_basic_1k.csv": BASIC,
    "user_features_1k.csv": "user_id,user_active_degree,register_days\n1,full_active,90\n",
}
SAMPLE = (
    "user_id\tvideo_id\ttime_ms\tis_click\tis_follow\tplay_time_ms\tduration_ms\tlabel\n"
    "1\t10\t1649552400123\t1\t0\t12500\t10000\t1\n"
    "1\t11\t1649552460000\t0\t1\t0\t0\t1\n"
)


class TestKuairand(PresetSuite):
    example = Example(
        KUAIRAND,
        files=FILES,
        rated={"video_features_basic_1k.csv": "video_id,age_rating,music_id\n"
               "10,18,x\n20,,x\n30,16,x\n"},
        unused="music_id",
    )  # fmt: skip


def said(world: World) -> list[tuple[str, str, str]]:
    events = world.rows("interactions")
    return [(event["user_id"], event["video_id"], event["event_type"]) for event in events]


def test_a_row_becomes_a_play_and_an_event_for_each_signal(world: World) -> None:
    counts = world.bring("kuairand", FILES)
    assert counts == {
        "interactions": 7, "videos": 3, "users": 1, "published_moved": 1, "without_features": 1,
        "unread_signals": 0, "torn_lines": 0, "unused_columns": 19,
    }  # fmt: skip
    assert said(world) == [
        ("2", "30", "play"),
        ("1", "10", "play"), ("1", "10", "like"), ("1", "10", "share"),
        ("1", "20", "play"), ("1", "20", "dislike"),
        ("2", "20", "impression"),
    ]  # fmt: skip
    of_first = world.rows("interactions")[1:4]
    assert {event["event_at"] for event in of_first} == {pd.Timestamp("2022-04-10T01:00:00.123Z")}
    assert {event["surface"] for event in of_first} == {"1"}
    assert [event["watched_s"] for event in of_first] == pytest.approx(
        [12.5, np.nan, np.nan], nan_ok=True
    )


def test_what_was_opened_without_a_play_time_was_played_for_how_long_is_not_known(
    world: World,
) -> None:
    world.bring("kuairand", FILES)
    commented = world.rows("interactions")[0]
    assert (commented["event_type"], commented["surface"]) == ("play", "4")
    assert np.isnan(commented["watched_s"])


def test_videos_have_what_features_or_else_the_log_say_of_them(world: World) -> None:
    world.bring("kuairand", FILES)
    first, second, third = world.rows("videos")
    assert (first["creator_id"], first["categories"]) == ("7", ["12", "65"])
    assert first["published_at"] == pd.Timestamp("2022-04-01", tz="UTC")
    assert [first["duration_s"], second["duration_s"]] == [10.0, 60.0]
    assert second["published_at"] == pd.Timestamp("2022-04-10T01:01:00Z")  # seen before its upload
    assert (third["video_id"], third["title"], third["creator_id"]) == ("30", "", "")
    assert np.isnan(third["duration_s"])
    assert pd.isna(third["published_at"])


def test_a_duration_of_nothing_gives_no_share(world: World) -> None:
    log = LOG + "".join(
        f"{user},10,20220410,900,164955240012{user},1,0,0,0,0,0,1,9000,0,0,0,0,0,1\n"
        for user in range(3)
    )
    world.bring("kuairand", {"log_standard_4_08_to_4_21_1k.csv": log})
    events, videos = world.parsed("interactions").rows, world.parsed("videos").rows
    visits = gather_visits(events, videos, night=date(2026, 9, 1))
    assert events["watched_s"].tolist() == [9.0] * 3
    assert visits["play"].tolist() == [1] * 3
    assert visits["watched_share"].isna().all()
    assert visits["duration_s"].isna().all()


def test_a_sample_with_tabs_and_fewer_columns_is_read_too(world: World) -> None:
    counts = world.bring("kuairand", {"sample.csv": SAMPLE})
    assert (counts["interactions"], counts["videos"], counts["unused_columns"]) == (3, 2, 1)
    assert said(world) == [("1", "10", "play"), ("1", "11", "impression"), ("1", "11", "like")]
    assert [row["duration_s"] for row in world.rows("videos")] == pytest.approx(
        [10.0, np.nan], nan_ok=True
    )


def test_a_play_time_that_is_no_number_is_rejected_by_name_and_a_signal_counted(
    world: World,
) -> None:
    log = LOG + "1,10,20220410,900,1649552400123,1,yes,0,0,0,0,1,long,10000,0,0,0,0,1\n"
    counts = world.bring("kuairand", {"log_standard_4_08_to_4_21_1k.csv": log})
    assert (counts["interactions"], counts["unread_signals"]) == (1, 1)
    reasons = world.parsed("interactions").rejects["reason"].tolist()
    assert reasons == ["watched_s is not a finite number"]


def test_files_of_two_versions_are_refused(world: World) -> None:
    files = {**FILES, "log_standard_4_08_to_4_21_pure.csv": STANDARD}
    with pytest.raises(InputError, match=r"files of 2 versions \(1k, pure\) .* keep those of one"):
        world.bring("kuairand", files)
    assert not list(world.store.rglob("*.parquet"))


def test_the_parts_of_the_largest_version_are_one_log(world: World) -> None:
    name = "log_standard_4_08_to_4_21_27k_part{}.csv"
    world.bring("kuairand", {name.format(1): STANDARD, name.format(2): RANDOM})
    assert {user for user, _, _ in said(world)} == {"1", "2"}
    assert [row["video_id"] for row in world.rows("videos")] == ["10", "20", "30"]


def test_the_real_sample_arrives_whole(real_data: Path, tmp_path: Path) -> None:
    theirs = real_data / "kuairand-sample"
    if not theirs.is_dir():
        pytest.skip(f"no {theirs}")
    world = World(tmp_path)
    import_data("kuairand", theirs, world.store / "inputs")
    events, videos = pd.DataFrame(world.rows("interactions")), pd.DataFrame(world.rows("videos"))
    assert events["event_type"].isin(["play", "impression"]).sum() == 400
    assert len(videos) == 357
    assert np.isfinite(videos["duration_s"].dropna()).all()
    assert (videos["duration_s"].dropna() > 0).all()
    assert set(events["video_id"]) == set(videos["video_id"])
