"""Evidence: all that a gate may look at, of one night; leaves counting to those who counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from vidrec_tasks.columns import AGE_RATING, DEFAULT_SEGMENT, REGIONS, SEGMENT, VIDEO_ID
from vidrec_tasks.evaluation.list_counts import ListCounts
from vidrec_tasks.evaluation.list_shape import ListShape
from vidrec_tasks.settings import Settings


@dataclass(frozen=True)
class Volume:
    """Tonight's inputs beside those of the last published night.

    Attributes:
        events, users: what is there tonight, as a share of then; None: nothing to compare with.
        videos_gone: share of the videos of then that are not there tonight.
    """

    events: float | None = None
    users: float | None = None
    videos_gone: float | None = None


@dataclass(frozen=True)
class Evidence:
    """What was counted and measured of a night.

    Attributes:
        counts: of all user shards.
        metrics: name -> number (or a dict with ``value``), as `evaluate_lists` measured them; any
            may be absent.
        similar: video_id, rank, similar_video_id.
        fallbacks: segment, rank, video_id.
        videos: the catalogue of the night.
        rejects: table, row_num, reason.
        settings: the bounds.
        shape: of all user shards; of no users where it was not measured.
        visible: the videos of the catalogue that are active and not expired.
        volume: tonight's inputs beside those of the night before, if there is one.
    """

    counts: ListCounts
    metrics: Mapping[str, Any]
    similar: pd.DataFrame
    fallbacks: pd.DataFrame
    videos: pd.DataFrame
    rejects: pd.DataFrame
    settings: Settings
    shape: ListShape = field(default_factory=ListShape)
    visible: pd.Series = field(default_factory=lambda: pd.Series(dtype=str))
    volume: Volume = field(default_factory=Volume)

    def metric(self, name: str) -> float | None:
        """A metric as a number, if it was measured."""
        value = self.metrics.get(name)
        if isinstance(value, Mapping):
            value = value.get("value")
        if value is None or value != value:
            return None
        return float(value)

    @cached_property
    def default_list(self) -> pd.DataFrame:
        """The rows for readers who know nothing of the user."""
        return self.fallbacks[self.fallbacks[SEGMENT] == DEFAULT_SEGMENT]

    @cached_property
    def for_all(self) -> pd.Series:
        """The videos for every region and age."""
        everywhere = self.videos[REGIONS].map(len) == 0
        return self.videos.loc[everywhere & (self.videos[AGE_RATING] <= 0), VIDEO_ID]

    @property
    def n_visible(self) -> int:
        """How many videos are visible."""
        return len(self.visible)

    @cached_property
    def is_varied(self) -> bool:
        """Whether users and videos are enough for lists to differ."""
        return self.shape.is_telling(self.n_visible, self.settings.recommending.n)
