"""Films, looked at with the extraction that the night uses."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.content.decoding.keyframes import Extraction, extract_keyframes
from vidrec_tasks.demo.films import title_card
from vidrec_tasks.demo.shots import plan_shots
from vidrec_tasks.demo.world import World
from vidrec_tasks.settings import ContentSettings


@pytest.fixture(scope="module")
def extraction(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Extraction:
    films = {path.stem: path for path in sorted((tiny / "inputs" / "media").glob("*.mp4"))}
    workspace = tmp_path_factory.mktemp("frames")
    return extract_keyframes(films, ContentSettings(), workspace=workspace)


def test_all_films_decode_but_the_corrupt_one(extraction: Extraction, tiny_world: World) -> None:
    corrupt = [video.video_id for video in tiny_world.videos if video.role == "corrupt"]
    filmed = {video.video_id for video in tiny_world.videos if video.has_media}
    assert list(extraction.failures) == corrupt
    assert set(extraction.frames["checksum"]) == filmed - set(corrupt)


def test_a_film_lasts_as_long_as_the_catalogue_says(tiny: Path, tiny_world: World) -> None:
    for video in tiny_world.videos:
        if not video.has_media or video.role == "corrupt":
            continue
        capture = cv2.VideoCapture(str(tiny / "inputs" / "media" / f"{video.video_id}.mp4"))
        n_frames = 0
        while capture.grab():
            n_frames += 1
        assert n_frames / capture.get(cv2.CAP_PROP_FPS) == pytest.approx(video.duration_s)
        assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == video.shape[0]
        capture.release()


def test_a_reupload_shows_the_same_pictures(tiny: Path, tiny_world: World) -> None:
    copy = next(video for video in tiny_world.videos if video.reupload_of)
    media = tiny / "inputs" / "media"
    shown_first = pictures_of(media / f"{copy.reupload_of}.mp4")
    shown_again = pictures_of(media / f"{copy.video_id}.mp4")
    assert len(shown_first) == len(shown_again)
    assert np.abs(shown_first - shown_again).mean() < 8
    assert not np.array_equal(shown_first, shown_again)


def test_keyframes_of_one_film_differ(extraction: Extraction, tiny_world: World) -> None:
    longest = max(
        (video for video in tiny_world.videos if video.role == "plain"),
        key=lambda video: video.duration_s,
    )
    assert len(np.unique(bits_of(extraction.frames, longest.video_id), axis=0)) >= 4


def pictures_of(path: Path) -> np.ndarray:
    """All pictures of a film, small and grey: ``(n_frames, 16, 16)``."""
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (read := capture.read())[0]:
        grey = cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY)
        pictures.append(cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA))
    capture.release()
    return np.stack(pictures).astype(np.float32)


def bits_of(frames: pd.DataFrame, key: str) -> np.ndarray:
    hashes = frames.loc[frames["checksum"] == key, "frame_hash"]
    return np.stack([np.unpackbits(np.frombuffer(bytes.fromhex(h), np.uint8)) for h in hashes])


def test_shots_fill_a_film_exactly_and_begin_with_its_subject(usual_world: World) -> None:
    for video in usual_world.videos:
        n_frames = round(video.duration_s * video.fps)
        shots = plan_shots(video, n_frames, np.random.default_rng(1))
        assert sum(shot.n_frames for shot in shots) == n_frames
        assert shots[0].photograph in video.topics[0].photographs


def test_a_title_card_is_dark_with_light_letters() -> None:
    ground = np.full((180, 320, 3), 128, dtype=np.uint8)
    card = title_card("A tabby cat", "cats", ground, accent=(10, 200, 30))
    assert card.shape == ground.shape
    assert card.mean() < 80
    assert card.max() > 200
    assert (card[-2, 160] == (10, 200, 30)).all()
