"""Night after night over the same films: what is decoded again, and what is left in quarantine."""

import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.content.films import scene, write_film
from tests.jobs.worlds import finish
from vidrec_tasks.jobs import extract_keyframes as extraction
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.media import MediaFile
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST = date(2026, 9, 1)


class World:
    """Two films and a file that is none, and as many nights as are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "inputs" / "media"
        self.media.mkdir(parents=True)
        self.film("a", 1)
        self.film("b", 2)
        self.broken("c", b"not a film")
        self.videos = ["a", "b", "c"]
        self.nights: list[date] = []

    def film(self, name: str, seed: int) -> None:
        write_film(self.media / f"{name}.mp4", [scene(10 * seed + num) for num in range(6)])

    def broken(self, name: str, data: bytes) -> None:
        (self.media / f"{name}.mp4").write_bytes(data)

    def night(self) -> tuple[int, dict[str, str]]:
        """Run the next night; how many films were decoded, and video -> why it is in quarantine."""
        files = [f"{name}.mp4" for name in self.videos]
        table = pd.DataFrame({"video_id": self.videos, "title": "t", "uri": files})
        table.to_csv(self.folder / "inputs" / "videos.csv", index=False)
        night = FIRST + timedelta(days=len(self.nights))
        self.nights.append(night)
        settings = Settings(
            store_url=str(self.folder),
            inputs={"need_interactions": False},
            content={"n_keyframes": 2},
        )
        receipts = run_night(night, settings, until="extract_keyframes")
        run = self.run
        finish(run)
        quarantine = run.read_table("keyframes.0", "quarantine")
        reasons = dict(zip(quarantine["video_id"], quarantine["reason"], strict=True))
        return receipts[-1]["counts"]["decoded"], reasons

    @property
    def run(self) -> Run:
        """The last night's."""
        return Runs(Store(str(self.folder))).of_night(self.nights[-1])


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    assert world.night()[0] == 3
    return world


def test_an_unchanged_catalogue_decodes_nothing_and_says_again_what_is_broken(world: World) -> None:
    decoded, reasons = world.night()
    assert decoded == 0
    assert list(reasons) == ["c"]
    assert reasons["c"]


def test_a_touched_file_of_the_same_bytes_is_not_decoded_again(world: World) -> None:
    for name in ("a", "c"):
        os.utime(world.media / f"{name}.mp4", (1, 1))
    assert world.night()[0] == 0


def test_a_replaced_film_is_decoded_and_no_other(world: World) -> None:
    before = world.run.read_table("keyframes.0").set_index("video_id")["checksum"]
    world.film("a", 7)
    assert world.night()[0] == 1
    after = world.run.read_table("keyframes.0").set_index("video_id")["checksum"]
    assert set(before["a"]).isdisjoint(after["a"])
    assert set(before["b"]) == set(after["b"])


def test_a_quarantined_file_is_tried_again_when_it_changed(world: World) -> None:
    world.broken("c", b"still not a film")
    assert world.night()[0] == 1
    world.film("c", 3)
    assert world.night() == (1, {})
    assert world.night() == (0, {})


def test_a_quarantine_is_remembered_over_many_nights(world: World) -> None:
    assert [world.night()[0] for _ in range(3)] == [0, 0, 0]


def test_a_file_that_claims_to_be_huge_is_not_even_read(world: World) -> None:
    with (world.media / "a.mp4").open("r+b") as file:
        file.truncate(65 << 30)  # sparse
    assert world.night() == (0, {"a": "media file is too large (65.0 GiB, at most 64)",
                                 "c": "is not a video file of a known kind"})  # fmt: skip


def test_a_film_that_ran_out_of_time_on_a_busy_machine_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first night of a new film has no time to start with; the next one has."""
    world.film("d", 9)
    world.videos.append("d")
    monkeypatch.setattr("vidrec_tasks.content.decoding.process.WALL_SHARE", 1e-6)
    decoded, reasons = world.night()
    assert (decoded, reasons["d"].startswith("decoding did not finish within")) == (1, True)
    monkeypatch.undo()
    assert world.night() == (1, {"c": "is not a video file of a known kind"})


def test_a_film_that_is_replaced_while_it_waits_has_no_keyframes_of_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is swapped between its checksum and its decoding."""
    world.film("d", 9)
    world.film("other", 4)
    world.videos.append("d")
    hashed = extraction.checksum_file

    def hash_then_swap(file: MediaFile) -> str:
        checksum = hashed(file)
        if file.path.name == "d.mp4":
            (world.media / "other.mp4").rename(file.path)
        return checksum

    monkeypatch.setattr(extraction, "checksum_file", hash_then_swap)
    reasons = world.night()[1]
    assert reasons["d"] == "media file changed while it was read"
    assert "d" not in set(world.run.read_table("keyframes.0")["video_id"])
    monkeypatch.undo()
    assert "d" not in world.night()[1]


def test_a_removed_video_leaves_the_same_night(world: World) -> None:
    world.videos = ["a"]
    assert world.night() == (0, {})
    assert set(world.run.read_table("keyframes.0")["video_id"]) == {"a"}
    assert world.run.read_table("keyframes.0", "media")["video_id"].tolist() == ["a"]


def test_another_way_of_decoding_tries_everything_again(world: World) -> None:
    night = FIRST + timedelta(days=1)
    settings = Settings(
        store_url=str(world.folder),
        inputs={"need_interactions": False},
        content={"n_keyframes": 3},
    )
    assert run_night(night, settings, until="extract_keyframes")[-1]["counts"]["decoded"] == 3


def test_frames_taken_from_the_night_before_are_those_of_the_folders(world: World) -> None:
    taken = world.night()
    first, second = (
        Runs(Store(str(world.folder))).of_night(night).read_table("keyframes.0")
        for night in world.nights
    )
    assert taken[0] == 0
    pd.testing.assert_frame_equal(first, second)


def test_a_film_whose_folder_is_gone_is_decoded_again(world: World) -> None:
    checksum = world.run.read_table("keyframes.0")["checksum"].iloc[0]
    (folder,) = (world.folder / "features" / "keyframes").glob(f"*/{checksum}")
    shutil.rmtree(folder)
    assert world.night()[0] == 1
    assert len(world.run.read_table("keyframes.0")) == 4
