from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.content.films import ffmpeg, scene
from vidrec_tasks.content.decoding.pictures import (
    HLG,
    PQ,
    display_matrix,
    to_picture,
    to_screen,
    upright,
)
from vidrec_tasks.errors import MediaError

SQUARE = Fraction(1)
X264 = ("-c:v", "libx264", "-preset", "ultrafast")


def frame_of(image: np.ndarray, pixel_format: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pixel_format)


def ramp() -> np.ndarray:
    """Greys of 16 bits."""
    greys = np.linspace(0, 65535, 60).astype(np.uint16)
    return np.repeat(greys[None, :, None], 3, axis=2)


@pytest.mark.parametrize("transfer", [1, PQ, HLG])
@pytest.mark.parametrize("primaries", [9, 12])
def test_grey_stays_grey_and_brighter_stays_brighter(primaries: int, transfer: int) -> None:
    shown = to_screen(ramp(), primaries, transfer).astype(int)
    assert np.ptp(shown, axis=2).max() <= 1
    assert (np.diff(shown[0, :, 1]) >= 0).all()
    assert shown.max() > 200


def test_a_white_page_in_hdr_is_bright_on_the_screen() -> None:
    page = np.full((2, 2, 3), 38_000, dtype=np.uint16)  # 203 nits in PQ
    assert 150 < to_screen(page, 9, PQ).mean() < 230


def test_a_wide_colour_is_stronger_on_the_screen() -> None:
    red = np.zeros((1, 1, 3), dtype=np.uint16)
    red[...] = (50_000, 20_000, 20_000)
    as_it_is = (50_000 >> 8) - (20_000 >> 8)
    blue, _, shown_red = to_screen(red, 9, 1)[0, 0].astype(int)
    assert shown_red - blue > as_it_is


def test_an_ordinary_frame_keeps_its_colours() -> None:
    image = scene(3)
    shown = to_picture(frame_of(image, "yuv444p"), pixel_aspect=SQUARE, longer_side=320)
    assert np.abs(shown.astype(int) - image).max() <= 4


@pytest.mark.parametrize(
    ("aspect", "shape"),
    [(Fraction(1), (180, 320)), (Fraction(2), (90, 320)), (Fraction(1, 2), (320, 284))],
)
def test_pixels_are_made_square(aspect: Fraction, shape: tuple[int, int]) -> None:
    frame = frame_of(scene(1, size=(640, 360)))
    assert to_picture(frame, pixel_aspect=aspect, longer_side=320).shape[:2] == shape


def test_only_one_field_of_an_interlaced_frame_is_shown(tmp_path: Path) -> None:
    """Lines of two moments would comb what moves; here they are black and white in turn."""
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[::2] = 255
    source = tmp_path / "lines.png"
    cv2.imwrite(str(source), image)
    film = tmp_path / "film.mkv"
    ffmpeg("-loop", "1", "-i", str(source), "-frames:v", "3", "-pix_fmt", "yuv420p", *X264,
           "-qp", "1", "-flags", "+ilme+ildct", "-x264-params", "tff=1", str(film))  # fmt: skip
    with av.open(str(film)) as container:
        frame = next(container.decode(video=0))
    assert frame.interlaced_frame
    shown = to_picture(frame, pixel_aspect=SQUARE, longer_side=32)
    assert shown.mean() > 240 or shown.mean() < 15


@pytest.mark.parametrize(
    ("matrix", "back"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), lambda image: image),
        ((-1, 0, 0, 0, 1, 0, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, 0, -1, 0, 0, 0, 1), lambda image: image[::-1]),
        ((-1, 0, 0, 0, -1, 0, 0, 0, 1), lambda image: np.rot90(image, 2)),
        ((0, 1, 0, -1, 0, 0, 0, 0, 1), lambda image: np.rot90(image, 1)),
        ((0, -1, 0, 1, 0, 0, 0, 0, 1), lambda image: np.rot90(image, -1)),
        ((0, 1, 0, 1, 0, 0, 0, 0, 1), lambda image: image.transpose(1, 0, 2)),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0), lambda image: image),
    ],
)
def test_a_display_matrix_turns_and_mirrors(matrix: tuple[int, ...], back: object) -> None:
    image = scene(5, size=(40, 30))
    assert np.array_equal(back(upright(image, matrix)), image)  # type: ignore[operator]


def test_a_colour_matrix_that_is_not_known_is_named() -> None:
    frame = frame_of(scene(1))
    frame.colorspace = 11
    with pytest.raises(MediaError, match="yuv420p with SMPTE ST 2085 cannot be converted"):
        to_picture(frame, pixel_aspect=SQUARE, longer_side=320)


def test_ycgco_gives_the_colours_of_rgb() -> None:
    image = scene(2).astype(float)
    blue, green, red = image[..., 0], image[..., 1], image[..., 2]
    luma, cg, co = red / 4 + green / 2 + blue / 4, -red / 4 + green / 2 - blue / 4, (red - blue) / 2
    planes = np.stack([luma, cg + 128, co + 128]).round().clip(0, 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
    frame.colorspace, frame.color_range = 8, 2
    shown = to_picture(frame, pixel_aspect=SQUARE, longer_side=320)
    assert np.abs(shown.astype(int) - image).max() <= 6


def test_ictcp_of_grey_is_the_grey_of_ycbcr() -> None:
    """The first channel of a grey is the same in both, the others say nothing."""
    grey = np.stack([np.full((8, 8), 140), *[np.full((8, 8), 128)] * 2]).astype(np.uint8)
    shown = []
    for matrix in (9, 14):
        frame = av.VideoFrame.from_ndarray(grey, format="yuv444p")
        frame.colorspace, frame.color_primaries, frame.color_trc = matrix, 9, PQ
        frame.color_range = 2
        shown.append(to_picture(frame, pixel_aspect=SQUARE, longer_side=320).astype(int))
    assert np.abs(shown[0] - shown[1]).max() <= 2
    assert np.ptp(shown[1], axis=2).max() <= 2


def test_side_data_that_is_not_known_here_hides_no_rotation() -> None:
    """PyAV names the kinds of side data that it knows and raises at others, such as EXIF."""

    class Frame:
        rotation = -90

        @property
        def side_data(self) -> object:
            message = "31 is not a valid Type"
            raise ValueError(message)

    image = scene(5, size=(40, 30))
    turned = upright(image, display_matrix(Frame()))  # type: ignore[arg-type]
    assert np.array_equal(np.rot90(turned, 1), image)
