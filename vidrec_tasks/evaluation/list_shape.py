"""List shape: what all lists of a night have in common, and how far they moved since the last one.

Counts of shards add up, so a shard is in memory at a time. Shares no code with whoever makes the
lists; leaves bounds and verdicts to `gates`.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import pandas as pd

from vidrec_tasks.columns import USER_ID, VIDEO_ID

TOP_SHARE: Final = 0.01
MIN_USERS: Final = 20
"""Users from which the spread of lists tells anything: part of what these measures are, while the
setting `min_gate_users` says from when gates over shares and means are applied."""
MIN_VIDEOS_A_ROW: Final = 5
"""A catalogue of fewer videos a row of a list leaves lists little choice but to be alike."""


@dataclass
class ListShape:
    """Counts over user shards.

    Attributes:
        videos: video -> lists that it stands in.
        n_users: users with a list.
        n_before: rows of last night's lists of users who have one tonight too.
        n_kept: those of them whose video stands in the user's list tonight too.
        n_users_before: users with a list on both nights.
    """

    videos: Counter[str] = field(default_factory=Counter)
    n_users: int = 0
    n_before: int = 0
    n_kept: int = 0
    n_users_before: int = 0

    def __add__(self, other: "ListShape") -> "ListShape":
        return ListShape(
            self.videos + other.videos,
            self.n_users + other.n_users,
            self.n_before + other.n_before,
            self.n_kept + other.n_kept,
            self.n_users_before + other.n_users_before,
        )

    def is_telling(self, n_videos: int, n: int) -> bool:
        """Whether users and visible videos are enough for lists to differ at all."""
        return self.n_users >= MIN_USERS and n_videos >= MIN_VIDEOS_A_ROW * n

    def top_share(self, n_videos: int) -> float:
        """Share of all rows that the most listed 1% of ``n_videos`` visible videos take."""
        top = self.videos.most_common(ceil(TOP_SHARE * n_videos))
        return sum(n for _, n in top) / self.videos.total()

    def overlap(self) -> float:
        """Videos that two users' lists share on average, as a share of the mean length.

        Exact over all pairs: a video in c lists is shared by c(c - 1) ordered pairs.
        """
        shared = sum(n * (n - 1) for n in self.videos.values())
        length = self.videos.total() / self.n_users
        return shared / (self.n_users * (self.n_users - 1)) / length

    def coverage(self, n_videos: int) -> float:
        """Videos in any list, of those that rows and catalogue allow."""
        return len(self.videos) / min(n_videos, self.videos.total())

    def churn(self) -> float | None:
        """Share of last night's rows that are gone; None: too few users had a list then."""
        if self.n_users_before < MIN_USERS:
            return None
        return 1 - self.n_kept / self.n_before


def measure_shape(lists: pd.DataFrame, before: pd.DataFrame | None = None) -> ListShape:
    """Count one user shard.

    Args:
        lists: user_id, video_id of tonight's lists.
        before: the same of last night's lists; users of other shards do no harm.
    """
    rows = lists[[USER_ID, VIDEO_ID]].drop_duplicates()
    shape = ListShape(Counter(rows[VIDEO_ID].astype(str).tolist()), rows[USER_ID].nunique())
    if before is not None:
        theirs = before.loc[before[USER_ID].isin(rows[USER_ID]), [USER_ID, VIDEO_ID]]
        theirs = theirs.drop_duplicates()
        shape.n_before = len(theirs)
        shape.n_kept = len(theirs.merge(rows))
        shape.n_users_before = theirs[USER_ID].nunique()
    return shape
