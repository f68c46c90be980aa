"""Films that tests make: pictures whose place in time can be read back from them."""

import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Image = npt.NDArray[np.uint8]


def write_film(
    path: Path, images: Iterable[Image], *, fps: float = 25.0, codec: str = "mp4v"
) -> Path:
    """Write BGR images of one size as a film."""
    images = list(images)
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return path


def scene(seed: int, *, size: tuple[int, int] = (160, 90)) -> Image:
    """A picture of its own: blocks around one colour, the same for the same seed."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(20, 120, (6, 8, 3), dtype=np.uint8)
    blocks[..., rng.permutation(3)[: 1 + seed % 2]] += np.uint8(100)
    return np.asarray(cv2.resize(blocks, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def drifting(seed: int, n: int, *, size: tuple[int, int] = (160, 90), px: int = 2) -> list[Image]:
    """A camera that moves over a wide picture: like frames near in time, others far from it."""
    rng = np.random.default_rng(seed)
    width, height = size
    blocks = rng.integers(20, 236, (6, 8 + n * px // 20, 3), dtype=np.uint8)
    wide = cv2.resize(blocks, (width + n * px, height), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(wide[:, i * px : i * px + width]) for i in range(n)]


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg; the test is skipped where it is not installed."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True, timeout=120)


def average_colours(path: Path) -> list[float]:
    """Mean grey value of each frame of a film, read one after the other."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    means = []
    while True:
        is_whole, image = capture.read()
        if not is_whole:
            return means
        means.append(float(image.mean()))


Films = Callable[..., Path]
