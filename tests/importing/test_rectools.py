import pandas as pd

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World, write
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.importing.rectools import RECTOOLS

ITEMS = 'item_id,title,genres,keywords\n10,"Ten","drama, comedy",a|b\n20,Twenty,,\n'
DAYS = ["2021-09-10", "2021-09-11 12:00", "2021-09-12"]


def interactions(weights: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": [1, 1, 2],
            "item_id": [10, 20, 10],
            "weight": weights,
            "datetime": pd.to_datetime(
                ["2021-09-10", "2021-09-11 12:00", "2021-09-12"], format="ISO8601"
            ),
        }
    )


class TestRectools(PresetSuite):
    example = Example(
        RECTOOLS,
        files={
            "interactions.csv": interactions([1.0, 3.0, 5.0]).to_csv(index=False),
            "items.csv": ITEMS,
            "users.csv": "user_id,sex\n1,F\n",
        },
        rated={"items.csv": "item_id,title,age_rating,countries\n"
               "10,Ten,18.0,x\n20,Twenty,,x\n30,Thirty,16+,x\n"},
        unused="countries",
    )  # fmt: skip


def test_weights_that_differ_are_ratings(world: World) -> None:
    csv = interactions([1.0, 3.0, 5.0]).to_csv(index=False)
    counts = world.bring("rectools", {"interactions.csv": csv, "items.csv": ITEMS})
    assert counts == {"interactions": 3, "videos": 2, "torn_lines": 0, "unused_columns": 0}
    rows = world.rows("interactions")
    assert [row["value"] for row in rows] == [1.0, 3.0, 5.0]
    assert {row["event_type"] for row in rows} == {"rating"}
    assert rows[1]["event_at"] == pd.Timestamp("2021-09-11T12:00Z")
    first, second = world.rows("videos")
    assert (first["title"], first["categories"], first["tags"]) == (
        "Ten", ["drama", "comedy"], ["a", "b"],
    )  # fmt: skip
    assert second["categories"] == []


def test_weights_that_are_all_one_are_plays_and_torn_lines_count_once(world: World) -> None:
    csv = interactions([1.0, 1.0, 1.0]).to_csv(index=False) + "1,2\n"
    counts = world.bring("rectools", {"interactions.csv": csv})
    assert counts["torn_lines"] == 1
    assert {row["event_type"] for row in world.rows("interactions")} == {"play"}


def test_parquet_with_numbers_for_ids_is_read_as_csv_is(world: World) -> None:
    write(world.theirs, {"users.csv": "user_id,sex\n1,F\n"})
    interactions([1.0, 2.0, 3.0]).to_parquet(world.theirs / "interactions.parquet")
    import_data("rectools", world.theirs, world.store / "inputs")
    rows = world.rows("interactions")
    assert [(row["user_id"], row["video_id"]) for row in rows] == [
        ("1", "10"), ("1", "20"), ("2", "10"),
    ]  # fmt: skip
    assert rows[1]["event_at"] == pd.Timestamp("2021-09-11T12:00Z")
    assert [row["video_id"] for row in world.rows("videos")] == ["10", "20"]
    assert [row["user_id"] for row in world.rows("users")] == ["1"]
