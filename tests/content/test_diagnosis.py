import struct
from pathlib import Path

import pytest

from tests.content.films import drifting, write_film
from vidrec_tasks.content.diagnosis import diagnose


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isom")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (FTYP + box(b"mdat", b"x" * 50), "MP4 file without an index (moov): truncated"),
        (FTYP + box(b"moov", b"hdlrsoun") + box(b"mdat"), "holds sound only, no video stream"),
        (FTYP + box(b"moov", b"text") + box(b"mdat"), "holds no video stream"),
        (FTYP + box(b"moov", b"vide avc1"), "holds a header only, no picture data"),
        (FTYP + box(b"moov", b"vide encv") + box(b"mdat"), "video is encrypted"),
        (
            FTYP + box(b"moov", b"vide avc1") + box(b"mdat"),
            "no frame of its H.264 video can be decoded: index or data are damaged",
        ),
        (
            b"\x1a\x45\xdf\xa3 V_AV1",
            "video is AV1, which OpenCV's FFmpeg decodes with special hardware only",
        ),
        (b"\x1a\x45\xdf\xa3 A_OPUS", "holds sound only, no video stream"),
        (b"RIFF\0\0\0\0WAVEfmt ", "is a sound file, no film"),
        (b"#EXTM3U\n", "is a playlist that names other files, no film"),
        (b"\x89PNG\r\n", "is a picture, no film"),
        (b"<!DOCTYPE html><p>404", "is a web page or XML, no film"),
        (b"\0" * 100, "is no video file that is known here"),
        (b"hi", "is no video file that is known here"),
    ],
)
def test_the_reason_is_true(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "film"
    path.write_bytes(data)
    assert diagnose(path) == reason


def test_a_film_cut_off_before_its_index_is_truncated(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", drifting(1, 50))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert diagnose(path) == "MP4 file without an index (moov): truncated"


@pytest.mark.parametrize("length", [0, 1, 7, 2**63])
def test_boxes_that_lie_about_their_length_are_survived(tmp_path: Path, length: int) -> None:
    path = tmp_path / "film"
    lie = struct.pack(">I4sQ", 1, b"moov", length)
    path.write_bytes(FTYP + lie + struct.pack(">I4s", 3, b"mdat"))
    assert diagnose(path)
