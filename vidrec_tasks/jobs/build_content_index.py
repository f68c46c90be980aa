"""build_content_index: the catalogue's embeddings in one order, and the index over them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.topics import video_topics
from vidrec_tasks.columns import (
    CHECKSUM,
    CONCEPTS,
    TOPICS,
    VIDEO_ID,
    encoder_column,
    has_column,
)
from vidrec_tasks.content.embeddings import (
    TABLE_OF_MOMENTS,
    VECTORS_OF_MOMENTS,
    fuse_with_cards,
)
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.index import build_index
from vidrec_tasks.content.modalities.modality import Modality
from vidrec_tasks.content.modalities.registry import MODALITIES
from vidrec_tasks.contracts.artefacts import columns_of
from vidrec_tasks.errors import ContractError
from vidrec_tasks.night import maker_of
from vidrec_tasks.running.job import Context, Made, job

FUSED: Final = "fused"
CONTENT_COLUMNS = [
    VIDEO_ID,
    CHECKSUM,
    *(column(m.name) for m in MODALITIES for column in (encoder_column, has_column)),
    CONCEPTS,
]


@job()
def build_content_index(context: Context) -> Made:
    """Bring the shards' embeddings into the order of ``videos`` and index the fused ones."""
    videos = context.read_table("videos")
    table = context.read_tables("embeddings")
    rows = _rows_of(videos, table, "embeddings")
    table = table.iloc[rows][CONTENT_COLUMNS].reset_index(drop=True)
    cards = context.read_tables("cards", columns=[VIDEO_ID, TOPICS])
    in_order = _rows_of(videos, cards, "cards")
    topics = video_topics(videos, cards[TOPICS].iloc[in_order].tolist())
    table[TOPICS] = pd.Series(topics, dtype=object)
    vectors = {m.name: context.gather_arrays("embeddings", m.name, rows) for m in MODALITIES}
    if context.settings.content.card_weight:
        cards_in_order = context.gather_arrays("cards", "vectors", in_order)
        encoders = Encoders(context.settings.content)
        fused = fuse_with_cards(vectors, cards_in_order, encoders, context.settings.content)
    else:
        fused = np.array(context.gather_arrays("embeddings", FUSED, rows))
    index = build_index(fused, context.settings.content)
    moments = {m.moments: _moments(context, m) for m in MODALITIES if m.moments}
    artefacts: dict[str, dict[str, Any]] = {
        "content": {"table": table, **vectors, FUSED: fused},
        **moments,
        "content_index": {"index": index.poured(), "info": index.info},
    }
    counts = {
        "videos": len(table),
        **{f"with_{m.name}": int(table[has_column(m.name)].sum()) for m in MODALITIES},
        **{name: len(parts["table"]) for name, parts in moments.items()},
        "index": index.info["kind"],
        "recall": index.info["recall"],
    }
    return Made(artefacts, counts)


def _rows_of(videos: pd.DataFrame, table: pd.DataFrame, kind: str) -> npt.NDArray[np.intp]:
    """``(n_videos,)`` the row of each video in the tables of all shards of a kind.

    Raises:
        ContractError: a video has no row.
    """
    rows = pd.Index(table[VIDEO_ID]).get_indexer(pd.Index(videos[VIDEO_ID]))
    missing = videos[VIDEO_ID][rows < 0]
    if len(missing):
        message = (
            f"{kind}: {len(missing)} of {len(videos)} videos have none "
            f"(first: {missing.iloc[0]}); run {maker_of(kind).name} for every shard"
        )
        raise ContractError(message)
    return rows


def _moments(context: Context, modality: Modality) -> dict[str, Any]:
    """The moments of all shards with their vectors, by video and number.

    They are numbered in the second column that their artefact declares.
    """
    columns = columns_of(modality.moments)
    table = context.read_tables("embeddings", TABLE_OF_MOMENTS.format(modality.name))
    places, _ = pd.factorize(table[VIDEO_ID].to_numpy(dtype=object), sort=True)
    order = np.lexsort((table[columns[1]].to_numpy(), places))  # ids as texts of one width are wide
    table = table.iloc[order][columns].reset_index(drop=True)
    vectors = VECTORS_OF_MOMENTS.format(modality.name)
    return {"table": table, "vectors": context.gather_arrays("embeddings", vectors, order)}
