"""Searches a run's features: what answering a night's queries and a request have in common."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.recommending.lists.rules import allowed_in, visible
from vidrec_tasks.running.job import Context
from vidrec_tasks.searching.search import SearchIndex, search
from vidrec_tasks.settings import SearchingSettings, Settings
from vidrec_tasks.store.runs import Run


def search_features(
    features: Context | Run,
    queries: Sequence[str],
    settings: Settings,
    *,
    moment: pd.Timestamp,
    searching: SearchingSettings | None = None,
    cache: Path | None = None,
) -> pd.DataFrame:
    """Answer queries from the features of a run.

    Nobody knows who asks, so what is found may be shown to a user without region and age rating.

    Args:
        features: where the artefacts of the run are read.
        queries: different texts.
        settings: encoders, and how many videos a query gets.
        moment: videos that are not visible then are not found.
        searching: in place of ``settings.searching``.
        cache: a folder in which the encoders keep what they need again.
    """
    videos = features.read_table("videos")
    frames = features.read_array("frames", "vectors")  # (n_frames, dim)
    texts = features.read_array("content", "text")
    index = SearchIndex.of(videos, texts, features.read_table("frames"), frames)
    allowed = visible(videos, moment=moment) & allowed_in(
        videos, region="", max_age_rating=settings.recommending.default_max_age_rating
    )
    encoders = Encoders(settings.content, cache=cache)
    return search(
        index,
        queries,
        encoders.text.encode(queries),
        # a catalogue without films needs no frame encoder, which costs half a minute to get ready
        encoders.frame.encode_queries(queries)
        if len(frames)
        else np.zeros((len(queries), frames.shape[1]), np.float32),
        settings=searching or settings.searching,
        allowed=allowed,
    )
