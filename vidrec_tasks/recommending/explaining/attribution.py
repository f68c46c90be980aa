"""Attribution: which of the videos a user watched a score came from, by leaving each out.

The whole score is computed again without the video, so the share is true of every scorer: what
matters little is guessed, and what may be named is computed by the code that made the score
(`ranker.score_falls`). Leaves the words to `explanations`.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories, join
from vidrec_tasks.columns import CITED, USER_ID, VIDEO_ID
from vidrec_tasks.errors import ModelError
from vidrec_tasks.recommending.lists.left_out import LeftOut
from vidrec_tasks.recommending.lists.ranker import score, score_falls
from vidrec_tasks.recommending.models.models import Models

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

N_ASKED: Final = 20
"""Most recent liked videos left out in turn: a user of 1,000 must not cost 50 times one of 20."""
N_CITED: Final = 3
"""Videos cited a row, largest share first."""
N_ROWS: Final = 1_024
"""Histories scored together: each has few videos to score, so they share the fixed costs."""
N_TOGETHER: Final = 4_096
"""The same of histories that share most of what they cost."""


def cite_history(
    models: Models, histories: Histories, lists: pd.DataFrame, *, scorer: str
) -> pd.DataFrame:
    """Add to each row of the lists what its score came from.

    Args:
        models: those that scored the lists.
        histories: those they were scored with.
        lists: user_id, video_id, rank; sorted by user and rank.
        scorer: the one that scored them.

    Returns:
        The lists with cited: ``[video_id, share]`` of at most `N_CITED` videos whose absence lowers
        the score, largest first; the shares are parts of all that was lowered and sum to 1 at most.
    """
    cited: list[list[list[Any]]] = [[] for _ in range(len(lists))]
    grouped = _by_user(models, histories, lists)
    for some in _by_bucket(histories, grouped):
        users = [histories.one(num) for num, _, _ in some]
        found = leave_one_out(models, users, [nums for _, _, nums in some], scorer=scorer)
        for (_, first, _), (asked, drops) in zip(some, found, strict=True):
            for place, drop in enumerate(drops):
                cited[first + place] = _cite(models, asked, drop)
    return lists.assign(**{CITED: pd.Series(cited, index=lists.index, dtype=object)})


def leave_one_out(
    models: Models, users: Sequence[Histories], nums: Sequence[Ints], *, scorer: str
) -> list[tuple[Ints, Floats]]:
    """How much each score falls without each watched video, as of `ranker.score_falls`.

    Args:
        models: what scores.
        users: one user each.
        nums: ``(k,)`` scored videos of each of them.
        scorer: which score.

    Returns:
        For each user ``(m,)`` video_nums left out in turn, newest last, and ``(k, m)`` the fall of
        each score.
    """
    asked = [last_liked(user) for user in users]
    found: list[tuple[Ints, Floats]] = []
    for some in _few_rows([1 + len(videos) for videos in asked]):
        block = LeftOut.of(models, join(users[some]), asked[some])
        wanted = _padded(nums[some])[block.owners]  # (n_rows, widest)
        falls = score_falls(block, wanted, scorer=scorer)
        starts = np.flatnonzero(block.without < 0)
        for own, scored, videos in zip(
            np.split(falls, starts[1:]), nums[some], asked[some], strict=True
        ):
            found.append((videos, own[1:].T[: len(scored)]))
    return found


def _few_rows(n_rows: Sequence[int]) -> Iterator[slice]:
    """Yield users who have few rows together: what lies between is bounded."""
    first = total = 0
    for user, n in enumerate(n_rows):
        if total and total + n > N_TOGETHER:
            yield slice(first, user)
            first, total = user, 0
        total += n
    if total:
        yield slice(first, len(n_rows))


def _padded(nums: Sequence[Ints]) -> Ints:
    """``(n_users, widest)`` the videos of each user, -1 behind."""
    padded = np.full((len(nums), max((len(own) for own in nums), default=0)), -1, dtype=np.int64)
    for place, own in enumerate(nums):
        padded[place, : len(own)] = own
    return padded


def score_rows(
    models: Models, rows: Sequence[tuple[Histories, Ints]], *, scorer: str
) -> list[Floats]:
    """The scores of some videos under each of many single-user histories.

    Args:
        models: what scores.
        rows: a history of one user and ``(k,)`` videos, in any number.
        scorer: which score.

    Returns:
        ``(k,)`` scores a row.
    """
    found: list[Floats] = []
    for first in range(0, len(rows), N_ROWS):
        some = rows[first : first + N_ROWS]
        asked = _padded([nums for _, nums in some])
        block = join([history for history, _ in some])
        scores = score(models, block, asked, scorer=scorer)  # (n_rows, widest)
        found += [row[: len(nums)] for row, (_, nums) in zip(scores, some, strict=True)]
    return found


_List = tuple[int, int, Ints]
"""A user_num, the row at which the user's list begins, and its videos."""


def _by_bucket(histories: Histories, grouped: list[_List]) -> Iterator[list[_List]]:
    """Yield the lists of each bucket's users: they are scored together, however users are split."""
    buckets: dict[int, list[_List]] = {}
    for one in grouped:
        buckets.setdefault(int(histories.buckets[one[0]]), []).append(one)
    return iter(buckets.values())


def _by_user(models: Models, histories: Histories, lists: pd.DataFrame) -> list[_List]:
    """Each user's list."""
    nums = models.content.nums_of(lists[VIDEO_ID])
    index = pd.Index(histories.user_ids)
    users = index.get_indexer(pd.Index(lists[USER_ID].to_numpy(dtype=object)))
    if (users < 0).any():
        unknown = lists[USER_ID][users < 0]
        message = (
            f"lists: {unknown.nunique():,} users have no history row, such as {unknown.iloc[0]}"
        )
        raise ModelError(message)
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    ends = [*starts[1:].tolist(), len(users)][: len(starts)]
    return [(int(users[s]), int(s), nums[s:e]) for s, e in zip(starts, ends, strict=True)]


def last_liked(user: Histories) -> Ints:
    """The videos that are left out in turn, newest last."""
    liked = user.video_nums[user.weights > 0]
    return np.array(list(dict.fromkeys(liked[::-1].tolist()))[:N_ASKED][::-1], dtype=np.int64)


def _cite(models: Models, asked: Ints, drops: Floats) -> list[list[Any]]:
    lowered = np.maximum(drops, 0)
    total = lowered.sum()
    order = np.argsort(-lowered, kind="stable")[:N_CITED]
    return [
        [str(models.content.video_ids[asked[place]]), round(float(lowered[place] / total), 6)]
        for place in order
        if total > 0 and lowered[place] > 1e-6 * total
    ]
