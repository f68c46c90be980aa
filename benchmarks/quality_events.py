"""The events of `benchmarks.quality`: what counts as liked, and in which order.

Leaves splitting them to `benchmarks.quality`, so that every system learns from the same events.
"""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.topics import video_topics
from vidrec_tasks.columns import EVENT_AT, EVENT_TYPE, USER_ID, VIDEO_ID, VIDEO_NUM, WEIGHT
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.contracts.inputs import INTERACTIONS, VIDEOS
from vidrec_tasks.contracts.parsing import parse
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.measuring.splits import k_core
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.settings import AudienceSettings, ContentSettings
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import input_files


def load(preset: str, source: Path, *, seed: int = 7, **options: Any) -> tuple[Content, Histories]:
    """The videos and the first positive viewing of each by each user, 5-core, each counting 1.

    What is positive is said by `liked`; rows of equal time are in a drawn order (`shuffle_ties`).

    Args:
        preset: how the files are read.
        source: their folder.
        seed: of the order of rows of equal time.
        options: of the preset.
    """
    videos, events = read_events(preset, source, **options)
    events = shuffle_ties(liked(events, videos), seed=seed)
    events = events.drop_duplicates([USER_ID, VIDEO_ID])
    keep = k_core(pd.factorize(events[USER_ID])[0], pd.factorize(events[VIDEO_ID])[0], k=5)
    events = events[keep].reset_index(drop=True)
    videos = videos[videos[VIDEO_ID].isin(events[VIDEO_ID])].reset_index(drop=True)
    events[VIDEO_NUM] = pd.Index(videos[VIDEO_ID]).get_indexer(events[VIDEO_ID])
    events[WEIGHT] = 1.0
    return content_of(videos), gather(events)


def read_events(preset: str, source: Path, **options: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The catalogue of a preset, sorted by video_id, and its log, both as a night parses them."""
    with tempfile.TemporaryDirectory() as folder:
        import_data(preset, source, Path(folder) / "inputs", **options)
        videos, events = _read(Store(folder))
    return videos.sort_values(VIDEO_ID, ignore_index=True), events


def liked(events: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    """What counts as a positive viewing.

    In a log of ratings alone (movielens, and files of other presets that hold ratings) every
    rating counts, whatever its value: published protocols count them so, and figures can be
    compared. Elsewhere a visit counts whose weight is above 0, as the nightly jobs weigh it
    (`weigh`): impressions, dislikes, skips and what was watched for less long than usual do not.
    What is usual is told by the whole log: it says what is asked for, to all systems alike.

    Args:
        events: validated interactions.
        videos: the catalogue, sorted by video_id.

    Returns:
        user_id, video_id, event_at and more: a row for each rating, or for each positive visit.
    """
    if (events[EVENT_TYPE] == "rating").all():
        return events
    night = events[EVENT_AT].max().date() + timedelta(days=1)
    visits = weigh(events, videos, AudienceSettings(), night=night)
    return visits[visits[WEIGHT] > 0]


def shuffle_ties(events: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Events by user and time; those of one user at one time in an order drawn by the seed.

    The order of a file may tell what is asked for: MovieLens small is sorted by film within a
    second, so that the last row of it is the newest film more often than not.
    """
    drawn = events.assign(drawn=np.random.default_rng(seed).permutation(len(events)))
    ordered = drawn.sort_values([USER_ID, EVENT_AT, "drawn"], ignore_index=True)
    return ordered.drop(columns="drawn")


def tied_last_share(histories: Histories) -> float:
    """Share of the users whose last two events are of the same second: the last is a draw."""
    ends = histories.offsets[1:][np.diff(histories.offsets) >= 2]
    tied = histories.event_at[ends - 1] == histories.event_at[ends - 2]
    return float(tied.sum() / max(histories.n_users, 1))


def _read(store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    tables = []
    for table in (VIDEOS, INTERACTIONS):
        chunks = read_chunks(input_files(store, table.name), table=table.name)
        tables.append(pd.concat([parse(c.rows, table).rows for c in chunks], ignore_index=True))
    videos, events = tables
    return videos, events


def content_of(videos: pd.DataFrame) -> Content:
    """The videos of a catalogue with the embeddings of their texts."""
    texts = (videos["title"] + ". " + videos["description"]).str.slice(0, 1000)
    topics = video_topics(videos, [None] * len(videos))
    texts = [f"{text} {', '.join(names)}" for text, names in zip(texts, topics, strict=True)]
    fused = Encoders(ContentSettings()).text.encode(texts)
    return Content.of(videos, fused, topics)
