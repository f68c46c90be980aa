"""Packets: what a film's container holds, read without decoding a single picture.

OpenCV's raw mode hands out compressed packets with their key flags, so one cheap look (0.05 s for
two minutes of 720p) says which way of decoding suits the film.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from vidrec_tasks.content.gamut import Source
from vidrec_tasks.errors import MediaError

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,ogg,asf,gif,mxf,"
    "rm,ivf,h264,hevc,av1,obu,m4v,h263,h261,vc1,dv,nut,wtv,yuv4mpegpipe,apng,swf,bink,smk,roq,"
    "nsv,ea,film_cpk,rawvideo,mjpeg,mjpeg_2000,dirac,vvc,c93,flic,4xm,pva,nuv,r3d,gxf,lvf,mv"
)
"""Formats that hold pictures themselves. Playlists (HLS, DASH, concat, SDP) stay out: they name
other files and addresses, and a film from outside may not choose what is read."""

MAX_PACKETS: Final = 20_000


@dataclass(frozen=True)
class Packets:
    """What a look at the container found.

    Attributes:
        is_open: whether there is a video stream at all.
        n: packets seen; the look ends early once it knows enough.
        n_intra: how many of them stand alone.
        n_pixels: pixels of a frame, as declared.
        is_whole: whether all packets were seen.
        header: the codec's header (extradata).
    """

    is_open: bool
    n: int = 0
    n_intra: int = 0
    n_pixels: int = 0
    is_whole: bool = True
    header: bytes = b""

    @property
    def is_intra_only(self) -> bool:
        """Whether the codec makes (nearly) every frame stand alone."""
        return self.n_intra * 2 > self.n

    @property
    def total_pixels(self) -> int:
        """Pixels that decoding every packet seen would make."""
        return self.n * self.n_pixels


def scan(path: Path, *, n_intra: int, max_pixels: int, pixel_budget: int) -> Packets:
    """Count a film's packets.

    Args:
        path: the film.
        n_intra: intra frames from which the film can be decoded by them alone; the look ends there.
        max_pixels: pixels a frame may have.
        pixel_budget: pixels that may be decoded; the look ends at twice as many.

    Raises:
        MediaError: frames are too large.
    """
    capture = open_capture(Source(path), "", max_pixels, [cv2.CAP_PROP_FORMAT, -1])
    try:
        if not capture.isOpened():
            return Packets(is_open=False)
        n_pixels = refuse_large(capture, max_pixels)
        n = found = 0
        header = _header(capture)
        while capture.grab():
            n += 1
            found += int(capture.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME) > 0)
            is_enough = found >= n_intra and found * 2 <= n
            if is_enough or n >= MAX_PACKETS or n * n_pixels > 2 * pixel_budget + n_pixels:
                return Packets(True, n, found, n_pixels, is_whole=False, header=header)
        return Packets(True, n, found, n_pixels, header=header)
    finally:
        capture.release()


def open_capture(source: Source, options: str, max_pixels: int, parameters: list[int]) -> Any:
    """A capture of one file that opens no other file and no address.

    Args:
        source: the film.
        options: ``name;value`` pairs for FFmpeg, joined by ``|``.
        max_pixels: pixels beyond which FFmpeg's decoders refuse a frame, whatever was declared.
        parameters: OpenCV's capture parameters.
    """
    guards = f"protocol_whitelist;file|format_whitelist;{FORMATS}|max_pixels;{max_pixels}"
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"{options}|{guards}" if options else guards
    opened: Any = source.opened()
    return cv2.VideoCapture(opened, cv2.CAP_FFMPEG, parameters)


def close_capture(capture: Any, source: Source) -> None:
    """Close a capture, unless it reads through Python.

    Then ``release`` would drop a Python object while the interpreter is not held and end the
    process; such a capture closes when its last name goes.
    """
    if not source.patches:
        capture.release()


def _header(capture: Any) -> bytes:
    number = int(capture.get(cv2.CAP_PROP_CODEC_EXTRADATA_INDEX))
    is_there, data = capture.retrieve(flag=number)
    return bytes(data.tobytes()) if is_there and data is not None else b""


def refuse_large(capture: Any, max_pixels: int) -> int:
    """Pixels of a frame as declared.

    Raises:
        MediaError: more than allowed.
    """
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > max_pixels:
        message = f"frames are too large ({width} × {height}, at most {max_pixels:,} pixels)"
        raise MediaError(message)
    return max(width * height, 1)


def is_late(deadline: float) -> bool:
    """Whether a moment of `time.monotonic` has passed."""
    return time.monotonic() > deadline
