"""Relevance in a score: what a language model's log odds add to the score of a judged row.

The log odds of a user's judged rows are taken from their own mean, so that a model which says yes
to everything moves nothing, in units of their usual spread and within `LIMIT` of them, so that no
title can flatter itself to the top. Leaves asking to `language.judging` and what it is worth to
`training.relevance_weight`.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import LOG_ODDS, SCORE, USER_ID, VIDEO_ID

RELEVANCE: Final = "relevance"
"""The part of a score."""
LIMIT: Final = 3.0
"""Spreads by which log odds may lie from the mean of a list."""
NOTHING: Final[Mapping[str, Any]] = {"weight": 0.0, "spread": 1.0, "measured": {}}
"""What is learned where nothing was asked."""

Doubles = npt.NDArray[np.float64]


def centred(judged: pd.DataFrame) -> pd.Series:
    """Log odds less the mean of the user's judged rows.

    Args:
        judged: user_id, log_odds.
    """
    return judged[LOG_ODDS] - judged.groupby(USER_ID)[LOG_ODDS].transform("mean")


def standardised(judged: pd.DataFrame, spread: float) -> Doubles:
    """``(n_rows,)`` log odds in spreads from the mean of the user's rows, within `LIMIT`.

    Args:
        judged: user_id, log_odds.
        spread: usual distance from the mean, above 0.
    """
    return np.clip(centred(judged).to_numpy(np.float64) / spread, -LIMIT, LIMIT)


def add_relevance(
    ranked: pd.DataFrame, judged: pd.DataFrame, learned: Mapping[str, Any]
) -> pd.DataFrame:
    """Add the part to the scores of judged rows, and order each user's rows again.

    Args:
        ranked: user_id, video_id, score, by user and falling score; other columns are kept.
        judged: user_id, video_id, log_odds; a row that is not ranked is nothing.
        learned: ``weight`` and ``spread``.

    Returns:
        The rows with a column `RELEVANCE`: 0 where a row was not judged. Where nothing is added,
        the rows as they are, in their order.
    """
    if judged.empty or not learned["weight"]:
        return ranked.assign(**{RELEVANCE: 0.0})
    parts = learned["weight"] * standardised(judged, learned["spread"])
    cells = pd.MultiIndex.from_frame(judged[[USER_ID, VIDEO_ID]].astype(object))
    own = pd.MultiIndex.from_frame(ranked[[USER_ID, VIDEO_ID]].astype(object))
    added = pd.Series(parts, index=cells).reindex(own).fillna(0.0).to_numpy(np.float64)
    scores = ranked[SCORE].to_numpy(np.float64) + added
    users, _ = pd.factorize(ranked[USER_ID])
    order = np.lexsort((-scores, users))  # stable: equal scores stay as they were
    table = ranked.assign(**{SCORE: scores, RELEVANCE: added})
    return table.iloc[order].reset_index(drop=True)
