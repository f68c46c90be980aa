"""Topics: what a video is about, in the words of its tags, else of its card."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from vidrec_tasks.audience.spans import spans
from vidrec_tasks.columns import CATEGORIES, TAGS

MAX_TOPICS: Final = 30
"""Topics kept a video, first named first."""


@dataclass(frozen=True)
class TopicLists(Sequence[list[str]]):
    """The topics of many videos, each name held once: lists of a million are 0.4 GiB of strings.

    Attributes:
        names: the topics, sorted.
        codes: ``(n,)`` int32, the topics of one video after another, as numbers of ``names``.
        starts: ``(n_videos + 1,)`` int64, where those of each video begin in ``codes``.
    """

    names: list[str]
    codes: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lists: Iterable[Sequence[str]]) -> "TopicLists":
        """Those of lists, looked at one after the other; these as they are."""
        if isinstance(lists, cls):
            return lists
        seen: dict[str, int] = {}
        codes, starts = array("i"), array("q", [0])
        for names in lists:
            codes.extend(seen.setdefault(name, len(seen)) for name in names)
            starts.append(len(codes))
        ordered = sorted(seen)
        place = np.empty(len(seen), dtype=np.int32)
        place[[seen[name] for name in ordered]] = np.arange(len(seen))
        return cls(
            ordered,
            place[np.frombuffer(codes, dtype=np.int32)] if codes else np.empty(0, np.int32),
            np.frombuffer(starts, dtype=np.int64),
        )

    def taken(self, nums: npt.NDArray[np.int64]) -> "TopicLists":
        """The lists of some numbers, in their order and as often; -1: an empty one."""
        starts = self.starts[nums]
        lengths = np.where(nums >= 0, self.starts[nums + 1] - starts, 0)
        begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return TopicLists(self.names, self.codes[spans(starts, lengths)], begins)

    @overload
    def __getitem__(self, num: int) -> list[str]: ...

    @overload
    def __getitem__(self, num: slice) -> "list[list[str]]": ...

    def __getitem__(self, num: int | slice) -> "list[str] | list[list[str]]":
        if isinstance(num, slice):
            return [self[one] for one in range(*num.indices(len(self)))]
        row = range(len(self))[num]
        return [self.names[code] for code in self.codes[self.starts[row] : self.starts[row + 1]]]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[list[str]]:
        for first, end in pairwise(self.starts.tolist()):
            yield [self.names[code] for code in self.codes[first:end].tolist()]


def video_topics(videos: pd.DataFrame, told: Sequence[Sequence[str] | None]) -> list[list[str]]:
    """The topics of each video: its tags and categories as they are, else those of its card.

    Args:
        videos: tags and categories, lists of text.
        told: for each video, in the order of ``videos``, the topics of its card, strongest first;
            None where it has none.

    Returns:
        Lower-case topics without repeats, at most `MAX_TOPICS` a video.
    """
    columns = zip(videos[TAGS], videos[CATEGORIES], told, strict=True)
    return [_clean([*tags, *categories]) or _clean(own or ()) for tags, categories, own in columns]


def topic_matrix(topics: Sequence[Sequence[str]]) -> tuple[sparse.csr_array, list[str]]:
    """Which video carries which topic.

    Returns:
        ``(n_videos, n_topics)`` float32 of ones, and the topics in order of their columns.
    """
    lists = TopicLists.of(topics)
    ones = np.ones(len(lists.codes), dtype=np.float32)
    shape = (len(lists), len(lists.names))
    # of its own: where a list repeats a topic, the array is made shorter in place
    starts = lists.starts.copy()
    carried = sparse.csr_array((ones, lists.codes.astype(np.int64), starts), shape=shape)
    carried.sum_duplicates()
    carried.data[:] = 1
    return carried, lists.names


def topic_idf(carried: sparse.csr_array) -> npt.NDArray[np.float64]:
    """``(n_topics,)`` how telling a topic is: near 0 for one that all videos carry."""
    n_videos = carried.shape[0]
    n_carrying = np.asarray(carried.sum(axis=0), dtype=np.float64).ravel()
    return np.log((n_videos + 0.5) / np.maximum(n_carrying, 1.0))


def telling_topics(carried: sparse.csr_array) -> sparse.csr_array:
    """``(n_videos, n_topics)`` what each video says of each topic that it carries.

    A video of twenty tags tells less of each than a video of one (1 / sqrt(n)), and a topic that
    every video carries tells nothing (`topic_idf`).

    Args:
        carried: as `topic_matrix` returns it.
    """
    spread = 1 / np.sqrt(np.maximum(np.asarray(carried.sum(axis=1)).ravel(), 1))
    told = sparse.diags_array(spread) @ carried @ sparse.diags_array(topic_idf(carried))
    return sparse.csr_array(told)


def _clean(names: Iterable[str]) -> list[str]:
    flat = (" ".join(name.casefold().split()) for name in names)
    return list(dict.fromkeys(name for name in flat if name))[:MAX_TOPICS]
