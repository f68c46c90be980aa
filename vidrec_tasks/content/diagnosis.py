"""Diagnosis: why a film that gave no frame gave none, in words that are true.

Reads the marks that containers leave, a few kilobytes of a file; decodes nothing.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

HEAD: Final = 1 << 20
MAX_INDEX: Final = 64 << 20
MP4_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"sidx")
PICTURES: Final = (b"mdat", b"moof")
CODECS: Final = {
    b"av01": "AV1", b"V_AV1": "AV1", b"avc1": "H.264", b"avc3": "H.264",
    b"V_MPEG4/ISO/AVC": "H.264",
    b"hvc1": "HEVC", b"hev1": "HEVC", b"V_MPEGH/ISO/HEVC": "HEVC", b"vvc1": "VVC", b"vp08": "VP8",
    b"V_VP8": "VP8", b"vp09": "VP9", b"V_VP9": "VP9", b"mp4v": "MPEG-4", b"s263": "H.263",
    b"apch": "ProRes", b"apcn": "ProRes", b"jpeg": "Motion JPEG",
}  # fmt: skip
KINDS: Final = (
    (b"#EXTM3U", "is a playlist that names other files, no film"),
    (b"ffconcat", "is a list that names other files, no film"),
    (b"\x89PNG", "is a picture, no film"),
    (b"\xff\xd8\xff", "is a picture, no film"),
    (b"ID3", "is a sound file, no film"),
    (b"\xff\xfb", "is a sound file, no film"),
    (b"fLaC", "is a sound file, no film"),
    (b"PK\x03\x04", "is an archive, no film"),
    (b"%PDF", "is a document, no film"),
)


def diagnose(path: Path) -> str:
    """The reason a file holds no decodable frame, as far as its own marks tell.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head[4:8] in MP4_BOXES:
            return _diagnose_mp4(file)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _diagnose_matroska(head)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "is a sound file, no film"
    for mark, reason in KINDS:
        if head.startswith(mark):
            return reason
    if head[:4] in (b"RIFF", b"FLV\x01", b"OggS"):
        return "no frame of its video stream can be decoded"
    if head.lstrip()[:5].lower() in (b"<!doc", b"<html", b"<?xml"):
        return "is a web page or XML, no film"
    return "is no video file that is known here"


def _diagnose_mp4(file: BinaryIO) -> str:
    boxes = dict(_boxes(file))
    if b"moov" not in boxes:
        return "MP4 file without an index (moov): truncated"
    index = boxes[b"moov"]
    if b"vide" not in index:
        return "holds sound only, no video stream" if b"soun" in index else "holds no video stream"
    if not any(name in boxes for name in PICTURES):
        return "holds a header only, no picture data"
    if b"encv" in index:
        return "video is encrypted"
    return _undecodable(index)


def _diagnose_matroska(head: bytes) -> str:
    if b"V_" not in head and b"A_" in head:
        return "holds sound only, no video stream"
    return _undecodable(head)


def _undecodable(marks: bytes) -> str:
    codec = next((name for mark, name in CODECS.items() if mark in marks), "")
    if codec == "AV1":
        return "video is AV1, which OpenCV's FFmpeg decodes with special hardware only"
    named = f"{codec} video" if codec else "video stream"
    return f"no frame of its {named} can be decoded: index or data are damaged"


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of the top level: (name, content of ``moov``, nothing of the others)."""
    place, size = 0, file.seek(0, 2)
    while place + 8 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        start = 8
        if length == 1 and place + 16 <= size:
            (length,) = struct.unpack(">Q", file.read(8))
            start = 16
        length = size - place if length == 0 else length
        if length < start:
            return
        yield name, file.read(min(length - start, MAX_INDEX)) if name == b"moov" else b""
        place += length
