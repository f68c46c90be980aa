import pandas as pd
import pytest

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from tests.stores import UNKNOWN
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.personalize import PERSONALIZE

FILES = {
    "interactions.csv": "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP\n"
    "196,242,Watch,,881250949\n186,302,purchase,13,891717742\n196,302,teleport,,891717742\n",
    "items.csv": "ITEM_ID,CREATION_TIMESTAMP,GENRES,CATEGORY_L1,DESCRIPTION\n"
    "242,881250000,Drama|Horror,Film,Dark.\n302,999999999,,Film,\n",
    "users.csv": "USER_ID,AGE,GENDER,REGION\n196,33,F,NL\n",
}


class TestPersonalize(PresetSuite):
    example = Example(
        PERSONALIZE,
        files={**FILES, "interactions.csv": FILES["interactions.csv"].replace("teleport", "watch")},
        rated={"items.csv": "ITEM_ID,AGE_RATING,COLOUR\n10,18,x\n20,,x\n30,16,x\n"},
        unused="COLOUR",
    )


def test_events_are_translated_and_unknown_ones_rejected_by_name(world: World) -> None:
    counts = world.bring("personalize", FILES)
    assert counts == {
        "interactions": 3, "videos": 2, "users": 1,
        "published_moved": 1, "unknown_events": 1, "torn_lines": 0,
        "unused_columns": 2,
    }  # fmt: skip
    parsed = world.parsed("interactions")
    assert parsed.rows["event_type"].to_list() == ["play", "like"]
    assert parsed.rejects["reason"].to_list() == [UNKNOWN]
    assert "teleport" in parsed.rejects["sample"].iloc[0]


def test_a_video_is_never_published_after_its_first_event(world: World) -> None:
    world.bring("personalize", FILES)
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert by_id["242"]["published_at"] == pd.Timestamp(881250000, unit="s", tz="UTC")
    assert by_id["302"]["published_at"] == pd.Timestamp(891717742, unit="s", tz="UTC")


def test_genres_and_category_levels_become_categories(world: World) -> None:
    world.bring("personalize", FILES)
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert by_id["242"]["categories"] == ["Drama", "Horror", "Film"]
    assert by_id["242"]["description"] == "Dark."


def test_no_demographics_come_along(world: World) -> None:
    world.bring("personalize", FILES)
    (table,) = (world.store / "inputs").glob("users.parquet")
    columns = {"user_id", "region", "language", "max_age_rating", "opted_out"}
    assert set(pd.read_parquet(table).columns) == columns
    assert world.rows("users")[0]["region"] == "NL"


def test_without_event_types_everything_is_a_play(world: World) -> None:
    world.bring("personalize", {"interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP\na,x,1787248800\n"})
    assert world.rows("interactions")[0]["event_type"] == "play"


def test_a_column_under_another_name_is_pointed_at(world: World) -> None:
    files = {"interactions.csv": "USER_ID,ITEMID,TIMESTAMP\na,x,1787248800\n"}
    with pytest.raises(InputError, match=r"first: ITEM_ID\).*rename 'ITEMID'\?"):
        world.bring("personalize", files)
