"""Parts of a score as the dicts that lists show: of listed rows, a twentieth of what is ranked.

TreeSHAP of everything that is ranked took longer than all other jobs of the lists together.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import USER_ID, VIDEO_ID
from vidrec_tasks.recommending.lists.ranker import blocks_of, pad, score_parts
from vidrec_tasks.recommending.lists.relevance import RELEVANCE
from vidrec_tasks.recommending.models.models import Models


def parts_of_rows(
    models: Models, histories: Histories, lists: pd.DataFrame, *, scorer: str
) -> pd.Series:
    """Name -> part of the score of each row, without those that are 0; they sum to the score.

    Args:
        models: those that scored the rows.
        histories: those they were scored with, in the same buckets.
        lists: user_id, video_id; one row a pair.
        scorer: the name of the scorer.

    Returns:
        Dicts, with the index of the lists.
    """
    rows = lists[[USER_ID, VIDEO_ID]].reset_index(drop=True)
    found = pd.Series([{}] * len(rows), index=rows.index, dtype=object)
    for block, users, mine in blocks_of(histories, rows):
        nums, places = pad(users, models.content.nums_of(mine[VIDEO_ID]), block.n_users)
        parts = score_parts(models, block, nums, scorer=scorer)
        dicts = to_dicts(parts.values[users, places], parts.names)
        found.loc[mine.index] = pd.Series(dicts, index=mine.index, dtype=object)
    return found.set_axis(lists.index)


def with_relevance(parts: pd.Series, relevance: pd.Series) -> pd.Series:
    """The parts of each row with what relevance added (`relevance.add_relevance`), if anything."""
    rows = zip(parts, relevance, strict=True)
    return pd.Series(
        [{**own, RELEVANCE: float(more)} if more else own for own, more in rows],
        index=parts.index,
        dtype=object,
    )


def to_dicts(values: npt.NDArray[np.float64], names: tuple[str, ...]) -> list[dict[str, float]]:
    """Name -> part of each row of ``(n_rows, n_parts)``, without those that are 0."""
    rows = values.tolist()
    return [{n: value for n, value in zip(names, row, strict=True) if value} for row in rows]
