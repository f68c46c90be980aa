"""What every preset keeps: what restricts a video, when it was made, and a word on all else."""

import pandas as pd
import pytest

from tests.importing.worlds import World
from vidrec_tasks.errors import InputError

DAY = "2021-09-10"
PLAYS = f"user_id,item_id,weight,datetime\n1,10,1,{DAY}\n2,20,1,{DAY}\n"
GORSE = {"feedback.csv": f"feedback_type,user_id,item_id,time_stamp\nread,u,10,{DAY}\n"}
INTER = "user_id:token\titem_id:token\ttimestamp:float\n1\t10\t1631232000\n"
PERSONALIZE = {"interactions.csv": "USER_ID,ITEM_ID,TIMESTAMP\nu,10,1631232000\n"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("age_rating", "PG-13", "age_rating is not a whole number"),
        ("expires_at", "31/12/2021", "expires_at is a date whose day and month are ambiguous"),
    ],
)
def test_a_restriction_that_cannot_be_read_keeps_the_video_out(
    world: World, column: str, value: str, reason: str
) -> None:
    items = f"item_id,title,{column}\n10,Ten,{value}\n20,Twenty,\n"
    world.bring("rectools", {"interactions.csv": PLAYS, "items.csv": items})
    parsed = world.parsed("videos")
    assert parsed.rows["video_id"].tolist() == ["20"]
    assert parsed.rejects["reason"].iloc[0].startswith(reason)


def test_a_region_and_a_status_are_kept(world: World) -> None:
    items = 'item_id,title,allowed_regions,status\n10,Ten,"DE,AT",removed\n20,Twenty,,\n'
    world.bring("rectools", {"interactions.csv": PLAYS, "items.csv": items})
    first, second = world.rows("videos")
    assert (first["regions"], first["status"]) == (["DE", "AT"], "removed")
    assert (second["regions"], second["status"]) == ([], "active")


@pytest.mark.parametrize("names", [("train", "valid", "test"), ("part1", "part2", "part3")])
def test_the_parts_of_a_recbole_file_are_one(world: World, names: tuple[str, ...]) -> None:
    head, row = INTER.splitlines()
    files = {
        f"ml.{name}.inter": f"{head}\n{row.replace('1', str(num), 1)}\n"
        for num, name in enumerate(names, start=1)
    }
    assert world.bring("recbole", files)["interactions"] == 3
    assert {event["user_id"] for event in world.rows("interactions")} == {"1", "2", "3"}


@pytest.mark.parametrize("other", ["ml.inter", "other.train.inter"])
def test_a_whole_beside_its_parts_or_two_sets_are_refused(world: World, other: str) -> None:
    with pytest.raises(InputError, match=r"2 files are \*.inter .* keep one, or the parts of one"):
        world.bring("recbole", {"ml.train.inter": INTER, other: INTER})


@pytest.mark.parametrize(
    ("preset", "files", "column"),
    [
        ("personalize", PERSONALIZE, "ITEM_ID,CREATION_TIMESTAMP"),
        ("gorse", GORSE, "item_id,time_stamp"),
    ],
)
def test_a_creation_time_is_kept_as_it_is_written(
    world: World, preset: str, files: dict[str, str], column: str
) -> None:
    written = {
        "10": "1631145600", "a": "2021-12-24 00:00:00 UTC", "b": "2021-12-24 00:00:00 +0000 UTC",
        "c": "20211224", "d": "24/12/2021", "e": "0001-01-01 00:00:00 +0000 UTC", "f": "",
    }  # fmt: skip
    rows = "\n".join(f"{name},{text}" for name, text in written.items())
    world.bring(preset, {**files, "items.csv": f"{column}\n{rows}\n"})
    parsed = world.parsed("videos")
    found = parsed.rows.set_index("video_id")["published_at"]
    christmas = pd.Timestamp("2021-12-24", tz="UTC")
    assert found["10"] == pd.Timestamp("2021-09-09", tz="UTC")
    assert [found[name] for name in "abc"] == [christmas] * 3
    assert found[["e", "f"]].isna().all()
    assert parsed.rejects["reason"].tolist() == [
        "published_at is a date whose day and month are ambiguous (write 2026-12-24)"
    ]


def test_a_label_of_json_null_is_no_tag(world: World) -> None:
    items = 'item_id,labels,categories\n10,null,a|b\n20,"[""bread"",null]",null\n'
    world.bring("gorse", {**GORSE, "items.csv": items})
    first, second = world.rows("videos")
    assert (first["tags"], first["categories"]) == ([], ["a", "b"])
    assert (second["tags"], second["categories"]) == (["bread"], [])
