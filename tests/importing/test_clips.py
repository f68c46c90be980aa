from pathlib import Path

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from vidrec_tasks.importing.clips import CLIPS
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.store.media import Media
from vidrec_tasks.store.store import Store

CAPTIONS = "file,class,caption\na.mp4,x,a swan\ngone.mp4,x,nobody\n../up.mp4,x,climber\n"


class TestClips(PresetSuite):
    example = Example(
        CLIPS,
        files={"clips.csv": "file,caption\na.mp4,a swan\nb.mp4,a goose\n", "a.mp4": "a film"},
        rated={"clips.csv": "file,caption,age_rating,class\n10,x,18,x\n20,x,,x\n30,x,16,x\n"},
        unused="class",
    )


def test_films_come_into_the_media_folder_and_captions_are_titles(world: World) -> None:
    (world.theirs / "clips").mkdir(parents=True)
    (world.theirs / "clips" / "a.mp4").write_bytes(b"film")
    (world.theirs / "up.mp4").write_bytes(b"outside")
    counts = world.bring("clips", {"clips.csv": CAPTIONS})
    assert counts == {
        "videos": 3,
        "media": 2,
        "media_missing": 1,
        "torn_lines": 0,
        "unused_columns": 1,
    }
    first = world.rows("videos")[0]
    assert (first["video_id"], first["title"], first["uri"]) == ("a.mp4", "a swan", "a.mp4")
    assert first["categories"] == []
    media = world.store / "inputs" / "media"
    assert (media / "a.mp4").read_bytes() == b"film"
    assert not (media.parent / "up.mp4").exists()
    assert Media(Store(str(world.store)), "").find("a.mp4").problem == ""


def test_the_real_clips_are_all_found(real_data: Path, tmp_path: Path) -> None:
    counts = import_data("clips", real_data / "videos", tmp_path / "inputs")
    assert counts == {
        "videos": 91,
        "media": 91,
        "media_missing": 0,
        "torn_lines": 0,
        "unused_columns": 14,
    }


def test_links_that_lead_out_of_the_source_are_not_followed(world: World) -> None:
    clips = world.theirs / "clips"
    clips.mkdir(parents=True)
    secret = world.theirs.parent / "secrets"
    secret.mkdir()
    (secret / "secret.mp4").write_bytes(b"secret")
    (clips / "link.mp4").symlink_to(secret / "secret.mp4")
    (clips / "folder").symlink_to(secret)
    (clips / "real.mp4").write_bytes(b"film")
    (clips / "inner.mp4").symlink_to(clips / "real.mp4")
    names = ["link.mp4", "folder/secret.mp4", "inner.mp4"]
    csv = "file,caption\n" + "".join(f"{name},x\n" for name in names)
    counts = world.bring("clips", {"clips.csv": csv})
    assert (counts["media"], counts["media_missing"]) == (1, 2)
    media = world.store / "inputs" / "media"
    brought = [path for path in media.rglob("*") if path.is_file() or path.is_symlink()]
    assert [(path.name, path.read_bytes()) for path in brought] == [("inner.mp4", b"film")]
    assert not (media / "inner.mp4").is_symlink()
