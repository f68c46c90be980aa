"""Titles: a video that is known is looked for by a sentence of its description.

The constants of the text search were looked at on every fourth video; these are not asked for here.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.searching.texts import TextIndex

_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_MIN_WORDS = 6
_MAX_LENGTH = 400


def measure(path: Path, encoders: Encoders, *, n_queries: int) -> dict[str, Any]:
    """MRR of description sentences over an index of titles.

    Args:
        path: csv with link, title and channel (the scraped description).
        encoders: as a night has them.
        n_queries: at most; spread evenly over the videos with a sentence.

    Returns:
        bm25 and vectors alone, fused, n_videos, n_queries.
    """
    videos = pd.read_csv(path).drop_duplicates("link").drop_duplicates("title")
    videos = videos.reset_index(drop=True)
    sentences = [_sentence(str(text), num) for num, text in enumerate(videos["channel"])]
    asked = [num for num, sentence in enumerate(sentences) if sentence and num % 4]
    asked = asked[:: max(1, -(-len(asked) // n_queries))]
    queries = [sentences[num] for num in asked]
    titles = [str(title) for title in videos["title"]]
    table = pd.DataFrame({"title": titles, "description": "", "tags": [[]] * len(titles)})
    index = TextIndex.of(table, encoders.text.encode(titles))
    words, meaning = index.words(queries), index.meaning(encoders.text.encode(queries))
    own = np.array(asked)
    return {
        "bm25": _mrr(words, own),
        "vectors": _mrr(meaning, own),
        "fused": _mrr(index.evidence(queries, words, meaning), own),
        "n_videos": len(titles),
        "n_queries": len(queries),
    }


def _sentence(text: str, num: int) -> str:
    """One sentence of a description: which one is drawn by the number of the video."""
    lines = text.split("\n")
    begin = next((place for place, line in enumerate(lines) if line.strip() == "SUBSCRIBE"), 0)
    kept = [line for line in lines[begin + 1 :] if line.strip() not in ("SHOW MORE", "LEARN MORE")]
    parts = [part.strip() for part in _END.split(_ADDRESS.sub("", "\n".join(kept)))]
    whole = [part for part in parts if len(re.findall(r"\w+", part)) >= _MIN_WORDS]
    if not whole:
        return ""
    return whole[int(np.random.default_rng(num).integers(len(whole)))][:_MAX_LENGTH]


def _mrr(scores: npt.NDArray[np.float32], own: npt.NDArray[np.int64]) -> float:
    """Equal scores share the mean of their ranks."""
    mine = scores[np.arange(len(own)), own][:, np.newaxis]
    ranks = 1 + (scores > mine).sum(axis=1) + ((scores == mine).sum(axis=1) - 1) / 2
    return round(float((1 / ranks).mean()), 4)
