import json

import pandas as pd

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from vidrec_tasks.importing.gorse import GORSE

CSV = {
    "feedback.csv": "feedback_type,user_id,item_id,time_stamp\n"
    "star,u1,i1,2022-05-01T10:00:00Z\nread,u2,i2,2022-05-02T10:00:00Z\n",
    "items.csv": "item_id,is_hidden,categories,time_stamp,labels,description\n"
    "i1,False,a|b,2022-01-01T00:00:00Z,x|y,First\ni2,True,,,,Second\n",
    "users.csv": "user_id,labels\nu1,\nu2,\n",
}


class TestGorse(PresetSuite):
    example = Example(
        GORSE,
        files=CSV,
        rated={"items.csv": "item_id,is_hidden,age_rating,colour\n"
               "10,false,18,x\n20,false,,x\n30,false,16,x\n"},
        unused="colour",
    )  # fmt: skip


def jsonl(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_csv_files_become_tables(world: World) -> None:
    counts = world.bring("gorse", CSV)
    assert counts == {
        "interactions": 2, "videos": 2, "users": 2,
        "published_moved": 0, "unknown_events": 0, "torn_lines": 0,
        "unused_columns": 1,
    }  # fmt: skip
    assert [row["event_type"] for row in world.rows("interactions")] == ["like", "play"]
    first, second = world.rows("videos")
    assert (first["title"], first["categories"], first["tags"]) == ("First", ["a", "b"], ["x", "y"])
    assert first["published_at"] == pd.Timestamp("2022-01-01T00:00Z")
    assert (first["status"], second["status"]) == ("active", "hidden")


def test_jsonl_of_its_api_says_the_same(world: World) -> None:
    world.bring(
        "gorse",
        {
            "feedback.jsonl": jsonl(
                {
                    "FeedbackType": "read",
                    "UserId": "u",
                    "ItemId": "i",
                    "Timestamp": "2022-05-01T10:00:00Z",
                    "Comment": "",
                }
            )
            + "this is no JSON\n",
            "items.jsonl": jsonl(
                {
                    "ItemId": "i",
                    "IsHidden": False,
                    "Categories": ["a"],
                    "Timestamp": "2023-01-01T00:00:00Z",
                    "Labels": {"topics": ["cats"], "embedding": [0.1, 0.2]},
                    "Comment": "A cat",
                }
            ),
        },
    )
    (video,) = world.rows("videos")
    assert (video["title"], video["categories"], video["tags"]) == ("A cat", ["a"], ["cats"])
    assert video["status"] == "active"
    # stamped anew after it was first read: it was visible by then
    assert video["published_at"] == pd.Timestamp("2022-05-01T10:00Z")


def test_torn_lines_of_jsonl_are_counted(world: World) -> None:
    good = {"FeedbackType": "like", "UserId": "u", "ItemId": "i", "Timestamp": "2022-05-01"}
    assert world.bring("gorse", {"feedback.jsonl": jsonl(good) + "{"})["torn_lines"] == 1
    assert len(world.rows("interactions")) == 1


def test_labels_that_are_nested_without_end_say_nothing(world: World) -> None:
    deep = ["[" * 100_000, "[" * 500 + '"x"' + "]" * 500, '{"a":' * 900 + '"x"' + "}" * 900]
    items = [{"ItemId": f"i{num}", "Labels": text} for num, text in enumerate(deep)]
    items.append({"ItemId": "i3", "Labels": '{"genres": [["cat"], "dog"]}'})
    feedback = "feedback_type,user_id,item_id,time_stamp\nread,u1,i3,2022-05-01T10:00:00Z\n"
    world.bring("gorse", {"feedback.csv": feedback, "items.jsonl": jsonl(*items)})
    tags = {row["video_id"]: list(row["tags"]) for row in world.rows("videos")}
    assert tags == {"i0": [], "i1": [], "i2": [], "i3": ["cat", "dog"]}
