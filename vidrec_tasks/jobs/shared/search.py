"""Searches a run's features: what answering a night's queries and a request have in common."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vidrec_tasks.columns import encoder_column
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.modality import Floats, Modality, Moments
from vidrec_tasks.content.modalities.registry import MODALITIES
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.errors import MissingArtefact, MissingPart, ModelError
from vidrec_tasks.recommending.lists.rules import allowed_in, visible
from vidrec_tasks.running.job import Context
from vidrec_tasks.searching.search import SearchIndex, search
from vidrec_tasks.settings import SearchingSettings, Settings
from vidrec_tasks.store.runs import Run

_PRECISION = re.compile(r"/[a-z]+\d+")


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

    Raises:
        ModelError: an encoder is another one than the vectors were made by.
    """
    videos = features.read_table("videos")
    text, others = features.read_array("content", TEXT.name), _others(features)
    index = SearchIndex.of(videos, text, others)
    allowed = visible(videos, moment=moment) & allowed_in(
        videos, region="", max_age_rating=settings.recommending.default_max_age_rating
    )
    encoders = Encoders(settings.content, cache=cache)
    has = {TEXT.name: text, **others}
    asked = [modality for modality in MODALITIES if modality.name in has]
    _refuse_others(features, asked, encoders)
    vectors = {m.name: _ask(m, has[m.name], queries, encoders) for m in asked}
    chosen = searching or settings.searching
    return search(index, queries, vectors, settings=chosen, allowed=allowed)


def _others(features: Context | Run) -> dict[str, Moments | Floats]:
    """Modality beside text -> what a run has of it; those younger than the run are left out."""
    found: dict[str, Moments | Floats] = {}
    for modality in MODALITIES:
        name, kind = modality.name, modality.moments
        if name == TEXT.name:
            continue
        try:
            found[name] = (
                Moments(features.read_table(kind), features.read_array(kind, "vectors"))
                if kind
                else features.read_array("content", name)
            )
        except (MissingPart, MissingArtefact):
            if encoder_column(name) in features.read_table("content"):
                raise
    return found


def _refuse_others(
    features: Context | Run, modalities: Sequence[Modality], encoders: Encoders
) -> None:
    """Refuse queries by another encoder than that of the vectors they are compared with.

    Raises:
        ModelError: a folder or a hub id of the night's settings holds another model now.
    """
    content = features.read_rows("content", as_text=True)  # topics and concepts stay as they are
    for modality in modalities:
        made = content.get(encoder_column(modality.name), pd.Series(dtype=str)).unique()
        names = {_without_precision(str(name)) for name in made} - {""}
        now = _without_precision(modality.identity(encoders)) if names else ""
        others = sorted(names - {now})
        if others:
            message = (
                f"search: the vectors of {modality.name} were made by {others[0]}, and the encoder "
                f"is {now} now; put the old one back, or run a night with the new one"
            )
            raise ModelError(message)


def _without_precision(identity: str) -> str:
    """Another machine may compute in another precision: such vectors can be compared."""
    return _PRECISION.sub("", identity)


def _ask(
    modality: Modality, has: Moments | Floats, queries: Sequence[str], encoders: Encoders
) -> Floats:
    """The vectors of queries ``(n_queries, dim)``."""
    vectors = has.vectors if isinstance(has, Moments) else has
    if np.any(vectors):
        return modality.encode_queries(queries, encoders)
    # a catalogue without films needs no frame encoder, which costs half a minute to get ready
    return np.zeros((len(queries), vectors.shape[1]), np.float32)
