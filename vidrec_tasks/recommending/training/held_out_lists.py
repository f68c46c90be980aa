"""Held-out lists: how candidates were ranked at an earlier moment, and what was then liked of them.

What is learned of a whole list later in the night (`relevance_weight`) is learned from these: they
lie before the cut of the fit, so nothing that is measured is learned from.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import MOMENT, RANK, SCORE, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.scorers.scorer import Examples
from vidrec_tasks.recommending.training.held_out import Asked

N_KEPT: Final = 60
"""Rows of a user. If 50 of them are moved (``relevance_top`` at most), a row behind the first 60
cannot come among the best 10: the other ten stay before it."""
N_EVENTS: Final = "n_events"
N_RELEVANT: Final = "n_relevant"
IS_RELEVANT: Final = "is_relevant"
NDCG_WITHOUT_WORDS: Final = "ndcg_without_words"

_USERS: Final = {
    USER_ID: "str", MOMENT: "int64", N_EVENTS: "int64", N_RELEVANT: "int64",
    NDCG_WITHOUT_WORDS: "float64",
}  # fmt: skip
_ROWS: Final = {
    USER_ID: "str", VIDEO_ID: "str", RANK: "int64", SCORE: "float64", IS_RELEVANT: "bool",
}  # fmt: skip


@dataclass(frozen=True)
class HeldOutLists:
    """What a fit ranked for held-out users.

    Attributes:
        users: user_id, moment (seconds since 1970 UTC; nothing at or after it was known), n_events
            (before it), n_relevant (videos then liked, also those that are no candidates),
            ndcg_without_words (NDCG@10 of the same scorer, learned without features made of words).
        rows: user_id, video_id, rank (1 is best), score, is_relevant; `N_KEPT` a user at most.
    """

    users: pd.DataFrame
    rows: pd.DataFrame

    def to_parts(self) -> dict[str, pd.DataFrame]:
        """As tables, for the store."""
        return {"table": self.rows, "users": self.users}

    @classmethod
    def from_parts(cls, parts: Parts) -> "HeldOutLists":
        """What `to_parts` wrote."""
        return cls(parts.table("users"), parts.table("table"))


NO_LISTS: Final = HeldOutLists(
    pd.DataFrame(columns=list(_USERS)).astype(_USERS),
    pd.DataFrame(columns=list(_ROWS)).astype(_ROWS),
)
"""Of a fit that chose nothing."""


def list_held_out(
    content: Content,
    asked: Asked,
    examples: Examples,
    scores: npt.NDArray[np.float64],
    without_words: npt.NDArray[np.float32],
) -> HeldOutLists:
    """The best candidates of each held-out user.

    Args:
        content: the videos.
        asked: the users, as of the moment.
        examples: their candidates.
        scores: ``(n_users, k)`` as of `examples.listable`, learned from other events.
        without_words: ``(n_users,)`` NDCG@10 without the features made of words.
    """
    user_ids = asked.users.user_ids
    best = np.argsort(-scores, axis=1, kind="stable")[:, :N_KEPT]
    ranked = np.take_along_axis(scores, best, axis=1)
    users, places = np.nonzero(np.isfinite(ranked))
    cells = (users, best[users, places])
    users_table = pd.DataFrame(
        {
            USER_ID: user_ids,
            MOMENT: _moments(asked),
            N_EVENTS: np.diff(asked.users.offsets),
            N_RELEVANT: examples.n_relevant,
            NDCG_WITHOUT_WORDS: without_words,
        }
    )
    rows = pd.DataFrame(
        {
            USER_ID: user_ids[users],
            VIDEO_ID: content.video_ids[examples.nums[cells]],
            RANK: places + 1,
            SCORE: scores[cells],
            IS_RELEVANT: examples.relevant[cells],
        }
    )
    return HeldOutLists(users_table.astype(_USERS), rows.astype(_ROWS))


def _moments(asked: Asked) -> npt.NDArray[np.int64]:
    """``(n_users,)`` seconds since 1970 UTC from which nothing was known of each.

    Where the last event of each user is held out it may share its second with the one before, so
    that one does not count as known either.
    """
    users: Histories = asked.users
    if asked.cut is not None:
        return np.full(users.n_users, asked.cut, dtype=np.int64)
    last = np.maximum(users.offsets[1:] - 1, 0)
    has_any = np.diff(users.offsets) > 0
    return np.where(has_any, users.event_at[last] if users.n_events else 0, 0).astype(np.int64)
