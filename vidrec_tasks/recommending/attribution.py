"""Attribution: which of the videos a user watched a score came from, by leaving each out.

The whole score is computed again without the video, by the same code that made it, so the share is
true of every scorer. Leaves the words to `explanations`.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import CITED, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.candidates import BLOCK
from vidrec_tasks.recommending.models import Models, Scorer
from vidrec_tasks.recommending.ranker import score

N_ASKED: Final = 20
"""Most recent liked videos left out in turn: a user of 1,000 must not cost 50 times one of 20."""
N_CITED: Final = 3
"""Videos cited a row, largest share first."""


def cite_history(
    models: Models, histories: Histories, lists: pd.DataFrame, *, scorer: Scorer
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
    cited: list[list[list[Any]]] = []
    names = {str(user): num for num, user in enumerate(histories.user_ids)}
    for user_id, rows in lists.groupby(USER_ID, sort=False):
        nums = models.content.nums_of(rows[VIDEO_ID])
        user = histories.take(slice(names[str(user_id)], names[str(user_id)] + 1))
        asked, drops = leave_one_out(models, user, nums, scorer=scorer)
        cited += [_cite(models, asked, drop) for drop in drops]
    return lists.assign(**{CITED: pd.Series(cited, index=lists.index, dtype=object)})


def leave_one_out(
    models: Models, user: Histories, nums: npt.NDArray[np.int64], *, scorer: Scorer
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """How much each score falls without each watched video.

    Args:
        models: what scores.
        user: one user.
        nums: ``(k,)`` scored videos.
        scorer: which score.

    Returns:
        ``(m,)`` video_nums left out in turn, newest last, and ``(k, m)`` the fall of each score.
    """
    liked = user.video_nums[user.weights > 0]
    asked = np.array(list(dict.fromkeys(liked[::-1].tolist()))[:N_ASKED][::-1], dtype=np.int64)
    if not len(asked):
        return asked, np.zeros((len(nums), 0))
    whole = score_rows(models, [user], nums, scorer=scorer)[0]  # (k,)
    without = [user.where(user.video_nums != num) for num in asked]
    parts = score_rows(models, without, nums, scorer=scorer)  # (m, k)
    return asked, (whole[None, :] - parts).T


def score_rows(
    models: Models, rows: list[Histories], nums: npt.NDArray[np.int64], *, scorer: Scorer
) -> npt.NDArray[np.float64]:
    """``(n_rows, k)`` scores of the same videos for several single-user histories."""
    together = _stack(rows)
    scores = []
    for _, block in together.blocks(BLOCK):
        asked = np.broadcast_to(nums, (block.n_users, len(nums)))
        scores.append(score(models, block, asked, scorer=scorer).sum(axis=-1))
    return np.concatenate(scores)


def _stack(rows: list[Histories]) -> Histories:
    lengths = [row.n_events for row in rows]
    return Histories(
        np.array([f"{num:09d}" for num in range(len(rows))], dtype=object),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.concatenate([row.video_nums for row in rows]),
        np.concatenate([row.weights for row in rows]),
        np.concatenate([row.event_at for row in rows]),
    )


def _cite(
    models: Models, asked: npt.NDArray[np.int64], drops: npt.NDArray[np.float64]
) -> list[list[Any]]:
    lowered = np.maximum(drops, 0)
    total = lowered.sum()
    order = np.argsort(-lowered, kind="stable")[:N_CITED]
    return [
        [str(models.content.video_ids[asked[place]]), round(float(lowered[place] / total), 6)]
        for place in order
        if total > 0 and lowered[place] > 1e-6 * total
    ]
