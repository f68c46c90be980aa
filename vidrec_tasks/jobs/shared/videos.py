"""The videos of a shard, as several jobs read them."""

import pandas as pd

from vidrec_tasks.columns import N_VIEWERS_RECENT, VIDEO_ID, encoder_column
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.running.job import Context
from vidrec_tasks.store.runs import Run


def shard_videos(context: Context) -> pd.DataFrame:
    """The videos of the context's shard, sorted by video_id."""
    videos = context.read_table("videos")
    shards = context.run.record.video_split.shards(videos[VIDEO_ID])
    return videos[shards == int(context.shard)].reset_index(drop=True)


def text_encoder_of(run: Run) -> str:
    """What embedded a run's texts; '' where its content is gone."""
    if run.find("content") is None:
        return ""
    content, column = run.read_table("content"), encoder_column(TEXT.name)
    return str(content[column].iloc[0]) if column in content else ""  # none before version 0.2


def viewers_of(context: Context) -> dict[str, int]:
    """Who watched lately, as the night before counted them."""
    previous = context.parent("previous")
    if previous is None or previous.find("popularity") is None:
        return {}
    table = previous.read_table("popularity")
    return dict(zip(table[VIDEO_ID], table[N_VIEWERS_RECENT].astype(int), strict=True))
