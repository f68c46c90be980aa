"""Kinds of films that people upload: no foreign picture, the whole film, true reasons."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from tests.content.films import ffmpeg, write_film
from vidrec_tasks.content.decoding import grabbing
from vidrec_tasks.content.decoding.keyframes import Extraction, extract_keyframes
from vidrec_tasks.content.decoding.surveying import Survey
from vidrec_tasks.settings import ContentSettings

H264 = ("-c:v", "libx264", "-preset", "ultrafast")
INTERLACED = ("-flags", "+ilme+ildct")
GREYS = (
    "gradients=size=320x240:rate=25:duration=3:c0=black:c1=white:nb_colors=2:speed=0.1"
    ":seed=1:x0=0:y0=0:x1=319:y1=239"
)


def grey(folder: Path, name: str, *arguments: str) -> Path:
    """A film of greys: whatever has a colour in its keyframes is another film's."""
    path = folder / name
    ffmpeg("-f", "lavfi", "-i", GREYS, *arguments, str(path))
    return path


def joined(folder: Path, name: str, *paths: Path) -> Path:
    film = folder / name
    film.write_bytes(b"".join(path.read_bytes() for path in paths))
    return film


REFUSED_ELSEWHERE = {
    "dvd.mpg": ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", *INTERLACED),
    "dv.dv": ("-c:v", "dvvideo", "-s", "720x576", "-pix_fmt", "yuv420p"),
    "prores.mov": ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", *INTERLACED),
    "1080i.ts": (*H264, "-pix_fmt", "yuv420p", *INTERLACED, "-x264-params", "tff=1"),
    "ictcp.mp4": (*H264, "-pix_fmt", "yuv420p", "-x264-params", "colormatrix=ictcp"),
    "ycgco.mp4": (*H264, "-pix_fmt", "yuv420p", "-x264-params", "colormatrix=ycgco"),
    "constant.mp4": (*H264, "-pix_fmt", "yuv420p", "-x264-params", "colormatrix=bt2020c"),
}
"""Films that OpenCV's decoder says it converted, and did not."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, workspace: Path) -> Extraction:
    """All of them by one process, a film of one strong colour before each."""
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    marked = [
        np.stack([np.full((240, 320), 30), rng.integers(150, 250, (240, 320)),
                  np.full((240, 320), 220)], axis=2).astype(np.uint8)
        for _ in range(30)
    ]  # fmt: skip
    films = {name: grey(folder, name, *how) for name, how in REFUSED_ELSEWHERE.items()}
    films["no-matrix.mp4"] = grey(
        folder, "no-matrix.mp4", *H264, "-pix_fmt", "yuv444p",
        "-x264-params", "colormatrix=smpte2085",
    )  # fmt: skip
    films["then.ts"] = joined(
        folder, "then.ts", grey(folder, "plain.ts", *H264, "-pix_fmt", "yuv420p"), films["1080i.ts"]
    )
    mark = write_film(folder / "mark.avi", marked, codec="MJPG")
    order: dict[str, Path] = {}
    for name, film in films.items():
        order[f"mark before {name}"] = mark
        order[name] = film
    return extract_keyframes(order, ContentSettings(), workspace=workspace)


def images(found: Extraction, workspace: Path, name: str) -> list[np.ndarray]:
    rows = found.frames[found.frames["checksum"] == name]
    return [cv2.imread(str(workspace / path)).astype(int) for path in rows["path"]]


@pytest.mark.parametrize("name", [*REFUSED_ELSEWHERE, "then.ts"])
def test_no_keyframe_shows_what_another_film_left(
    found: Extraction, workspace: Path, name: str
) -> None:
    shown = images(found, workspace, name)
    assert len(shown) >= 3  # the ramp turns slowly: what looks the same is one keyframe
    for image in shown:
        assert np.abs(image - image.mean(axis=2, keepdims=True)).max() < 24  # grey
        assert image.std() > 20  # and a picture


def test_the_mark_would_be_seen(found: Extraction, workspace: Path) -> None:
    for image in images(found, workspace, "mark before dvd.mpg"):
        assert np.abs(image - image.mean(axis=2, keepdims=True)).mean() > 50


def test_a_film_whose_colours_cannot_be_shown_has_no_keyframe_and_a_reason(
    found: Extraction,
) -> None:
    assert "no-matrix.mp4" not in set(found.frames["checksum"])
    assert "SMPTE ST 2085 cannot be converted" in found.failures["no-matrix.mp4"]


def times(films: dict[str, Path], workspace: Path) -> dict[str, list[float]]:
    frames = extract_keyframes(films, ContentSettings(), workspace=workspace).frames
    return {str(name): rows["at_s"].tolist() for name, rows in frames.groupby("checksum")}


def test_a_long_film_is_covered_to_its_end_and_by_the_same_frames_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hours with a key frame every two seconds, in three containers."""
    minute = tmp_path / "minute.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=5:duration=60", *H264, "-g", "10",
           "-sc_threshold", "0", str(minute))  # fmt: skip
    films = {}
    for suffix in ("mp4", "mkv", "ts"):
        films[suffix] = tmp_path / f"two-hours.{suffix}"
        ffmpeg("-stream_loop", "119", "-i", str(minute), "-c", "copy", str(films[suffix]))
    first, again = (times(films, tmp_path / name) for name in ("a", "b"))
    assert first == again
    for found in first.values():
        assert len(found) == 8
        assert found[0] < 1_200
        assert found[-1] > 6_300
        assert max(np.diff(found)) < 2_000


def test_a_large_film_is_leapt_through_to_its_end_in_any_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.SCANNED", 1_000)
    for suffix in ("mp4", "mkv", "ts", "avi", "mpg"):
        film = tmp_path / f"film.{suffix}"
        codec = ("-c:v", "mpeg2video") if suffix == "mpg" else H264
        ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=60", *codec,
               "-g", "25", str(film))  # fmt: skip
        limits = grabbing.Limits(10**8, 10**10, time.process_time() + 60)
        with film.open("rb", buffering=0) as file:
            found = grabbing.grab(file, n_wanted=8, mode="intra", limits=limits)
        assert len(found.images) >= 24, suffix
        assert found.times[0] < 3, suffix
        assert found.times[-1] > 54, suffix
        assert max(np.diff(found.times)) < 8, suffix


def test_a_long_transport_stream_is_leapt_through_by_its_own_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaps of more than ten minutes are ours, and start no clock anew."""
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.SCANNED", 1_000)
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.LEAP_S", 2.0)
    film = tmp_path / "film.ts"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=5:duration=300", *H264, "-g", "5",
           str(film))  # fmt: skip
    limits = grabbing.Limits(10**8, 10**10, time.process_time() + 60)
    with film.open("rb", buffering=0) as file:
        found = grabbing.grab(file, n_wanted=8, mode="intra", limits=limits)
    assert len(found.images) >= 24
    assert found.times[-1] > 270
    assert max(np.diff(found.times)) < 30


def test_a_film_with_one_key_frame_is_read_to_its_end(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=600", *H264,
           "-x264-params", "keyint=100000:scenecut=0", str(film))  # fmt: skip
    assert times({"film": film}, tmp_path / "frames")["film"][-1] > 500


def test_black_before_a_short_film_takes_none_of_its_keyframes(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=black:size=160x90:rate=25:duration=120",
           "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=10",
           "-filter_complex", "[0][1]concat=n=2", *H264, str(film))  # fmt: skip
    found = times({"film": film}, tmp_path / "frames")["film"]
    assert len(found) == 8
    assert all(at_s >= 120 for at_s in found)


def test_a_film_whose_middle_is_noise_shows_both_ends(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=20", *H264,
           "-g", "25", str(film))  # fmt: skip
    data = bytearray(film.read_bytes())
    first, last = int(len(data) * 0.35), int(len(data) * 0.65)
    data[first:last] = np.random.default_rng(1).bytes(last - first)
    film.write_bytes(data)
    found = times({"film": film}, tmp_path / "frames")["film"]
    assert found[0] < 6
    assert found[-1] > 15


def test_pictures_that_change_their_size_midway_in_one_container_keep_their_shapes(
    tmp_path: Path, workspace: Path
) -> None:
    parts = []
    for num, size in enumerate(("320x180", "180x320")):
        part = tmp_path / f"{num}.ts"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=12", *H264, "-g", "25",
               str(part))  # fmt: skip
        parts.append(part)
    film = joined(tmp_path, "film.ts", *parts)
    found = extract_keyframes({"turned": film}, ContentSettings(), workspace=workspace)
    shapes = [image.shape[:2] for image in images(found, workspace, "turned")]
    assert set(shapes) == {(180, 320), (320, 180)}


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("s.ogg", ("-c:a", "libvorbis"), "holds sound only, no video stream"),
        ("s.avi", ("-c:a", "pcm_s16le"), "holds sound only, no video stream"),
        ("s.flv", ("-c:a", "aac"), "holds sound only, no video stream"),
        ("s.webm", ("-c:a", "libopus"), "holds sound only, no video stream"),
        ("s.wma", ("-c:a", "wmav2"), "holds sound only, no video stream"),
        ("s.aiff", (), "holds sound only, no video stream"),
        ("s.ts", ("-c:a", "mp2"), "holds sound only, no video stream"),
        (
            "s.mp4",
            ("-c:a", "aac", "-metadata", "title=my video"),
            "holds sound only, no video stream",
        ),
    ],
)
def test_sound_is_sound_in_every_container(
    tmp_path: Path, name: str, arguments: tuple[str, ...], reason: str
) -> None:
    film = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", "sine=440:duration=3", *arguments, str(film))
    found = extract_keyframes({"film": film}, ContentSettings(), workspace=tmp_path / "frames")
    assert found.failures == {"film": reason}


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp"])
def test_a_picture_is_no_film(tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"picture.{suffix}"
    cv2.imwrite(str(picture), np.full((40, 60, 3), 90, dtype=np.uint8))
    film = picture.rename(tmp_path / "film.mp4")
    found = extract_keyframes({"film": film}, ContentSettings(), workspace=tmp_path / "frames")
    assert found.failures == {"film": "is a picture, not a video file"}


def test_protected_films_are_encrypted(tmp_path: Path) -> None:
    cenc = tmp_path / "cenc.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2", *H264,
           "-encryption_scheme", "cenc-aes-ctr",
           "-encryption_key", "0123456789abcdef0123456789abcdef",
           "-encryption_kid", "fedcba9876543210fedcba9876543210", str(cenc))  # fmt: skip
    plain = tmp_path / "plain.ts"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2", *H264, str(plain))
    scrambled = tmp_path / "scrambled.ts"
    data = bytearray(plain.read_bytes())
    rng = np.random.default_rng(2)
    for place in range(0, len(data) - 187, 188):
        if (data[place + 1] & 0x1F) << 8 | data[place + 2] == 0x100:  # the pictures' packets
            data[place + 3] |= 0x80
            data[place + 20 : place + 188] = rng.bytes(168)
    scrambled.write_bytes(data)
    films = {"cenc": cenc, "scrambled": scrambled}
    found = extract_keyframes(films, ContentSettings(), workspace=tmp_path / "frames")
    assert found.failures == {
        "cenc": "video is encrypted",
        "scrambled": "video is encrypted (a scrambled transport stream)",
    }


def test_nothing_that_a_film_names_is_opened(tmp_path: Path) -> None:
    """What it names is a pipe that nobody writes to: who opened it would wait for ever."""
    secret = tmp_path / "secret.ts"
    os.mkfifo(secret)
    films = {
        "list.mp4": f"ffconcat version 1.0\nfile {secret}\n",
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret}\n#EXT-X-ENDLIST\n",
        "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }
    for name, text in films.items():
        (tmp_path / name).write_text(text)
    paths = {name: tmp_path / name for name in films}
    settings = ContentSettings(decode_timeout_s=1)
    found = extract_keyframes({**paths, "pipe": secret}, settings, workspace=tmp_path / "frames")
    assert found.failures.pop("pipe") == "cannot be decoded: is not a file"
    assert set(found.failures) == set(films)
    assert all("names other files" in reason for reason in found.failures.values())


def frames_of(film: Path, folder: Path) -> Extraction:
    return extract_keyframes({"film": film}, ContentSettings(), workspace=folder)


def test_pictures_that_a_container_wrongly_calls_key_frames_are_not_residues(
    tmp_path: Path,
) -> None:
    """Without its list of key frames (stss) an MP4 says that all are."""
    film = tmp_path / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", GREYS.replace("duration=3", "duration=12"), "-c:v", "mpeg4",
           "-g", "100", "-pix_fmt", "yuv420p", str(film))  # fmt: skip
    whole = frames_of(film, tmp_path / "whole").frames
    data = film.read_bytes()
    assert b"stss" in data
    film.write_bytes(data.replace(b"stss", b"free"))
    found = frames_of(film, tmp_path / "frames").frames
    assert len(found) >= 5
    for path in found["path"]:
        image = cv2.imread(str(tmp_path / "frames" / path))
        assert image.std() > 40  # a ramp from black to white, no grey with edges
    assert found["at_s"].iloc[-1] > whole["at_s"].iloc[-1] - 2


def test_pictures_after_one_another_in_a_file_of_jpegs_are_a_film(tmp_path: Path) -> None:
    film = tmp_path / "film.mjpeg"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=4", "-c:v", "mjpeg",
           "-f", "mjpeg", str(film))  # fmt: skip
    assert len(frames_of(film, tmp_path / "frames").frames) == 8


def test_a_still_stream_before_the_film_is_passed_over_though_it_is_the_default(
    tmp_path: Path,
) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=4",
           "-f", "lavfi", "-i", "color=red:size=640x360:rate=25:duration=0.04",
           "-map", "1:v", "-map", "0:v", *H264, "-disposition:v:0", "default",
           "-disposition:v:1", "0", str(film))  # fmt: skip
    found = frames_of(film, tmp_path / "frames").frames
    assert len(found) == 8
    image = cv2.imread(str(tmp_path / "frames" / found["path"].iloc[0]))
    assert image.shape == (90, 160, 3)


def test_a_film_without_an_index_that_is_too_large_to_scan_is_seen_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a camera or a stream writes it: no list of key frames at all."""
    film = tmp_path / "film.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=60", *H264, "-g", "25",
           "-live", "1", str(film))  # fmt: skip
    monkeypatch.setattr("vidrec_tasks.content.decoding.surveying.SCANNED", 1_000)
    limits = grabbing.Limits(10**8, 10**7, time.process_time() + 60)
    with film.open("rb", buffering=0) as file:
        found = grabbing.grab(file, n_wanted=8, mode="intra", limits=limits)
    assert found.times[-1] > 54


def test_one_late_moment_does_not_take_the_rest_of_a_film() -> None:
    seen = Survey(limit=32)
    for at_s in [*range(200), 100_000]:
        seen.add(SimpleNamespace(size=1), float(at_s))  # type: ignore[arg-type]
    seen.thin(32)
    assert len(seen.times) == 32
    assert sorted(seen.times)[-2] > 190
    assert sum(at_s < 100 for at_s in seen.times) > 8
