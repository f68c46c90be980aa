"""Films that people reported of other decoders: each ends in its right value."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.content.decoding.keyframes import Extraction, extract_keyframes
from vidrec_tasks.content.decoding.selection import look_at
from vidrec_tasks.settings import ContentSettings

SOUND = "holds sound only, no video stream"
REASONS = {
    "av1-ts.mp4": "holds no video stream (mpegts: Data: bin_data ([6][0][0][0] / 0x0006))",
    "avi-audio.mp4": SOUND,
    "dref-url.mp4": "its frames are in another file, which is not opened",
    "fairplay.m4v": "video is encrypted",
    "ffconcat.mp4": "is a list that names other files, not a video file",
    "flv-audio.mp4": SOUND,
    "heic.mp4": "is a picture, not a video file",
    "hls-local.mp4": "is a playlist that names other files, not a video file",
    "mka-mp3.mp4": SOUND,
    "ogg-vorbis.mp4": SOUND,
    "podcast-m4a.mp4": SOUND,
    "podcast-mka.mkv": SOUND,
    "podcast-mp3.mp4": SOUND,
    "sdp.mp4": "is a list that names other files, not a video file",
    "sound-title-plain.mp4": SOUND,
    "sound-title-video.mp4": SOUND,
}
SHAPES = {
    "dvd-interlaced.mp4": (256, 320),
    "hdv.mp4": (180, 320),
    "pal-16x9.mp4": (180, 320),
    "preview-first-default-second.mkv": (180, 320),
    "hflip.mp4": (240, 320),
}


@pytest.fixture(scope="module")
def films(real_data: Path) -> dict[str, Path]:
    folder = real_data / "videos" / "reports"
    if not folder.exists():
        pytest.skip("the reported films are not here")
    return {path.name: path for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def found(films: dict[str, Path], workspace: Path) -> Extraction:
    return extract_keyframes(films, ContentSettings(), workspace=workspace, n_processes=2)


def images(found: Extraction, workspace: Path, name: str) -> list[np.ndarray]:
    rows = found.frames[found.frames["checksum"] == name]
    return [cv2.imread(str(workspace / path)) for path in rows["path"]]


def times(found: Extraction, name: str) -> list[float]:
    return found.frames.loc[found.frames["checksum"] == name, "at_s"].tolist()


def test_each_film_has_a_right_value(
    found: Extraction, films: dict[str, Path], real_data: Path
) -> None:
    assert found.failures == REASONS
    right = pd.read_csv(real_data / "videos" / "reports.csv")["file"]
    assert set(found.frames["checksum"]) | set(REASONS) == set(right) == set(films)
    assert found.frames.groupby("checksum").size().between(1, 8).all()


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_keyframes_have_the_shape_that_players_show(
    found: Extraction, workspace: Path, name: str, shape: tuple[int, int]
) -> None:
    assert {image.shape[:2] for image in images(found, workspace, name)} == {shape}


def test_a_film_that_changes_its_shape_shows_both(found: Extraction, workspace: Path) -> None:
    shapes = [image.shape[:2] for image in images(found, workspace, "landscape-then-portrait.ts")]
    assert set(shapes) == {(240, 320), (320, 240)}
    assert shapes == sorted(shapes)


@pytest.mark.parametrize(
    "name",
    ["dvd-interlaced.mp4", "dvb-interlaced.ts", "h264-1080i-like.mp4", "hevc-interlaced.mp4",
     "ictcp-phone.mp4"],
)  # fmt: skip
def test_what_another_decoder_refused_is_shown(
    found: Extraction, workspace: Path, name: str
) -> None:
    """All are the same test card: eight bars of saturated colours."""
    for image in images(found, workspace, name):
        assert not look_at(image, 0.0).is_poor
        height, width = image.shape[:2]
        row = image[height // 2, int(width * 0.32) : int(width * 0.7)].reshape(-1, 3)
        hues = {tuple(np.round(pixel / 255).astype(int)) for pixel in row}
        assert len(hues) >= 4


@pytest.mark.parametrize(
    ("one", "other"), [("ramp-pq.mp4", "ramp-pq.webm"), ("ramp-hlg.mp4", "ramp-hlg-sei18.mp4")]
)
def test_hdr_has_one_tone_whatever_the_codec_and_the_header(
    found: Extraction, workspace: Path, one: str, other: str
) -> None:
    first, second = (images(found, workspace, name)[0].astype(int) for name in (one, other))
    assert np.abs(first - second).mean() < 1
    assert np.ptp(first.mean(axis=(0, 1))) < 1  # grey


@pytest.mark.parametrize(
    ("name", "last_s"),
    [("slides-120s-audio.mp4", 960), ("ts-concat-two.mp4", 36), ("zeroed-middle.mp4", 17),
     ("pq-vp9.mp4", 2.8)],
)  # fmt: skip
def test_a_film_is_covered_to_its_end(found: Extraction, name: str, last_s: float) -> None:
    assert times(found, name)[-1] >= last_s


def test_a_clock_that_restarts_hides_neither_film(found: Extraction, workspace: Path) -> None:
    """A clock of saturated bars on a circle, then a fractal of soft colours."""
    cards = [
        look_at(image, 0.0).histogram for image in images(found, workspace, "ts-concat-two.mp4")
    ]
    change = [0.5 * np.abs(a - b).sum() for a, b in itertools.pairwise(cards)]
    assert max(change) > 0.5
    assert 1 <= int(np.argmax(change)) <= 5


def test_a_mirrored_film_is_mirrored(found: Extraction, workspace: Path) -> None:
    plain = images(found, workspace, "private-1048576.mkv")  # the same card
    for name, back in (
        ("hflip.mp4", lambda image: image[:, ::-1]),
        ("vflip.mp4", lambda image: image[::-1]),
    ):
        for image, upright in zip(images(found, workspace, name), plain, strict=True):
            bars = np.s_[20:60, 100:220]
            assert np.abs(back(image)[bars].astype(int) - upright[bars]).mean() < 12
