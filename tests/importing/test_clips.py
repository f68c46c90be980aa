from pathlib import Path

from tests.importing.worlds import World
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.store.media import Media
from vidrec_tasks.store.place import Place

CAPTIONS = "file,class,caption\na.mp4,x,a swan\ngone.mp4,x,nobody\n../up.mp4,x,climber\n"


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
    assert Media(Place(str(world.store)), "").find("a.mp4").problem == ""


def test_the_real_clips_are_all_found(real_data: Path, tmp_path: Path) -> None:
    counts = import_data("clips", real_data / "videos", tmp_path / "inputs")
    assert counts == {
        "videos": 91,
        "media": 91,
        "media_missing": 0,
        "torn_lines": 0,
        "unused_columns": 14,
    }
