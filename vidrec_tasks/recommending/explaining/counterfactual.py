"""Counterfactual: is a score lower without the history it cites than without other history?

For a sample of rows the whole score is computed again without the cited videos, and without as many
videos drawn at random from the same history, by the code that made the score.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import CITED, EVIDENCE, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.explaining.attribution import Ints, score_rows
from vidrec_tasks.recommending.models.models import Models

N_ROWS: Final = 200
"""Rows looked at: an interval of 0.04 around a share of 0.9."""
N_DRAWS: Final = 20
"""Random draws that the cited videos are compared with, by their mean."""
MIN_HISTORY: Final = 5
"""Videos a history needs: of fewer, a random draw is the cited one too often."""


class Counterfactual(NamedTuple):
    """What was found: rows looked at, and those whose cited history mattered more."""

    n_rows: int
    n_lowered: int


def keep_named(explained: pd.DataFrame) -> pd.DataFrame:
    """The lists with only those of the cited videos that an explanation names.

    Args:
        explained: cited, and evidence (dict): ``cited`` is the video that the first sentence names.
    """
    named = [
        [[video_id, share] for video_id, share in cited if video_id == evidence.get("cited")]
        for cited, evidence in zip(explained[CITED], explained[EVIDENCE], strict=True)
    ]
    return explained.assign(**{CITED: pd.Series(named, index=explained.index, dtype=object)})


def compare_without_cited(
    models: Models,
    histories: Histories,
    lists: pd.DataFrame,
    *,
    scorer: str,
    rng: np.random.Generator,
    n_rows: int = N_ROWS,
) -> Counterfactual:
    """Compare leaving out what is cited with leaving out as many random videos of the history.

    Args:
        models: those that scored the lists.
        histories: those they were scored with.
        lists: user_id, video_id, cited (list of ``[video_id, share]``).
        scorer: the one that scored them.
        rng: draws the rows and the videos.
        n_rows: rows looked at, at most.
    """
    users = {str(user): num for num, user in enumerate(histories.user_ids)}
    n_watched = {user: len(set(_watched(histories, num))) for user, num in users.items()}
    long_enough = lists[USER_ID].astype(str).map(n_watched).fillna(0) >= MIN_HISTORY
    asked = np.flatnonzero(long_enough & lists[CITED].map(len).gt(0))
    asked = np.sort(rng.permutation(asked)[:n_rows])
    rows: list[tuple[Histories, Ints]] = []
    columns = (lists[name].iloc[asked] for name in (USER_ID, VIDEO_ID, CITED))
    for user_id, video_id, cited in zip(*columns, strict=True):
        user = histories.one(users[str(user_id)])
        scored, named = (_nums_of(models, ids) for ids in ([video_id], [v for v, _ in cited]))
        rows += [(history, scored) for history in _variants(user, named, rng)]
    scores = np.concatenate([np.zeros(0), *score_rows(models, rows, scorer=scorer)])
    parts = scores.reshape(len(asked), 2 + N_DRAWS)  # whole, without cited, without each draw
    falls = parts[:, :1] - parts[:, 1:]
    return Counterfactual(len(asked), int((falls[:, 0] > falls[:, 1:].mean(axis=1)).sum()))


def _variants(user: Histories, cited: Ints, rng: np.random.Generator) -> list[Histories]:
    """The history whole, without the cited videos, and without each draw of as many."""
    watched = np.unique(user.video_nums)
    n_drawn = min(len(cited), len(watched))
    draws = [rng.choice(watched, size=n_drawn, replace=False) for _ in range(N_DRAWS)]
    return [user, *(user.where(~np.isin(user.video_nums, gone)) for gone in (cited, *draws))]


def _nums_of(models: Models, video_ids: Sequence[str]) -> Ints:
    return models.content.nums_of(pd.Series(list(video_ids), dtype="str"))


def _watched(histories: Histories, num: int) -> Sequence[Any]:
    return histories.video_nums[histories.of(num)].tolist()
