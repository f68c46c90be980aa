import struct
from pathlib import Path

import pytest

from tests.content.films import drifting, write_film
from vidrec_tasks.content.decoding.diagnosis import diagnose


def box(name: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isom")


def reason_of(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return diagnose(file, max_pixels=10**8)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "file is empty (0 bytes)"),
        (FTYP + box(b"mdat", b"x" * 50), "MP4 file without an index (moov): truncated"),
        (FTYP + box(b"moov", b"hdlrsoun") + box(b"mdat"), "holds no video stream (mov: nothing)"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data",
         "holds sound only, no video stream"),
        (b"#EXTM3U\n", "is a playlist that names other files, not a video file"),
        (b"ffconcat version 1.0\nfile x.mp4\n", "is a list that names other files, not a video "
        "file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "is a picture, not a video file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n", "holds subtitles only, no video"),
        (b"PK\x03\x04" + b"\0" * 30, "is an archive, not a video file"),
        (b"%PDF-1.7\n", "is a document, not a video file"),
        (b"<!DOCTYPE html><p>404", "is a web page or XML, not a video file"),
        (b"\0" * 100, "is not a video file of a known kind"),
        (b"hi", "is not a video file of a known kind"),
    ],
)  # fmt: skip
def test_the_reason_is_true(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "film"
    path.write_bytes(data)
    assert reason_of(path).startswith(reason)


def test_a_film_cut_off_before_its_index_is_truncated(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", drifting(1, 50))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert reason_of(path) == "MP4 file without an index (moov): truncated"


@pytest.mark.parametrize("length", [0, 1, 7, 2**63])
def test_boxes_that_lie_about_their_length_are_survived(tmp_path: Path, length: int) -> None:
    path = tmp_path / "film"
    lie = struct.pack(">I4sQ", 1, b"moov", length)
    path.write_bytes(FTYP + lie + struct.pack(">I4s", 3, b"mdat"))
    assert reason_of(path)
