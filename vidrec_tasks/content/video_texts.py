"""Video texts: what of a video's row is read by the text encoder."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vidrec_tasks.columns import CATEGORIES, DESCRIPTION, TAGS, TITLE


def video_text(video: Mapping[Any, Any]) -> str:
    """What is read of a video: title, tags, categories, then the description, which may be cut."""
    words = [*_listed(video.get(TAGS)), *_listed(video.get(CATEGORIES))]
    parts = [video.get(TITLE), ", ".join(dict.fromkeys(words)), video.get(DESCRIPTION)]
    texts = [" ".join(part.split()) for part in parts if isinstance(part, str)]
    return ". ".join(part for part in texts if part)


def _listed(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, (list, tuple, np.ndarray)) else []
