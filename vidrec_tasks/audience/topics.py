"""Topics: what a video is about, in the words of its tags, else of its card."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.columns import CATEGORIES, TAGS

MAX_TOPICS: Final = 30
"""Topics kept a video, first named first."""


def video_topics(videos: pd.DataFrame, told: Sequence[Sequence[str] | None]) -> list[list[str]]:
    """The topics of each video: its tags and categories as they are, else those of its card.

    Args:
        videos: tags and categories, lists of text.
        told: for each video, in the order of ``videos``, the topics of its card, strongest first;
            None where it has none.

    Returns:
        Lower-case topics without repeats, at most `MAX_TOPICS` a video.
    """
    columns = zip(videos[TAGS], videos[CATEGORIES], told, strict=True)
    return [_clean([*tags, *categories]) or _clean(own or ()) for tags, categories, own in columns]


def topic_matrix(topics: Sequence[Sequence[str]]) -> tuple[sparse.csr_array, list[str]]:
    """Which video carries which topic.

    Returns:
        ``(n_videos, n_topics)`` float32 of ones, and the topics in order of their columns.
    """
    names = sorted({topic for carried in topics for topic in carried})
    column_of = {name: column for column, name in enumerate(names)}
    columns = [sorted({column_of[topic] for topic in carried}) for carried in topics]
    offsets = np.concatenate([[0], np.cumsum([len(c) for c in columns])]).astype(np.int64)
    indices = np.array([column for row in columns for column in row], dtype=np.int64)
    ones = np.ones(len(indices), dtype=np.float32)
    return sparse.csr_array((ones, indices, offsets), shape=(len(topics), len(names))), names


def topic_idf(carried: sparse.csr_array) -> npt.NDArray[np.float64]:
    """``(n_topics,)`` how telling a topic is: near 0 for one that all videos carry."""
    n_videos = carried.shape[0]
    n_carrying = np.asarray(carried.sum(axis=0), dtype=np.float64).ravel()
    return np.log((n_videos + 0.5) / np.maximum(n_carrying, 1.0))


def telling_topics(carried: sparse.csr_array) -> sparse.csr_array:
    """``(n_videos, n_topics)`` what each video says of each topic that it carries.

    A video of twenty tags tells less of each than a video of one (1 / sqrt(n)), and a topic that
    every video carries tells nothing (`topic_idf`).

    Args:
        carried: as `topic_matrix` returns it.
    """
    spread = 1 / np.sqrt(np.maximum(np.asarray(carried.sum(axis=1)).ravel(), 1))
    told = sparse.diags_array(spread) @ carried @ sparse.diags_array(topic_idf(carried))
    return sparse.csr_array(told)


def _clean(names: Iterable[str]) -> list[str]:
    flat = (" ".join(name.casefold().split()) for name in names)
    return list(dict.fromkeys(name for name in flat if name))[:MAX_TOPICS]
