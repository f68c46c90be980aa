"""The thumbnails of keyframes, as several jobs read them."""

import cv2
import numpy as np

from vidrec_tasks.content.encoding.encoders import Image
from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.store import Store


class Images:
    """Reads the thumbnails of keyframes.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self._place = store

    def read(self, path: str) -> Image:
        """The BGR image of a keyframe.

        Raises:
            StoreError: it is gone or no image.
        """
        folder = self._place.path("features", "keyframes")
        try:
            data = np.frombuffer(self._place.read(folder / path), dtype=np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
        except StoreError:
            image = None
        if image is None:
            message = (
                f"keyframes: the image {path} is gone or broken; remove its folder in "
                f"{folder} and run extract_keyframes with --force"
            )
            raise StoreError(message)
        return np.asarray(image, dtype=np.uint8)
