"""A small catalogue of several subjects, whose vectors say which belong together."""

from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.language.cards.sources import Sources, sources_of

SUBJECTS = {
    "street food": ("Street food of Osaka", "We taste street food at a night market"),
    "night sky": ("The night sky in August", "A small telescope shows Saturn in the night sky"),
    "steam engine": ("A steam engine at work", "An old steam engine pulls a train uphill"),
    "watercolour": ("Watercolour of a harbour", "Wet paper takes the watercolour"),
    "beehive": ("Inside a beehive", "A beehive hums beside the orchard"),
    "violin": ("A violin is repaired", "The luthier glues a cracked violin"),
}
FILLER = "This amazing day begins. An amazing story follows."
N_EACH = 5


def rows(**more: Any) -> dict[str, Any]:
    """A row of the catalogue."""
    empty = {
        "title": "", "description": "", "tags": [], "categories": [], "language": "en",
        "duration_s": 300.0, "age_rating": 0,
    }  # fmt: skip
    return {**empty, **more}


def passages(*said: tuple[str, str, str]) -> pd.DataFrame:
    """Passages (video_id, source, text), in English."""
    table = pd.DataFrame(list(said), columns=["video_id", "source", "text"], dtype="str")
    return table.assign(language="en")


def sources(*videos: dict[str, Any], **more: Any) -> list[Sources]:
    """The sources of rows, numbered v0, v1, …"""
    table = pd.DataFrame([{"video_id": f"v{num}", **row} for num, row in enumerate(videos)])
    said = more.pop("passages", passages())
    return sources_of(table, said, more.pop("concepts", {}), **more)


def catalogue() -> tuple[list[Sources], np.ndarray]:
    """Sources and vectors ``(n, 8)``: videos of a subject nearly parallel, subjects across."""
    videos, vectors = [], []
    rng = np.random.default_rng(3)
    for place, (title, text) in enumerate(SUBJECTS.values()):
        for num in range(N_EACH):
            videos.append(rows(title=f"{title} {num}", description=f"{text}, again. {FILLER}"))
            vector = 0.1 * rng.standard_normal(8)
            vector[place] += 1
            vectors.append(vector / np.linalg.norm(vector))
    return sources(*videos), np.array(vectors, dtype=np.float32)
