from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tests.content.films import Image, drifting, ffmpeg, scene, write_film
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.decoding.selection import frame_hash, frame_luma
from vidrec_tasks.content.duplicates import find_duplicates
from vidrec_tasks.content.signatures import compare, read_signatures
from vidrec_tasks.settings import ContentSettings

SETTINGS = ContentSettings()
NO_VECTORS = np.zeros((0, 4), dtype=np.float32)
PLANTED = {
    frozenset({"black-swan.mp4", "black-swan-2.mp4"}),
    frozenset({"carphone-pristine.mp4", "carphone-distorted.mp4"}),
    frozenset(
        {
            "pattern-sd-grey-bar.mp4",
            "pattern-sd-with-large-logo-bar.mp4",
            "pattern-sd-with-small-logo-bar.mp4",
        }
    ),
}


def keyframes_of(films: dict[str, list[Image]], *, step_s: float = 1.0) -> pd.DataFrame:
    """Keyframes as they would be kept of films whose frames are given."""
    rows = [
        (video_id, number, number * step_s, frame_hash(image), frame_luma(image))
        for video_id, images in films.items()
        for number, image in enumerate(images)
    ]
    return pd.DataFrame(rows, columns=["video_id", "frame_num", "at_s", "frame_hash", "frame_luma"])


def videos_of(names: list[str], **columns: list[str]) -> pd.DataFrame:
    """A catalogue in which each video was published a day after the one before it."""
    days = pd.date_range("2026-01-01", periods=len(names), tz="UTC")
    return pd.DataFrame({"video_id": names, "published_at": days, **columns})


def grouped(
    videos: pd.DataFrame,
    keyframes: pd.DataFrame,
    vectors: npt.NDArray[np.float32] | None = None,
) -> pd.DataFrame:
    table = keyframes[["video_id", "frame_num"]]
    if vectors is None:
        return find_duplicates(videos, keyframes, table.head(0), NO_VECTORS, SETTINGS)
    return find_duplicates(videos, keyframes, table, vectors, SETTINGS)


def groups(found: pd.DataFrame) -> set[frozenset[str]]:
    return {frozenset(rows["video_id"]) for _, rows in found.groupby("group_id")}


def shifted(images: list[Image]) -> list[Image]:
    """A copy: other brightness, noise and size."""
    rng = np.random.default_rng(0)
    copies = []
    for image in images:
        small = cv2.resize(image, (100, 56), interpolation=cv2.INTER_AREA).astype(float)
        noisy = 0.85 * small + 12 + rng.normal(0, 4, small.shape)
        copies.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return copies


def every_fifth(seed: int) -> list[Image]:
    return drifting(seed, 40)[::5]


def test_a_copy_is_found_and_others_are_not() -> None:
    films = {f"v{seed}": every_fifth(seed) for seed in range(12)}
    films["w3"] = shifted(films["v3"])
    found = grouped(videos_of(list(films)), keyframes_of(films))
    assert groups(found) == {frozenset({"v3", "w3"})}


def test_the_earliest_published_is_canonical_whatever_its_id() -> None:
    film = every_fifth(1)
    videos = videos_of(["z", "a", "m"])
    found = grouped(videos, keyframes_of({"a": film, "m": shifted(film), "z": film}))
    assert found["group_id"].tolist() == ["z", "z", "z"]
    assert found.set_index("video_id")["is_canonical"].to_dict() == {
        "a": False,
        "m": False,
        "z": True,
    }


def test_of_videos_published_together_or_never_the_lowest_id_is_canonical() -> None:
    film = every_fifth(1)
    videos = videos_of(["b", "a"]).assign(published_at=pd.NaT)
    found = grouped(videos, keyframes_of({"b": film, "a": film}))
    assert set(found["group_id"]) == {"a"}


def test_another_take_of_the_same_scene_is_no_copy() -> None:
    room = scene(1, size=(320, 180))

    def take(seed: int) -> list[Image]:
        rng = np.random.default_rng(seed)
        images = []
        for _ in range(8):
            image = room.copy()
            x, y = int(rng.integers(90, 200)), int(rng.integers(40, 120))
            cv2.circle(image, (x, y), 24, (0, 0, 250), -1)
            images.append(image)
        return images

    # each take moves by small steps around a place of its own
    first = [*take(1)[:1] * 8]
    second = [*take(5)[:1] * 8]
    found = grouped(videos_of(["a", "b"]), keyframes_of({"a": first, "b": second}))
    assert found.empty


def test_films_cut_from_the_same_pictures_in_another_order_are_no_copies() -> None:
    shots = [scene(seed) for seed in range(8)]
    zoomed = [cv2.resize(shot[20:70, 36:124], (160, 90)) for shot in shots]
    other = [zoomed[place] for place in (5, 2, 7, 0, 3, 6, 1, 4)]
    found = grouped(videos_of(["a", "b"]), keyframes_of({"a": shots, "b": other}))
    assert found.empty


def test_a_chain_of_small_changes_is_no_group() -> None:
    # each film keeps 6 of 8 shots of the one before it, so the ends have none in common
    shots = [scene(seed) for seed in range(24)]
    films = {f"v{start:02}": shots[start : start + 8] for start in range(0, 17, 2)}
    found = grouped(videos_of(list(films)), keyframes_of(films))
    members = groups(found)
    assert all(len(group) <= 3 for group in members)
    assert not any({"v00", "v16"} <= group for group in members)


def test_the_same_file_is_a_copy_even_where_no_frame_is_known() -> None:
    videos = videos_of(["a", "b", "c", "d"], checksum=["f00", "", "f00", ""])
    found = grouped(videos, keyframes_of({}))
    assert groups(found) == {frozenset({"a", "c"})}


def test_the_embeddings_decide_where_the_pictures_leave_a_doubt() -> None:
    film = drifting(2, 40)[::5]
    veil = scene(9).astype(float)
    for share in np.arange(0.05, 0.9, 0.01):
        copy = [((1 - share) * image + share * veil).astype(np.uint8) for image in film]
        doubtful = keyframes_of({"a": film, "b": copy})
        found = compare(read_signatures(doubtful), np.array([[0, 1]]))
        if found.strangeness[0] > 0.9:
            break
    assert found.strangeness[0] < 1.2
    assert found.distance[0] < 0.4
    assert found.disorder[0] < 0.1
    alike = np.tile(np.eye(1, 4, dtype=np.float32), (len(doubtful), 1))
    unlike = alike.copy()
    unlike[8:] = np.eye(2, 4, dtype=np.float32)[1]
    videos = videos_of(["a", "b"])
    assert len(grouped(videos, doubtful, alike)) == 2
    assert grouped(videos, doubtful, unlike).empty
    assert grouped(videos, doubtful).empty


def test_black_films_are_no_copies_of_each_other() -> None:
    black = [np.zeros((90, 160, 3), dtype=np.uint8)] * 8
    assert grouped(videos_of(["a", "b"]), keyframes_of({"a": black, "b": black})).empty


def test_a_catalogue_without_films_has_no_groups_but_the_columns() -> None:
    found = grouped(videos_of(["a", "b"]), keyframes_of({}))
    assert list(found.columns) == ["video_id", "group_id", "is_canonical"]
    assert found.empty


def test_the_order_of_the_rows_does_not_matter() -> None:
    films = {f"v{seed}": every_fifth(seed % 4) for seed in range(8)}
    videos, keyframes = videos_of(list(films)), keyframes_of(films)
    mixed = grouped(videos.sample(frac=1, random_state=1), keyframes.sample(frac=1, random_state=2))
    assert mixed.equals(grouped(videos, keyframes))


def test_without_luma_the_hashes_stand_in() -> None:
    films = {f"v{seed}": every_fifth(seed) for seed in range(6)}
    films["w3"] = [cv2.resize(image, (320, 180)) for image in films["v3"]]
    keyframes = keyframes_of(films).drop(columns="frame_luma")
    assert groups(grouped(videos_of(list(films)), keyframes)) == {frozenset({"v3", "w3"})}


def test_many_copies_of_one_film_are_one_group() -> None:
    film = every_fifth(1)
    films = {f"v{number:03}": film for number in range(80)}
    found = grouped(videos_of(list(films)), keyframes_of(films))
    assert groups(found) == {frozenset(films)}


@pytest.fixture(scope="module")
def clips(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The keyframes of the real clips."""
    films = {path.name: path for path in sorted((real_data / "videos" / "clips").iterdir())}
    workspace = tmp_path_factory.mktemp("frames")
    found = extract_keyframes(films, SETTINGS, workspace=workspace, n_processes=2)
    assert found.failures == {}
    return found.frames.rename(columns={"checksum": "video_id"})


def test_of_the_real_clips_the_planted_pairs_are_found_and_no_other(clips: pd.DataFrame) -> None:
    assert groups(grouped(videos_of(sorted(clips["video_id"].unique())), clips)) == PLANTED


@pytest.mark.parametrize(
    "options",
    [
        ["-vf", "scale=iw/2:-2", "-crf", "32", "-g", "12"],
        ["-r", "15", "-crf", "34", "-g", "60"],
        ["-vf", "scale=240:-2,eq=brightness=0.06:contrast=1.1", "-crf", "26", "-g", "250"],
    ],
)
def test_copies_of_real_clips_are_found(
    clips: pd.DataFrame, real_data: Path, tmp_path: Path, options: list[str]
) -> None:
    names = [
        "asl-book.mkv",
        "coffee-pour.mp4",
        "drawing-deer.mp4",
        "chaplin.mp4",
        "rice-in-pot.avi",
    ]
    copies = {}
    for name in names:
        copies[f"copy of {name}"] = tmp_path / f"{name}.mp4"
        ffmpeg("-i", str(real_data / "videos" / "clips" / name), *options, "-an", "-c:v",
               "libx264", "-preset", "ultrafast", str(tmp_path / f"{name}.mp4"))  # fmt: skip
    again = extract_keyframes(copies, SETTINGS, workspace=tmp_path / "frames", n_processes=2).frames
    keyframes = pd.concat([clips, again.rename(columns={"checksum": "video_id"})])
    found = grouped(videos_of(sorted(keyframes["video_id"].unique())), keyframes)
    assert groups(found) == PLANTED | {frozenset({name, f"copy of {name}"}) for name in names}


def test_a_copy_written_by_another_codec_is_found(tmp_path: Path) -> None:
    images = drifting(4, 120)
    films = {
        "a": write_film(tmp_path / "a.mp4", images),
        "b": write_film(tmp_path / "b.avi", shifted(images), codec="MJPG"),
        "c": write_film(tmp_path / "c.mp4", drifting(5, 120)),
    }
    found = extract_keyframes(films, SETTINGS, workspace=tmp_path / "frames").frames
    keyframes = found.rename(columns={"checksum": "video_id"})
    assert groups(grouped(videos_of(["a", "b", "c"]), keyframes)) == {frozenset({"a", "b"})}
