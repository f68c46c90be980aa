"""build_content_index: the catalogue's embeddings in one order, and the index over them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.topics import video_topics
from vidrec_tasks.columns import (
    AT_S,
    CHECKSUM,
    CONCEPTS,
    ENCODER,
    FRAME_NUM,
    HAS_FRAMES,
    HAS_TEXT,
    PATH,
    TOPICS,
    VIDEO_ID,
)
from vidrec_tasks.content.index import build_index
from vidrec_tasks.errors import ContractError
from vidrec_tasks.running.job import Context, Made, job

PARTS = ("text", "frame", "fused")
CONTENT_COLUMNS = [VIDEO_ID, HAS_TEXT, HAS_FRAMES, CHECKSUM, ENCODER, CONCEPTS]
FRAME_COLUMNS = [VIDEO_ID, FRAME_NUM, AT_S, PATH]


@job()
def build_content_index(context: Context) -> Made:
    """Bring the shards' embeddings into the order of ``videos`` and index the fused ones."""
    videos = context.read_table("videos")
    table = context.read_tables("embeddings")
    rows = _rows_of(videos, table)
    table = table.iloc[rows][CONTENT_COLUMNS].reset_index(drop=True)
    topics = video_topics(videos, table[CONCEPTS].tolist())
    table[TOPICS] = pd.Series(topics, dtype=object)
    matrices = {part: context.read_arrays("embeddings", part)[rows] for part in PARTS}
    index = build_index(matrices["fused"], context.settings.content)
    frames = _frames(context)
    artefacts: dict[str, dict[str, Any]] = {
        "content": {"table": table, **matrices},
        "frames": frames,
        "content_index": {"index": index.to_bytes(), "info": index.info},
    }
    counts = {
        "videos": len(table),
        "with_text": int(table[HAS_TEXT].sum()),
        "with_frames": int(table[HAS_FRAMES].sum()),
        "frames": len(frames["table"]),
        "index": index.info["kind"],
        "recall": index.info["recall"],
    }
    return Made(artefacts, counts)


def _rows_of(videos: pd.DataFrame, table: pd.DataFrame) -> npt.NDArray[np.intp]:
    """``(n_videos,)`` the row of each video in the embeddings of all shards.

    Raises:
        ContractError: a video has no row.
    """
    rows = pd.Index(table[VIDEO_ID]).get_indexer(pd.Index(videos[VIDEO_ID]))
    missing = videos[VIDEO_ID][rows < 0]
    if len(missing):
        message = (
            f"embeddings: {len(missing)} of {len(videos)} videos have none "
            f"(first: {missing.iloc[0]}); run embed_videos for every shard"
        )
        raise ContractError(message)
    return rows


def _frames(context: Context) -> dict[str, Any]:
    """The frames of all shards with their vectors, by video and number."""
    table = context.read_tables("embeddings", "frame_table")
    order = np.lexsort((table[FRAME_NUM].to_numpy(), table[VIDEO_ID].to_numpy(dtype=str)))
    vectors = context.read_arrays("embeddings", "frame_vectors")[order]
    table = table.iloc[order][FRAME_COLUMNS].reset_index(drop=True)
    return {"table": table, "vectors": vectors}
