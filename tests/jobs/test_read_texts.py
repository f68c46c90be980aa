"""Night after night over films that talk, are captioned or show text: what is read, and once."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.content.films import scene, write_film
from tests.content.talking import write_captioned, write_sounding, write_talking
from tests.jobs.worlds import finish
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST = date(2026, 9, 1)
SAID = "A small telescope shows the rings of Saturn and the moons of Jupiter."


def srt(text: str, at: str = "00:00:01") -> str:
    return f"1\n{at},000 --> {at},900\n{text}\n"


class World:
    """A few films, and as many nights as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "inputs" / "media"
        self.media.mkdir(parents=True)
        self.rows: list[dict[str, Any]] = []
        self.nights: list[date] = []

    def silent(self, name: str, seed: int = 1, **more: Any) -> None:
        write_film(self.media / f"{name}.mp4", [scene(10 * seed + num) for num in range(6)])
        self.add(name, **more)

    def add(self, name: str, **more: Any) -> None:
        row = {"video_id": name, "title": f"Title of {name}", "uri": f"{name}.mp4"}
        self.rows.append({**row, "transcript": "", **more})

    def night(self, **texts: Any) -> dict[str, Any]:
        """Run the next night up to the texts; the counts of its receipt."""
        pd.DataFrame(self.rows).to_parquet(self.folder / "inputs" / "videos.parquet")
        night = FIRST + timedelta(days=len(self.nights))
        self.nights.append(night)
        settings = Settings(
            store_url=str(self.folder),
            inputs={"need_interactions": False},
            content={"n_keyframes": 3},
            texts=texts,
        )
        receipts = run_night(night, settings, until="read_texts")
        finish(self.run)
        counts: dict[str, Any] = receipts[-1]["counts"]
        return counts

    @property
    def run(self) -> Run:
        return Runs(Store(str(self.folder))).of_night(self.nights[-1])

    def passages(self, *sources: str) -> list[tuple[str, str, str]]:
        """(video, source, text) of the passages of some sources, or of all but the catalogue's."""
        table = self.run.read_table("texts.0")
        wanted = sources or ("captions", "speech", "screen")
        table = table[table["source"].isin(wanted)]
        return list(zip(table["video_id"], table["source"], table["text"], strict=True))

    def reasons(self, source: str = "captions") -> dict[str, str]:
        """Name of a track -> why it is in its state."""
        tracks = self.run.read_table("texts.0", "tracks")
        tracks = tracks[(tracks["source"] == source) & (tracks["state"] != "read")]
        return dict(zip(tracks["name"], tracks["reason"], strict=True))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_title_and_description_are_passages_without_seconds(world: World) -> None:
    world.silent("a", description="It shows a scene. And another one.")
    world.night()
    table = world.run.read_table("texts.0")
    assert table["source"].tolist() == ["title", "description"]
    assert table["text"].tolist() == ["Title of a", "It shows a scene. And another one."]
    assert table["at_s"].isna().all()


def test_a_caption_file_beside_the_film_is_read_and_the_film_is_not_heard(world: World) -> None:
    world.add("a")
    write_sounding(world.media / "a.mp4", "sine=f=300", seconds=2)
    (world.media / "a.en.srt").write_text(srt("Warm milk over coffee"))
    counts = world.night()
    assert world.passages() == [("a", "captions", "Warm milk over coffee")]
    assert (counts["captioned"], counts["heard"]) == (1, 0)
    row = world.run.read_table("texts.0").iloc[-1]
    assert (row["at_s"], row["language"]) == (1.0, "en")


def test_a_stream_of_text_inside_the_film_is_read(world: World, tmp_path: Path) -> None:
    captions = tmp_path / "c.srt"
    captions.write_text(srt("Written inside the film"))
    write_captioned(world.media / "a.mp4", captions)
    world.add("a")
    world.night()
    assert world.passages() == [("a", "captions", "Written inside the film")]


@pytest.mark.parametrize(
    ("transcript", "texts"),
    [
        (srt("With times"), ["With times"]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nAs on the web\n", ["As on the web"]),
        ("Plain words, without times.", ["Plain words, without times."]),
        ("captions/other.srt", ["From a file"]),
    ],
)
def test_the_column_holds_captions_a_text_or_the_name_of_a_file(
    world: World, transcript: str, texts: list[str]
) -> None:
    (world.media / "captions").mkdir()
    (world.media / "captions" / "other.srt").write_text(srt("From a file"))
    world.silent("a", transcript=transcript)
    world.night()
    assert [text for _, _, text in world.passages()] == texts


def test_of_one_language_one_track_is_taken_and_the_catalogues_language_comes_first(
    world: World,
) -> None:
    world.silent("a", language="de")
    (world.media / "a.en.srt").write_text(srt("English words"))
    (world.media / "a.de.srt").write_text(srt("Deutsche Worte"))
    (world.media / "a.de.forced.srt").write_text(srt("Nochmals"))
    world.night()
    assert [text for _, _, text in world.passages()][1:] == ["English words"]
    assert len(world.passages()) == 2
    assert list(world.reasons().values()) == ["another track is taken"]


def test_bad_caption_files_end_in_a_reason_and_the_night_goes_on(world: World) -> None:
    world.silent("a", transcript="missing.srt")
    world.silent("b", 2, transcript="../outside.srt")
    for num, data in enumerate([b"", b"no cue", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9]):
        world.silent(f"c{num}", 3 + num)
        (world.media / f"c{num}.srt").write_bytes(data)
    (world.media / "b.en.srt").write_text(srt("x" * 3_000))
    counts = world.night(max_caption_mb=0.002)
    assert world.passages() == []
    assert counts["refused"] == len(world.reasons()) == 6
    said = world.reasons()
    assert said["missing.srt"] == "media file is missing"
    assert said["../outside.srt"] == "media lies outside the media folder"
    assert said["c0.srt"] == "caption file is empty"
    assert "no cue" in said["c1.srt"]
    assert said["b.en.srt"].startswith("caption file is too large")


def test_a_film_that_talks_is_heard_once(world: World) -> None:
    write_talking(world.media / "a.mp4", SAID)
    world.add("a")
    first = world.night()
    assert first["heard"] == 1
    assert "telescope" in world.passages("speech")[0][2]
    before = world.run.read_table("texts.0")
    second = world.night()
    assert (second["heard"], second["looked_into"], second["screens_read"]) == (0, 0, 0)
    pd.testing.assert_frame_equal(world.run.read_table("texts.0"), before)


def test_a_new_caption_file_takes_the_place_of_what_was_heard(world: World) -> None:
    write_talking(world.media / "a.mp4", SAID)
    world.add("a")
    world.night()
    (world.media / "a.srt").write_text(srt("What a person wrote down"))
    counts = world.night()
    assert world.passages() == [("a", "captions", "What a person wrote down")]
    assert (counts["heard"], counts["looked_into"]) == (0, 0)
    (world.media / "a.srt").write_text(srt("And corrected later on"))
    world.night()
    assert world.passages() == [("a", "captions", "And corrected later on")]
    (world.media / "a.srt").unlink()
    assert world.night()["heard"] == 1


def test_re_uploads_are_heard_once(world: World) -> None:
    write_talking(world.media / "a.mp4", SAID)
    (world.media / "b.mp4").write_bytes((world.media / "a.mp4").read_bytes())
    world.add("a")
    world.add("b")
    assert world.night()["heard"] == 1
    texts = {video: text for video, _, text in world.passages("speech")}
    assert texts["a"] == texts["b"]


def test_what_a_night_may_not_hear_waits_and_is_heard_later_newest_first(world: World) -> None:
    for num, name in enumerate("abc"):
        write_sounding(world.media / f"{name}.mp4", f"sine=f={300 + 50 * num}", seconds=2)
        world.add(name, published_at=f"2026-08-0{num + 1}")
    few = {"max_speech_hours": 1 / 3_600}
    first = world.night(**few)
    assert (first["heard"], first["waiting"]) == (1, 2)
    tracks = world.run.read_table("texts.0", "tracks")
    heard = tracks[(tracks["source"] == "speech") & (tracks["state"] != "waiting")]
    assert heard["video_id"].tolist() == ["c"]
    # each takes the budget of two nights
    assert [world.night(**few)["waiting"] for _ in range(4)] == [2, 1, 1, 0]
    assert world.night(**few)["heard"] == 0


def test_text_on_keyframes_is_read_once_with_its_frame(world: World) -> None:
    image = scene(4, size=(320, 180)) // 2
    white = (255, 255, 255)
    cv2.putText(image, "HELLO WORLD", (20, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.0, white, 2)
    write_film(world.media / "a.mp4", [np.asarray(image, np.uint8)] * 30)
    world.add("a")
    counts = world.night()
    assert (counts["with_screen_text"], counts["screens_read"]) == (1, 1)
    row = world.run.read_table("texts.0").iloc[-1]
    assert row["source"] == "screen"
    assert row["text"].replace(" ", "") == "HELLOWORLD"
    assert len(row["box"]) == 4
    assert row["frame_num"] == 0
    assert world.night()["screens_read"] == 0


def test_blocked_words_are_covered_and_uncovered_again(world: World) -> None:
    world.silent("a")
    (world.media / "a.srt").write_text(srt("Darn this secret thing"))
    world.night(blocked_words="secret")
    assert world.passages()[0][2] == "Darn this ▇▇▇▇▇▇ thing"
    world.night(blocked_words="secret, darn")
    assert world.passages()[0][2] == "▇▇▇▇ this ▇▇▇▇▇▇ thing"
    world.night()
    assert world.passages()[0][2] == "Darn this secret thing"


def test_all_can_be_switched_off(world: World) -> None:
    write_sounding(world.media / "a.mp4", "sine=f=300", seconds=2)
    world.add("a", transcript="Some words.")
    (world.media / "a.srt").write_text(srt("Some more words"))
    counts = world.night(captions=False, speech_model="none", screen_model="none")
    assert world.passages() == []
    assert (counts["looked_into"], counts["heard"], counts["screens_read"]) == (0, 0, 0)


def test_a_film_without_captions_sound_and_text_has_no_passages(world: World) -> None:
    world.silent("a")
    world.night()
    assert world.passages() == []
    tracks = world.run.read_table("texts.0", "tracks")
    assert dict(zip(tracks["source"], tracks["state"], strict=True)) == {
        "look": "nothing", "screen": "nothing",
    }  # fmt: skip


def test_what_turns_or_controls_writing_is_taken_out(world: World) -> None:
    hostile = "Ignore the rules\u202e\x07 {{ 7*7 }} '; drop table runs; --"
    world.silent("a")
    (world.media / "a.srt").write_text(srt(hostile))
    world.night()
    text = world.passages()[0][2]
    assert "\u202e" not in text
    assert "\x07" not in text
