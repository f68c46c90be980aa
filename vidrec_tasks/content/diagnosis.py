"""Diagnosis: why a film that gave no frame gave none, in words that are true.

Looks at the marks that containers leave in their first and last megabyte; decodes nothing.
"""

from pathlib import Path
from typing import Final

WINDOW: Final = 1 << 20


def diagnose(path: Path) -> str:
    """The reason a file holds no decodable frame, as far as its own marks tell."""
    marks = _marks(path)
    if marks[4:8] == b"ftyp" or b"moov" in marks:
        return _diagnose_mp4(marks)
    if marks[:4] == b"\x1a\x45\xdf\xa3":
        return "Matroska or WebM file whose video cannot be decoded"
    if marks[:4] in (b"RIFF", b"FLV\x01", b"OggS"):
        return "video stream cannot be decoded"
    return "is no video file that is known here"


def _diagnose_mp4(marks: bytes) -> str:
    if b"moov" not in marks:
        return "MP4 file without an index (moov): truncated"
    if b"encv" in marks or b"cenc" in marks or b"pssh" in marks:
        return "video is encrypted"
    if b"vide" not in marks:
        return "holds sound only, no video stream"
    if b"mdat" not in marks and b"moof" not in marks:
        return "holds a header only, no picture data"
    return "no frame of the video stream can be decoded"


def _marks(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(WINDOW)
        size = path.stat().st_size
        file.seek(max(size - WINDOW, len(head)))
        return head + file.read(WINDOW)
