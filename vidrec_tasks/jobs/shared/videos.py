"""The videos of a shard, as several jobs read them."""

import pandas as pd

from vidrec_tasks.columns import VIDEO_ID
from vidrec_tasks.running.job import Context


def shard_videos(context: Context) -> pd.DataFrame:
    """The videos of the context's shard, sorted by video_id."""
    videos = context.read_table("videos")
    shards = context.run.record.video_split.shards(videos[VIDEO_ID])
    return videos[shards == int(context.shard)].reset_index(drop=True)
