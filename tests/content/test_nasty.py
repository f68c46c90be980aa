"""Every file that was made to break readers ends as keyframes or as a true reason."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.content.decoding.keyframes import Extraction, extract_keyframes
from vidrec_tasks.settings import ContentSettings

REASONS = {
    "zero-bytes.webm": "file is empty (0 bytes)",
    "audio-only-mp3.mp4": "holds sound only, no video stream",
    "audio-only-opus.mp4": "holds sound only, no video stream",
    "amr-audio.3gp": "holds sound only, no video stream",
    "encrypted-av1.mp4": "video is encrypted",
    "encrypted-cenc.mp4": "video is encrypted",
    "header-only-5544-frames.mp4": "holds a header only, no picture data",
    "header-only-1040-frames.mp4": "holds a header only, no picture data",
    "init-segment-only.mp4": "video is encrypted",
    "chunk-out-of-range.mp4": "MP4 file whose index cannot be read (error reading header)",
}


@pytest.fixture(scope="module")
def nasty(real_data: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted((real_data / "videos" / "nasty").iterdir())}


@pytest.fixture(scope="module")
def truth(real_data: Path) -> pd.DataFrame:
    return pd.read_csv(real_data / "videos" / "nasty.csv").set_index("file")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def found(nasty: dict[str, Path], workspace: Path) -> Extraction:
    return extract_keyframes(nasty, ContentSettings(), workspace=workspace, n_processes=2)


def test_every_file_ends_one_way_or_the_other(
    found: Extraction, nasty: dict[str, Path], truth: pd.DataFrame
) -> None:
    assert set(found.frames["checksum"]) | set(found.failures) == set(nasty)
    assert found.failures == REASONS
    without = set(truth.index[truth["frames_decoded"] == 0])  # by OpenCV, which has no AV1
    assert without == {*REASONS, "av1.mkv"}


def test_times_are_those_of_the_container(found: Extraction, truth: pd.DataFrame) -> None:
    for name, rows in found.frames.groupby("checksum"):
        times = rows["at_s"].to_numpy()
        assert (times >= 0).all(), name
        assert (np.diff(times) > 0).all(), name
        if truth.at[name, "duration_s"] > 0:
            assert times[-1] <= truth.at[name, "duration_s"], name


def test_rotated_films_stand_upright(found: Extraction, workspace: Path) -> None:
    shapes = {
        name: cv2.imread(str(workspace / name / "0.jpg")).shape[:2]
        for name in ("rot0.mov", "rot90.mov", "rot180.mov", "rot270.mov", "rot90-60x100.mp4")
    }
    assert shapes["rot0.mov"] == shapes["rot180.mov"] == (180, 320)
    assert shapes["rot90.mov"] == shapes["rot270.mov"] == (320, 180)
    assert shapes["rot90-60x100.mp4"] == (100, 60)


def test_ten_bits_give_the_colours_of_eight(found: Extraction, workspace: Path) -> None:
    for name in ("h264-10bit.mp4", "hevc-10bit.mp4"):
        picture = cv2.imread(str(workspace / name / "0.jpg"))
        assert picture.std() > 60, name  # test bars, not the lower byte of each value


def test_a_packet_that_is_broken_midway_costs_itself_alone(found: Extraction) -> None:
    rows = found.frames[found.frames["checksum"] == "corrupted-midway.mp4"]
    assert len(rows) == 8
    assert rows["at_s"].max() > 2.8  # one packet of 50 is broken; asking again gives the rest
