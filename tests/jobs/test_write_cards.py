"""Cards night after night: every video has one, and what is unchanged is not made again."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.content.tiny_models import save_bert
from tests.jobs.worlds import finish
from tests.language.tiny_models import save_byte_causal
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.retention import drop_old_runs
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST = date(2026, 9, 1)


class World:
    """A catalogue without films, and as many nights as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "inputs").mkdir()
        self.rows = [
            {"video_id": "a", "title": "A cat at home", "tags": "cats|home", "transcript": ""},
            {"video_id": "b", "title": "Two cats", "tags": "cats", "transcript": ""},
            {"video_id": "c", "title": "Clip", "tags": "", "transcript": "My cat sleeps all day."},
        ]
        self.nights: list[date] = []
        self.content = {"text_encoder": str(save_bert(folder / "bert")), "precision": "fp32"}

    def night(self, *, until: str = "build_content_index", **groups: Any) -> dict[str, Any]:
        """Run the next night; the counts of each job."""
        pd.DataFrame(self.rows).to_csv(self.folder / "inputs" / "videos.csv", index=False)
        night = FIRST + timedelta(days=len(self.nights))
        self.nights.append(night)
        content = {**self.content, **groups.pop("content", {})}
        inputs = {"need_interactions": False, **groups.pop("inputs", {})}
        settings = Settings(store_url=str(self.folder), content=content, inputs=inputs, **groups)
        receipts = run_night(night, settings, until=until)
        finish(self.run)
        return {receipt["job"]: receipt["counts"] for receipt in receipts}

    @property
    def run(self) -> Run:
        return Runs(Store(str(self.folder))).of_night(self.nights[-1])

    def cards(self) -> pd.DataFrame:
        names = [ref.name for ref in self.run.refs() if ref.name.startswith("cards.")]
        table = pd.concat([self.run.read_table(name) for name in names], ignore_index=True)
        return table.set_index("video_id").sort_index()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_every_video_has_a_card_and_topics_of_others_tags(world: World) -> None:
    counts = world.night()["write_cards"]
    cards = world.cards()
    assert cards["topics"].tolist() == [["cats", "home"], ["cats"], ["cats"]]
    (of_c,) = cards["evidence"][cards.index == "c"]
    assert [row["source"] for row in of_c if row["field"] == "topics"] == ["said"]
    assert set(cards["card_source"]) == {"rules"}
    assert (counts["videos"], counts["by_rules"], counts["with_topics"]) == (3, 3, 3)
    assert world.run.read_table("content")["topics"].tolist() == cards["topics"].tolist()


def test_an_unchanged_night_embeds_no_card_and_a_changed_title_one(world: World) -> None:
    assert world.night()["write_cards"]["encoded"] == 3
    first = world.run.read_array("cards.0", "vectors")
    assert world.night()["write_cards"]["encoded"] == 0
    assert (world.run.read_array("cards.0", "vectors") == first).all()
    world.rows[0]["title"] = "A cat in the garden"
    assert world.night()["write_cards"]["encoded"] == 1


def test_a_topic_elsewhere_leaves_the_key_of_a_card_as_it_is(world: World) -> None:
    world.night()
    before = world.cards()["card_key"]
    for name in ("d", "e"):
        world.rows.append({"video_id": name, "title": "Rain", "tags": "weather", "transcript": ""})
    world.night()
    after = world.cards()["card_key"]
    assert "weather" in set(world.run.read_table("vocabulary")["topic"])
    assert (after[before.index] == before).all()


def test_the_number_of_shards_changes_no_card(world: World) -> None:
    world.night()
    one = world.cards()
    world.night(inputs={"videos_per_shard": 1})
    many = world.cards()
    pd.testing.assert_frame_equal(one, many)


def test_a_model_is_asked_once_within_its_budget(world: World) -> None:
    """A model of random weights: what it writes is a card by its form, and hardly ever true."""
    language = {"model": str(save_byte_causal(world.folder / "causal")), "max_cards": 2}
    first = world.night(language=language)["write_cards"]
    assert (first["cards_asked"], first["videos"]) == (2, 3)
    cards = world.cards()
    assert sum(len(row) for row in cards["dropped"]) == first["fields_dropped"]
    assert world.night(language=language)["write_cards"]["cards_asked"] == 1
    assert world.night(language=language)["write_cards"]["cards_asked"] == 0


def test_the_embedded_model_is_not_asked_unless_it_is_told_to(world: World) -> None:
    assert "cards_asked" not in world.night()["write_cards"]


def test_cards_that_weigh_nothing_are_not_embedded(world: World) -> None:
    assert world.night(content={"card_weight": 0.0})["write_cards"]["encoded"] == 0
    assert world.run.read_array("cards.0", "vectors").shape == (3, 0)


def test_a_film_that_is_withdrawn_leaves_texts_cards_and_topics(world: World) -> None:
    """The next night has none of it, and what earlier nights had goes with their runs."""
    world.rows[2] |= {"title": "Quetzal", "transcript": "The quetzal sings.", "tags": "quetzal"}
    world.rows[1] |= {"tags": "cats|quetzal"}
    world.night()
    assert "quetzal" in set(world.run.read_table("vocabulary")["topic"])
    del world.rows[2]
    world.rows[1] |= {"tags": "cats"}
    world.night()
    texts = world.run.read_table("texts.0")
    assert not texts["video_id"].eq("c").any()
    assert "c" not in world.cards().index
    assert not any("quetzal" in key for key in world.run.read_table("vocabulary")["key"])
    world.night()  # a night keeps the one that it builds on
    drop_old_runs(Store(str(world.folder)), [world.run.run_id], n_newest=1)
    folder = world.folder / "artefacts"
    left = [path for path in folder.rglob("*.parquet") if b"uetzal" in _plain(path)]
    assert left == []


def _plain(path: Path) -> bytes:
    """The values of a table as text: the file is compressed."""
    return pd.read_parquet(path).to_csv().encode()
