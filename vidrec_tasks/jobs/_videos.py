"""The videos of a shard, as several jobs read them."""

import pandas as pd

from vidrec_tasks.columns import VIDEO_ID
from vidrec_tasks.jobs._job import Context
from vidrec_tasks.store.shards import shard_of


def shard_videos(context: Context) -> pd.DataFrame:
    """The videos of the context's shard, sorted by video_id."""
    videos: pd.DataFrame = context.read("videos")
    shards = shard_of(videos[VIDEO_ID], context.run.record.n_video_shards)
    return videos[shards == int(context.shard)].reset_index(drop=True)
