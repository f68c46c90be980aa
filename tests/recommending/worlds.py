"""A tiny world whose right answers are known: two tastes, and videos that belong to one of them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.catalogue.content import Content

NIGHT = pd.Timestamp("2026-09-10", tz="UTC")
CUT = int(NIGHT.timestamp())
N_VIDEOS = 24
"""The first half is of taste 0, the second of taste 1."""
N_USERS = 40
DIM = 8


def taste_of(num: int) -> int:
    return int(num >= N_VIDEOS // 2)


def catalogue(**changed: object) -> pd.DataFrame:
    """Videos v00 … v23; all visible everywhere, published 30 to 7 days before the night."""
    nums = np.arange(N_VIDEOS)
    table = pd.DataFrame(
        {
            "video_id": [f"v{num:02d}" for num in nums],
            "title": [f"Film {num}" for num in nums],
            "creator_id": [f"c{num % 6}" for num in nums],
            "duration_s": 60.0,
            "published_at": NIGHT - pd.to_timedelta(30 - nums, unit="D"),
            "expires_at": pd.Series([pd.NaT] * N_VIDEOS, dtype="datetime64[us, UTC]"),
            "status": "active",
            "age_rating": 0,
            "regions": [[] for _ in nums],
        }
    )
    return table.assign(**changed)


def content(videos: pd.DataFrame | None = None, groups: pd.DataFrame | None = None) -> Content:
    """Embeddings that point to the taste, with a little of the video's own."""
    own = np.random.default_rng(1).normal(size=(N_VIDEOS, DIM))
    own[:, 0] += [6.0 * (1 - taste_of(num)) for num in range(N_VIDEOS)]
    own[:, 1] += [6.0 * taste_of(num) for num in range(N_VIDEOS)]
    fused = (own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32)
    topics = [["cats"] if not taste_of(num) else ["space"] for num in range(N_VIDEOS)]
    return Content.of(catalogue() if videos is None else videos, fused, topics, groups)


def interactions(n_watched: int = 6, *, seed: int = 3) -> pd.DataFrame:
    """Each user watches videos of one taste; users of even number those of taste 0."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(N_USERS):
        own = np.arange(N_VIDEOS // 2) + (user % 2) * (N_VIDEOS // 2)
        for place, num in enumerate(rng.permutation(own)[:n_watched]):
            moment = NIGHT - pd.Timedelta(hours=4 * (n_watched - place) + user % 4)
            rows.append((f"u{user:02d}", int(num), moment, 1.0))
    return pd.DataFrame(rows, columns=["user_id", "video_num", "event_at", "weight"])


def histories(n_watched: int = 6, *, user_ids: npt.ArrayLike | None = None) -> Histories:
    return gather(interactions(n_watched), user_ids)


def users(**rows: tuple[str, float, bool]) -> pd.DataFrame:
    """``user_id=(region, max_age_rating, opted_out)``."""
    table = [(user, *row) for user, row in rows.items()]
    frame = pd.DataFrame(table, columns=["user_id", "region", "max_age_rating", "opted_out"])
    return frame.astype({"max_age_rating": "float64", "opted_out": bool})
