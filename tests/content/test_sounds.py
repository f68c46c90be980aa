from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.content.films import drifting, ffmpeg, scene, write_film
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.decoding.sounds import NO_SOUND, are_one_sound, loudness
from vidrec_tasks.content.duplicates import find_duplicates
from vidrec_tasks.settings import ContentSettings

AAC = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest")


def talk(folder: Path, name: str, *, pace: float, picture: str = "bright") -> Path:
    """Twenty seconds of a cover, with an intro or without, and a noise that swells and ebbs."""
    cover = folder / "cover.png"
    shown = scene(1, size=(320, 180))
    cv2.imwrite(str(cover), shown // 14 if picture == "dark" else shown)
    noise = f"anoisesrc=d=20:seed=1:c=pink,tremolo=f={pace}:d=0.9"
    film = folder / f"{name}.mp4"
    if picture == "intro":
        cv2.imwrite(str(folder / "intro.png"), scene(2, size=(320, 180)))
        ffmpeg("-loop", "1", "-framerate", "2", "-t", "2", "-i", str(folder / "intro.png"),
               "-loop", "1", "-framerate", "2", "-t", "18", "-i", str(cover),
               "-f", "lavfi", "-i", noise, "-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]",
               "-map", "[v]", "-map", "2:a", *AAC, str(film))  # fmt: skip
        return film
    ffmpeg("-loop", "1", "-framerate", "2", "-t", "20", "-i", str(cover),
           "-f", "lavfi", "-i", noise, *AAC, str(film))  # fmt: skip
    return film


def sound_of(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return loudness(file, max_pixels=10**8)


@pytest.mark.parametrize("picture", ["bright", "dark", "intro"])
def test_two_podcasts_with_one_cover_are_two_and_a_copy_is_one(
    tmp_path: Path, picture: str
) -> None:
    paces = {"a": 0.13, "b": 0.31}
    first, second = (
        talk(tmp_path, name, pace=pace, picture=picture) for name, pace in paces.items()
    )
    copy = tmp_path / "c.mp4"
    ffmpeg("-i", str(first), "-s", "160x90", *AAC, "-b:a", "48k", str(copy))
    mute = tmp_path / "d.mp4"
    ffmpeg("-i", str(first), "-an", "-c", "copy", str(mute))
    films = {path.stem: path for path in (first, second, copy, mute)}
    found = extract_keyframes(films, ContentSettings(), workspace=tmp_path / "frames").frames
    groups = find_duplicates(
        pd.DataFrame({"video_id": list(films), "published_at": pd.NaT}),
        found.rename(columns={"checksum": "video_id"}),
        pd.DataFrame({"video_id": [], "frame_num": []}),
        np.zeros((0, 1), dtype=np.float32),
        ContentSettings(),
    )
    # of what is nearly black not even a copy is known by its picture
    assert groups["video_id"].tolist() == ([] if picture == "dark" else ["a", "c"])


def test_a_film_whose_pictures_move_is_not_listened_to(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", drifting(1, 40))
    found = extract_keyframes({"a": film}, ContentSettings(), workspace=tmp_path / "frames")
    assert set(found.frames["sound"]) == {""}


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    assert sound_of(write_film(tmp_path / "film.mp4", drifting(1, 10))) == NO_SOUND


def test_silence_is_the_lowest_loudness(tmp_path: Path) -> None:
    film = tmp_path / "film.mka"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=d=5", "-c:a", "pcm_s16le", str(film))
    assert set(bytes.fromhex(sound_of(film))) == {0}


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("", "00" * 20, True),  # nothing was heard of one: the pictures decide
        (NO_SOUND, NO_SOUND, True),
        (NO_SOUND, "0050" * 20, False),
        ("0050" * 20, "0050" * 20, True),
        ("0050" * 20, "5000" * 20, False),
        ("0050" * 20, "0050" * 40, False),  # the other goes on
        ("4040" * 20, "4040" * 20, False),  # a tone says nothing
        ("00", "50", True),
    ],
)
def test_sounds_are_one_or_two(first: str, second: str, *, is_one: bool) -> None:
    assert are_one_sound(first, second) is is_one
