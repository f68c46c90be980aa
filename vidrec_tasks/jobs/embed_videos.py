"""embed_videos: the vectors of a shard's videos; what is known already is not embedded again."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import CHECKSUM, VIDEO_ID
from vidrec_tasks.content.embeddings import MEDIA_CHECKSUM, Embeddings, join
from vidrec_tasks.content.embeddings import embed_videos as embed
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.jobs.shared.images import Images
from vidrec_tasks.jobs.shared.videos import shard_videos
from vidrec_tasks.running.job import Context, Made, job, shards_left


@job()
def embed_videos(context: Context) -> Made:
    """Embed the new and changed texts and films of a shard; the rest is taken from before."""
    videos = shard_videos(context)
    keyframes = context.read_table(context.own("keyframes"))
    cache = context.store.cache("models")
    passages = context.read_table(context.own("texts"))
    embeddings, counts = embed(
        videos,
        keyframes,
        Encoders(context.settings.content, cache=cache),
        context.settings.content,
        read_image=Images(context.store).read,
        passages=passages,
        known=_known(context, videos, keyframes),
        blocks=context.run.record.video_split.buckets(videos[VIDEO_ID]),
    )
    return Made({context.own("embeddings"): embeddings.to_parts()}, counts)


def _known(context: Context, videos: pd.DataFrame, keyframes: pd.DataFrame) -> Embeddings | None:
    """The parent's embeddings of this shard's videos and films, however it was split."""
    parent = context.parent("features")
    if parent is None:
        return None
    parts = []
    for name in shards_left(parent, context.run, "embeddings", context.shard):
        part = Embeddings.from_parts(parent.parts(name))
        parts.append(part.only(_wanted(part.table, videos, keyframes)))
    widths = {tuple((n, v.shape[1]) for n, v in part.vectors.items()) for part in parts}
    return join(parts) if len(widths) == 1 else None


def _wanted(
    table: pd.DataFrame, videos: pd.DataFrame, keyframes: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """Which rows may save work: the same video, or the same film under another id."""
    films = set(keyframes[CHECKSUM])
    wanted = table[VIDEO_ID].isin(set(videos[VIDEO_ID])) | table[MEDIA_CHECKSUM].isin(films)
    return wanted.to_numpy(dtype=bool)
