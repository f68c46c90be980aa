"""learn_vocabulary: the topics of the catalogue, from its tags and from what its videos say."""

import numpy as np
import pandas as pd

from vidrec_tasks.columns import CONCEPTS, KEY, SOURCE, VIDEO_ID
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.content.texts.passages import blocked_pattern
from vidrec_tasks.language.cards.sources import Sources, concepts_of, sources_of
from vidrec_tasks.language.cards.vocabulary import (
    MAX_VIDEOS,
    PHRASED,
    TAGGED,
    Floats,
)
from vidrec_tasks.language.cards.vocabulary import (
    learn_vocabulary as learn,
)
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.store.shards import hashes_of


@job()
def learn_vocabulary(context: Context) -> Made:
    """Learn from all videos, of a large catalogue from a draw; one shard is read at a time."""
    videos = context.read_table("videos")
    videos = _drawn(videos)
    read = [_read_shard(context, videos, n) for n in range(context.run.record.n_video_shards)]
    sources = {video_id: one for shard, _ in read for video_id, one in shard.items()}
    vectors = {video_id: row for _, rows in read for video_id, row in rows.items()}
    order = videos[VIDEO_ID].tolist()  # neither the number of shards nor their order decides
    vocabulary = learn(
        [sources[video_id] for video_id in order],
        np.array([vectors[video_id] for video_id in order], dtype=np.float32),
        known=_known(context),
    )
    table = vocabulary.table
    counts = {
        "videos": len(order),
        "topics": len(table),
        **{f"from_{source}": int((table[SOURCE] == source).sum()) for source in (TAGGED, PHRASED)},
    }
    info = {"n_catalogue": vocabulary.n_catalogue}
    return Made({"vocabulary": {"table": table, "info": info}}, counts)


def _drawn(videos: pd.DataFrame) -> pd.DataFrame:
    """All videos, or those with the smallest hashes: the same draw every night."""
    if len(videos) <= MAX_VIDEOS:
        return videos
    chosen = np.argsort(hashes_of(videos[VIDEO_ID]), kind="stable")[:MAX_VIDEOS]
    return videos.iloc[np.sort(chosen)].reset_index(drop=True)


def _read_shard(
    context: Context, videos: pd.DataFrame, shard: int
) -> tuple[dict[str, Sources], dict[str, Floats]]:
    """The sources and the vectors ``(dim,)`` of the drawn videos of a shard, by video_id."""
    table = context.read_rows(f"embeddings.{shard}", columns=[VIDEO_ID, CONCEPTS])
    vectors = context.read_array(f"embeddings.{shard}", TEXT.name)
    own = videos[videos[VIDEO_ID].isin(set(table[VIDEO_ID]))]
    passages = context.read_table(f"texts.{shard}")
    blocked = blocked_pattern(context.settings.texts.blocked_words)
    sources = sources_of(own, passages, concepts_of(table), blocked=blocked)
    ids = own[VIDEO_ID].tolist()
    nums = pd.Index(table[VIDEO_ID]).get_indexer(pd.Index(ids))
    rows = dict(zip(ids, vectors[nums], strict=True))
    return dict(zip(ids, sources, strict=True)), rows


def _known(context: Context) -> frozenset[str]:
    """Keys of the topics of the night before."""
    parent = context.parent("previous")
    if parent is None or parent.find("vocabulary") is None:
        return frozenset()
    return frozenset(parent.read_rows("vocabulary", columns=[KEY])[KEY])
