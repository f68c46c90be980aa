"""Photographs: the pictures that scikit-image and scikit-learn ship, ready to be filmed.

Grey ones are tinted, so that grass is green. Nothing is downloaded.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidrec_tasks.errors import VidrecError

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """Where a photograph comes from.

    Attributes:
        loader: its function in `skimage.data`, or a file of scikit-learn's sample images.
        focus: where the subject is, as shares of width and height.
        tint: blue, green and red that a grey picture is multiplied with, or a name in `_PAINTERS`.
    """

    loader: str
    focus: tuple[float, float] = (0.5, 0.5)
    tint: tuple[float, float, float] | str = (1.0, 1.0, 1.0)


SOURCES: Final = {
    "cat": Source("cat", (0.50, 0.42)),
    "coffee": Source("coffee", (0.47, 0.48)),
    "rocket": Source("rocket", (0.50, 0.55)),
    "astronaut": Source("astronaut", (0.45, 0.35)),
    "motorcycle": Source("stereo_motorcycle:0", (0.52, 0.50)),
    "motorcycle right": Source("stereo_motorcycle:1", (0.48, 0.50)),
    "flower": Source("flower.jpg", (0.48, 0.45)),
    "grass": Source("grass", tint=(0.45, 1.05, 0.60)),
    "gravel": Source("gravel", tint=(0.72, 0.88, 1.00)),
    "brick": Source("brick", tint=(0.60, 0.75, 1.15)),
    "pagoda": Source("china.jpg", (0.33, 0.52)),
    "coins": Source("coins", tint=(0.72, 0.92, 1.10)),
    "moon": Source("moon", tint=(1.05, 1.00, 0.95)),
    "galaxy": Source("hubble_deep_field"),
    "camera": Source("camera", (0.36, 0.40), tint=(0.85, 0.95, 1.05)),
    "colour wheel": Source("colorwheel"),
    "tissue": Source("immunohistochemistry"),
    "retina": Source("retina"),
    "cell": Source("cell", (0.77, 0.52), tint=(1.05, 1.00, 0.75)),
    "horse": Source("horse", (0.50, 0.50), tint="dusk"),
    "handwriting": Source("text", tint=(0.90, 1.00, 1.10)),
    "page": Source("page", tint=(0.85, 0.95, 1.00)),
    "chessboard": Source("checkerboard", tint=(0.70, 0.85, 1.00)),
}
SHORT_SIDE: Final = 300
"""Pixels the shorter side has at least: a half of it still fills a frame of 180 pixels."""


@cache
def photograph(name: str) -> Image:
    """A photograph, BGR ``(height, width, 3)``; not to be written to.

    Raises:
        VidrecError: scikit-image or scikit-learn is not installed.
        KeyError: there is no photograph of that name.
    """
    source = SOURCES[name]
    image = _paint(_load(source.loader), source.tint)
    scale = max(1.0, SHORT_SIDE / min(image.shape[:2]))
    if scale > 1:
        larger = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        image = np.asarray(larger, dtype=np.uint8)
    image.setflags(write=False)
    return image


def _load(loader: str) -> npt.NDArray[Any]:
    try:
        if loader.endswith(".jpg"):
            from sklearn.datasets import load_sample_image

            return np.asarray(load_sample_image(loader))
        import skimage.data
    except ImportError as error:
        message = (
            f"demo: {error.name} is not installed and its photographs are needed; "
            "pip install -r requirements-demo.txt"
        )
        raise VidrecError(message) from error
    name, _, place = loader.partition(":")
    loaded = getattr(skimage.data, name)()
    return np.asarray(loaded[int(place)] if place else loaded)


def _paint(image: npt.NDArray[Any], tint: tuple[float, float, float] | str) -> Image:
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.ndim == 3:
        return np.ascontiguousarray(image[:, :, 2::-1], dtype=np.uint8)
    if tint == "dusk":
        return _at_dusk(image)
    tinted = image[:, :, None].astype(np.float32) * np.array(tint, dtype=np.float32)
    return np.clip(tinted, 0, 255).astype(np.uint8)


def _at_dusk(silhouette: Image) -> Image:
    """A dark shape on light ground, put before an evening sky and a meadow."""
    height, width = silhouette.shape
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    top, bottom = np.array([120, 70, 60]), np.array([90, 170, 250])
    ground = np.array([40, 70, 45], dtype=np.float32)
    scene = np.broadcast_to(top + (bottom - top) * sky, (height, width, 3)).copy()
    scene[int(0.88 * height) :] = ground
    shape = cv2.GaussianBlur(silhouette, (3, 3), 0)[:, :, None].astype(np.float32) / 255
    return np.clip(scene * shape + 18 * (1 - shape), 0, 255).astype(np.uint8)
