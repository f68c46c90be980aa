import pandas as pd
import pytest

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.recbole import RECBOLE

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t50\t5\t875747190\n"
ITEM = 'item_id:token\tmovie_title:token_seq\tclass:token_seq\n50\tThe "Force" Awaits\tAction War\n'
USER = "user_id:token\tage:token\tgender:token\n1\t24\tM\n"


class TestRecbole(PresetSuite):
    example = Example(
        RECBOLE,
        files={"ml.inter": INTER, "ml.item": ITEM, "ml.user": USER},
        rated={"ml.item": "item_id:token\tage_rating:float\tyear:float\n"
               "10\t18.0\t1\n20\t\t1\n30\t16\t1\n"},
        unused="year",
    )  # fmt: skip


def test_atomic_files_become_tables(world: World) -> None:
    counts = world.bring("recbole", {"ml.inter": INTER, "ml.item": ITEM, "ml.user": USER})
    assert counts == {
        "interactions": 1,
        "videos": 1,
        "users": 1,
        "torn_lines": 0,
        "unused_columns": 2,
    }
    (event,) = world.rows("interactions")
    assert (event["user_id"], event["video_id"], event["event_type"]) == ("1", "50", "rating")
    assert event["value"] == 5.0
    assert event["event_at"] == pd.Timestamp(875747190, unit="s", tz="UTC")
    (video,) = world.rows("videos")
    assert video["title"] == 'The "Force" Awaits'  # atomic files know no quotes
    assert video["categories"] == ["Action", "War"]
    assert [row["user_id"] for row in world.rows("users")] == ["1"]


def test_without_ratings_an_event_is_a_play_and_without_items_a_video_is_its_id(
    world: World,
) -> None:
    inter = (
        "user_id:token\titem_id:token\ttimestamp:float\n"
        "a\tx\t875747191\nb\ty\t875747192\na\ty\t875747193\n"
    )
    world.bring("recbole", {"d.inter": inter})
    assert {row["event_type"] for row in world.rows("interactions")} == {"play"}
    assert [row["video_id"] for row in world.rows("videos")] == ["x", "y"]


def test_interactions_without_time_are_refused_by_name(world: World) -> None:
    inter = "user_id:token\titem_id:token\trating:float\na\tx\t1\n"
    with pytest.raises(InputError, match=r"d\.inter lacks 1 of 3 columns \(first: timestamp\)"):
        world.bring("recbole", {"d.inter": inter})


def test_two_data_sets_in_one_folder_are_refused(world: World) -> None:
    with pytest.raises(InputError, match=r"2 files are \*\.inter \(a\.inter, b\.inter\)"):
        world.bring("recbole", {"a.inter": INTER, "b.inter": INTER})
