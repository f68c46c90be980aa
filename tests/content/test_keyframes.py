import sys
from pathlib import Path

import cv2
import pytest

from tests.content.films import drifting, scene, write_film
from vidrec_tasks.content.decoding.keyframes import DECODER, Extraction, extract_keyframes
from vidrec_tasks.errors import MediaError, StoreError
from vidrec_tasks.settings import ContentSettings

SETTINGS = ContentSettings()

PLAYS_UP = """
import json, os, signal, subprocess, sys, time
from vidrec_tasks.content.decoding.worker import decode
print("ready", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if "hangs" in request["path"]:
        time.sleep(60)
    if "crashes" in request["path"]:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "babbles" in request["path"]:
        print("no json", flush=True)
        continue
    print(json.dumps(decode(request)), flush=True)
"""


@pytest.fixture
def films(tmp_path: Path) -> dict[str, Path]:
    """Three good films, under keys that are no file names."""
    return {
        f"key{seed}": write_film(tmp_path / f"film{seed}.mp4", drifting(seed, 40))
        for seed in range(3)
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def extract(
    films: dict[str, Path], workspace: Path, settings: ContentSettings = SETTINGS, n: int = 1
) -> Extraction:
    return extract_keyframes(films, settings, workspace=workspace, n_processes=n)


def test_each_film_gives_its_keyframes_in_order(films: dict[str, Path], workspace: Path) -> None:
    found = extract(films, workspace)
    assert found.failures == {}
    assert set(found.frames["checksum"]) == set(films)
    for _, rows in found.frames.groupby("checksum"):
        assert rows["frame_num"].tolist() == list(range(len(rows)))
        assert 3 <= len(rows) <= 8
        assert rows["at_s"].is_monotonic_increasing
        assert rows["at_s"].is_unique


def test_the_thumbnails_are_there_and_are_pictures(films: dict[str, Path], workspace: Path) -> None:
    frames = extract(films, workspace).frames
    for path in frames["path"]:
        picture = cv2.imread(str(workspace / path))
        assert picture is not None
        assert picture.shape == (90, 160, 3)
    assert frames["frame_hash"].str.len().eq(16).all()


def test_the_same_film_gives_the_same_frames_and_bytes(
    films: dict[str, Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    once, twice = extract(films, first), extract(films, second, n=2)
    assert once.frames.equals(twice.frames)
    for path in once.frames["path"]:
        assert (first / path).read_bytes() == (second / path).read_bytes()


def test_a_broken_film_among_good_ones_costs_itself_alone(
    films: dict[str, Path], tmp_path: Path, workspace: Path
) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(films["key0"].read_bytes()[:2_000])
    found = extract(
        {"empty": tmp_path / "empty.mp4", **films, "cut": cut, "gone": tmp_path / "gone"}, workspace
    )
    assert set(found.frames["checksum"]) == set(films)
    assert found.failures["empty"] == "file is empty (0 bytes)"
    assert found.failures["cut"] == "MP4 file without an index (moov): truncated"
    assert "No such file" in found.failures["gone"]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_hang_a_crash_and_babble_cost_one_film_each(
    films: dict[str, Path], tmp_path: Path, workspace: Path, n_processes: int
) -> None:
    bad = {name: tmp_path / f"{name}.mp4" for name in ("hangs", "crashes", "babbles")}
    found = extract_keyframes(
        {**bad, **films},
        ContentSettings(decode_timeout_s=0.5),
        workspace=workspace,
        n_processes=n_processes,
        command=[sys.executable, "-c", PLAYS_UP],
    )
    assert found.failures == {
        "hangs": "decoding did not finish within 4 s",
        "crashes": "decoding crashed its process (exit -11)",
        "babbles": "decoding crashed its process (exit -9)",
    }
    assert set(found.frames["checksum"]) == set(films)


def test_a_film_that_needs_more_memory_than_allowed_fails_alone(
    films: dict[str, Path], tmp_path: Path, workspace: Path
) -> None:
    huge = write_film(tmp_path / "huge.avi", [scene(1, size=(12_000, 8_000))] * 2, codec="MJPG")
    settings = ContentSettings(decode_memory_mb=64, max_pixels=10**8)
    found = extract({"huge": huge, "good": films["key0"]}, workspace, settings)
    assert "need more memory than a film may take" in found.failures["huge"]
    assert set(found.frames["checksum"]) == {"good"}


def test_frames_larger_than_allowed_are_a_reason(films: dict[str, Path], workspace: Path) -> None:
    found = extract(films, workspace, ContentSettings(max_pixels=1_000))
    assert set(found.failures.values()) == {
        "cannot be decoded: frames are too large (160 × 90, at most 1,000 pixels)"
    }


def test_a_decoder_that_does_not_start_stops_the_night(
    films: dict[str, Path], workspace: Path
) -> None:
    broken = [sys.executable, "-c", "raise ImportError('libGL.so.1: cannot open')"]
    with pytest.raises(MediaError, match=r"does not start .*libGL\.so\.1.*libgl1"):
        extract_keyframes(films, SETTINGS, workspace=workspace, command=broken)


def test_a_full_disk_is_no_fault_of_the_films(films: dict[str, Path], tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("here nothing can be written")
    with pytest.raises(StoreError, match=r"cannot be written .*free some space"):
        extract(films, no_folder)


def test_scene_mode_takes_a_frame_of_each_scene(tmp_path: Path, workspace: Path) -> None:
    shots = [image for seed in range(4) for image in [scene(seed)] * (10 + 20 * seed)]
    film = write_film(tmp_path / "film.mp4", shots, fps=10)
    settings = ContentSettings(n_keyframes=4, keyframe_mode="scene")
    times = extract({"film": film}, workspace, settings).frames["at_s"]
    assert [sum(begin <= t < end for t in times) for begin, end in
            ((0, 1), (1, 4), (4, 9), (9, 16))] == [1, 1, 1, 1]  # fmt: skip


def test_no_film_gives_an_empty_table_with_its_columns(workspace: Path) -> None:
    found = extract({}, workspace)
    assert found.frames.empty
    assert list(found.frames.columns)[:3] == ["checksum", "frame_num", "at_s"]


def test_the_decoder_is_this_python() -> None:
    assert DECODER[0] == sys.executable
