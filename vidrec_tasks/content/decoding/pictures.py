"""Pictures: a decoded frame as a small BGR image, as a player would show it.

FFmpeg's scaler says when it cannot convert a frame, and nothing is taken from it then: its buffer
would hold what the process had in memory before. Pixels are made square, mirrored and turned as the
film says, one field is taken of an interlaced frame, and wide colours and HDR become those of a
screen (BT.709), on the small image.
"""

import functools
import math
from fractions import Fraction
from typing import Any, Final, cast

import cv2
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from vidrec_tasks.errors import MediaError

Image = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]

UNSPECIFIED: Final = 2
BT2020: Final = 9
WIDE: Final = (BT2020, 11, 12)
"""Primaries (ITU-T H.273): BT.2020, DCI-P3 and Display P3."""
PQ: Final = 16
HLG: Final = 18
"""Transfer characteristics (H.273)."""
EXACTLY: Final = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""Mean of the pixels under each, to the same digits on every processor."""

SHOWN_MATRICES: Final = (0, 1, 4, 5, 6, 7, BT2020)
"""Colour matrices (H.273) that the scaler knows; 0 is RGB."""
YCGCO: Final = 8
BT2020_CL: Final = 10
ICTCP: Final = 14
OTHER_MATRICES: Final = {11: "SMPTE ST 2085", 15: "IPT-C2", 16: "YCgCo-Re", 17: "YCgCo-Ro"}

WHITE_NITS: Final = 203.0
"""What a white page is in HDR (ITU-R BT.2408)."""
PEAK: Final = 1_000.0 / WHITE_NITS

BT2020_TO_709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
P3_TO_709: Final = np.array(
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)
ICTCP_TO_LMS: Final = np.array(
    [[1.0, 0.00860904, 0.11102963], [1.0, -0.00860904, -0.11102963], [1.0, 0.56003134, -0.32062717]]
)
LMS_TO_2020: Final = np.array(
    [[3.43661, -2.50645, 0.06985], [-0.79133, 1.98360, -0.19227], [-0.02595, -0.09891, 1.12486]]
)
"""ITU-R BT.2100, table 7, inverted."""


def to_picture(frame: VideoFrame, *, pixel_aspect: Fraction, longer_side: int) -> Image:
    """A frame as a BGR image whose longer side is at most so many pixels.

    Args:
        frame: as decoded.
        pixel_aspect: width of a pixel over its height.
        longer_side: in pixels.

    Raises:
        MediaError: it cannot be converted; the message says what it is.
    """
    size = _shown_size(frame, pixel_aspect, longer_side)
    matrix, primaries, transfer = frame.colorspace, frame.color_primaries, frame.color_trc
    try:
        if matrix == YCGCO:
            image = _from_ycgco(_planes(frame, size))
        elif matrix == ICTCP and transfer in (PQ, HLG):
            return upright(_from_ictcp(_planes(frame, size), transfer), display_matrix(frame))
        elif primaries in WIDE or transfer in (PQ, HLG):
            image = to_screen(_converted(frame, size, "rgb48le"), primaries, transfer)
        else:
            image = _converted(frame, size, "bgr24")
    except (FFmpegError, ValueError, cv2.error) as error:
        message = f"{_in_words(frame)} cannot be converted"
        raise MediaError(message) from error
    return upright(image, display_matrix(frame))


def to_screen(image: npt.NDArray[np.uint16], primaries: int, transfer: int) -> Image:
    """An RGB image of wide colours or HDR as BGR in the colours of a screen (BT.709, no HDR).

    Args:
        image: ``(height, width, 3)`` of 16 bits; in PQ, 8 would tint what is grey.
        primaries: as ITU-T H.273 numbers them; HDR without any is in BT.2020.
        transfer: likewise.
    """
    matrix = P3_TO_709 if primaries in WIDE[1:] else BT2020_TO_709
    return _shown(_light_of_values(transfer)[image], matrix, is_hdr=transfer in (PQ, HLG))


def upright(image: Image, matrix: tuple[int, ...]) -> Image:
    """An image turned and mirrored as a display matrix says, to the nearest quarter turn.

    Args:
        image: ``(height, width, 3)``.
        matrix: nine numbers as FFmpeg's libavutil/display.h orders them: a point (x, y) goes to
            (a x + c y, b x + d y), with a, b the first two, c, d the fourth and fifth.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.transpose(1, 0, 2), c, b
    image = image[:, ::-1] if a < 0 else image
    image = image[::-1] if d < 0 else image
    return np.ascontiguousarray(image)


def display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    """The nine numbers by which a frame is turned and mirrored; those of no change by default."""
    try:
        data = cast(Any, frame.side_data).get(Type.DISPLAYMATRIX)
    except ValueError:  # beside it lies a kind of data that PyAV does not name; the angle is known
        angle = math.radians(frame.rotation)
        cosine, sine = round(math.cos(angle)), round(math.sin(angle))
        return (cosine, -sine, 0, sine, cosine, 0, 0, 0, 1)
    if data is None:
        return (1, 0, 0, 0, 1, 0, 0, 0, 1)
    return tuple(np.frombuffer(bytes(data), dtype=np.int32).tolist())


def _shown_size(frame: VideoFrame, pixel_aspect: Fraction, longer_side: int) -> tuple[int, int]:
    """(width, height) of square pixels; neither is ever enlarged but to make them square."""
    width = frame.width * max(float(pixel_aspect), 1.0)
    height = frame.height * max(1.0 / float(pixel_aspect), 1.0)
    scale = min(longer_side / max(width, height), 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def _converted(frame: VideoFrame, size: tuple[int, int], pixel_format: str) -> Any:
    """By FFmpeg's scaler to a format and a size; of an interlaced frame the first field."""
    matrix = frame.colorspace
    if matrix in OTHER_MATRICES:
        message = "no such conversion"
        raise ValueError(message)
    if matrix not in SHOWN_MATRICES:  # constant luminance, or ICtCp that is none: near enough
        frame.colorspace = BT2020 if matrix in (BT2020_CL, ICTCP) else UNSPECIFIED
    if frame.interlaced_frame:
        whole = frame.reformat(format=pixel_format, interpolation=EXACTLY, threads=1).to_ndarray()
        return _resized(whole[::2] if len(whole) > 1 else whole, size)
    inner = min(size[0], frame.width), min(size[1], frame.height)
    small = frame.reformat(*inner, format=pixel_format, interpolation=EXACTLY, threads=1)
    return _resized(small.to_ndarray(), size)


def _planes(frame: VideoFrame, size: tuple[int, int]) -> Doubles:
    """``(height, width, 3)`` the three planes as they are, of range 0..1 and twice -0.5..0.5."""
    is_full = frame.color_range == 2
    frame.colorspace = UNSPECIFIED
    planes = frame.reformat(format="yuv444p16le", interpolation=EXACTLY, threads=1).to_ndarray()
    if planes.shape[0] == 3:
        planes = planes.transpose(1, 2, 0)
    values = cv2.resize(planes, size, interpolation=cv2.INTER_AREA).astype(np.float64) / 65536
    begin, spans = (0.0, (1.0, 1.0)) if is_full else (16 / 256, (219 / 256, 224 / 256))
    first = np.clip((values[..., 0] - begin) / spans[0], 0.0, 1.0)
    return np.dstack([first, *((values[..., k] - 0.5) / spans[1] for k in (1, 2))])


def _from_ycgco(planes: Doubles) -> Image:
    """BGR of Y, Cg, Co (ITU-T H.273, MatrixCoefficients 8)."""
    luma, green, orange = planes[..., 0], planes[..., 1], planes[..., 2]
    blue, red = luma - green - orange, luma - green + orange
    return _bytes(np.dstack([blue, luma + green, red]))


def _from_ictcp(planes: Doubles, transfer: int) -> Image:
    """BGR of I, Ct, Cp (ITU-R BT.2100), in the colours of a screen."""
    lms = _to_light(transfer, np.clip(planes @ ICTCP_TO_LMS.T, 0.0, 1.0))
    return _shown(lms @ LMS_TO_2020.T, BT2020_TO_709, is_hdr=True)


def _shown(light: Doubles, matrix: Doubles, *, is_hdr: bool) -> Image:
    """BGR of linear RGB light, 1 for a white page, in other primaries."""
    linear = np.maximum(light @ matrix.T, 0.0)
    if is_hdr:  # Reinhard et al., 2002, with a white point
        linear = linear * (1 + linear / PEAK**2) / (1 + linear)
    return np.ascontiguousarray(_bytes(np.minimum(linear, 1.0) ** (1 / 2.2))[:, :, ::-1])


def _to_light(transfer: int, value: Doubles) -> Doubles:
    """Light of values of 0..1, 1 for a white page; of the same shape."""
    if transfer == PQ:  # SMPTE ST 2084
        root = value ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light: Any = 10_000.0 / WHITE_NITS * ratio ** (1 / 0.1593017578125)
    elif transfer == HLG:  # ARIB STD-B67, with the gamma of a display of 1,000 nits
        dark, bright = value**2 / 3, (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        light = PEAK * np.where(value <= 0.5, dark, bright) ** 1.2
    else:
        light = value**2.2
    return np.asarray(light)


def _bytes(values: Doubles) -> Image:
    return np.rint(255.0 * np.clip(values, 0.0, 1.0)).astype(np.uint8)


@functools.cache
def _light_of_values(transfer: int) -> Doubles:
    """``(65536,)`` light of each value of 16 bits."""
    return _to_light(transfer, np.arange(65536) / 65535.0)


def _resized(image: Any, size: tuple[int, int]) -> Any:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _in_words(frame: VideoFrame) -> str:
    matrix = OTHER_MATRICES.get(frame.colorspace, f"colour matrix {frame.colorspace} of H.273")
    return f"pixel format {frame.format.name} with {matrix}"
