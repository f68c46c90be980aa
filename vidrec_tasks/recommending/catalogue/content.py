"""Content: what the models know of the videos, row by row; knows no user.

Leaves encoding and finding duplicates to the room `content`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.audience.histories import epoch_seconds
from vidrec_tasks.audience.portrait_passages import common_direction
from vidrec_tasks.audience.topics import telling_topics, topic_idf, topic_matrix
from vidrec_tasks.columns import CREATOR_ID, DURATION_S, GROUP_ID, PUBLISHED_AT, VIDEO_ID
from vidrec_tasks.content.encoding.units import rows_with_content, summed, to_unit
from vidrec_tasks.measuring.lists import share_rows


@dataclass(frozen=True)
class Content:
    """The videos of a night; a video's row here is its ``video_num``.

    Attributes:
        video_ids: ``(n_videos,)`` str, sorted.
        fused: ``(n_videos, dim)`` float32, unit rows; a zero row says nothing is known.
        topics: topics of each video, may be empty.
        creator_ids: ``(n_videos,)`` str, '' unknown.
        published_at_s: ``(n_videos,)`` int64, seconds since 1970 UTC, 0 unknown.
        duration_s: ``(n_videos,)`` float32, NaN unknown.
        group_nums: ``(n_videos,)`` int64, number of the near-duplicate group, -1 for none.
    """

    video_ids: npt.NDArray[np.object_]
    fused: npt.NDArray[np.float32]
    topics: Sequence[Sequence[str]]
    creator_ids: npt.NDArray[np.object_]
    published_at_s: npt.NDArray[np.int64]
    duration_s: npt.NDArray[np.float32]
    group_nums: npt.NDArray[np.int64]
    _index: list[pd.Index] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        videos: pd.DataFrame,
        fused: npt.NDArray[np.float32],
        topics: Sequence[Sequence[str]] | None = None,
        duplicates: pd.DataFrame | None = None,
    ) -> "Content":
        """Content of a validated catalogue.

        Args:
            videos: one row a video, sorted by video_id: video_id, creator_id, published_at,
                duration_s.
            fused: ``(n_videos, dim)`` in the order of ``videos``.
            topics: topics of each video in the order of ``videos``; none by default.
            duplicates: video_id, group_id of near-duplicates; none by default.
        """
        published = videos[PUBLISHED_AT]
        seconds = np.where(published.isna(), 0, epoch_seconds(published))
        return cls(
            videos[VIDEO_ID].to_numpy(dtype=object),
            np.ascontiguousarray(fused, dtype=np.float32),
            [[] for _ in range(len(videos))] if topics is None else topics,
            _named_once(videos[CREATOR_ID]),
            seconds.astype(np.int64),
            videos[DURATION_S].to_numpy(dtype=np.float32),
            _group_nums(videos[VIDEO_ID], duplicates),
        )

    @cached_property
    def topic_shares(self) -> sparse.csr_array:
        """``(n_videos, n_topics)`` each video's topics in equal shares; a row without is empty."""
        return share_rows(self.carried)

    @cached_property
    def telling(self) -> sparse.csr_array:
        """``(n_videos, n_topics)`` what each video says of its topics (`topics.telling_topics`)."""
        return telling_topics(self.carried)

    @cached_property
    def topic_vectors(self) -> npt.NDArray[np.float32]:
        """``(n_topics, dim)`` unit rows: the direction of the videos that carry each topic."""
        return to_unit(summed(self.telling.T, self.fused))

    @cached_property
    def topic_idf(self) -> npt.NDArray[np.float64]:
        """``(n_topics,)`` how telling each topic is (`topics.topic_idf`)."""
        return topic_idf(self.carried)

    @cached_property
    def common_topic(self) -> npt.NDArray[np.float32]:
        """``(dim,)`` what the directions of topics have in common; zero of few."""
        return common_direction(self.topic_vectors)

    @cached_property
    def common_video(self) -> npt.NDArray[np.float32]:
        """``(dim,)`` what the embeddings of videos have in common; zero of few."""
        return common_direction(self.fused)

    @cached_property
    def carried(self) -> sparse.csr_array:
        """``(n_videos, n_topics)`` ones where a video carries a topic."""
        return topic_matrix(self.topics)[0]

    @cached_property
    def creator_nums(self) -> npt.NDArray[np.int64]:
        """``(n_videos,)`` number of each video's creator, by name from 0; -1 unknown."""
        nums, names = pd.factorize(self.creator_ids, sort=True)
        return np.where((names == "")[nums], -1, nums).astype(np.int64)

    @property
    def n_videos(self) -> int:
        """Number of videos."""
        return len(self.video_ids)

    @cached_property
    def known_nums(self) -> npt.NDArray[np.int64]:
        """``(n,)`` the videos of which anything is known that they show or say."""
        return rows_with_content(self.fused)

    def nums_of(self, video_ids: npt.ArrayLike | pd.Series) -> npt.NDArray[np.int64]:
        """The video_num of each id, -1 where the id is not in the catalogue."""
        if not self._index:
            self._index.append(pd.Index(self.video_ids))
        nums = self._index[0].get_indexer(pd.Index(np.asarray(video_ids, dtype=object)))
        return nums.astype(np.int64)


def _named_once(names: pd.Series) -> npt.NDArray[np.object_]:
    """The values of a column, equal ones as one and the same object."""
    codes, kinds = pd.factorize(names)
    return np.asarray(kinds.to_numpy(dtype=object)[codes], dtype=object)


def _group_nums(video_ids: pd.Series, duplicates: pd.DataFrame | None) -> npt.NDArray[np.int64]:
    if duplicates is None or duplicates.empty:
        return np.full(len(video_ids), -1, dtype=np.int64)
    groups = dict(zip(duplicates[VIDEO_ID], duplicates[GROUP_ID], strict=True))
    names = sorted(set(groups.values()))
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers.get(groups.get(v), -1) for v in video_ids], dtype=np.int64)
