"""Parts of a score as columns and as dicts say the same."""

import numpy as np
import pandas as pd

from vidrec_tasks.recommending.lists.score_parts import of_row, to_columns, to_dicts

PARTS = np.array([[0.5, 0.0, -0.25], [0.0, 0.0, 0.0], [1e-9, 2.0, 0.0]])
SAID = [{"dot": 0.5, "fresh": -0.25}, {}, {"dot": 1e-9, "popular": 2.0}]


def table() -> pd.DataFrame:
    ids = pd.DataFrame({"video_id": ["v1", "v2", "v3"], "score": PARTS.sum(axis=1)})
    return ids.assign(**to_columns(PARTS, ("dot", "popular", "fresh")))


def test_parts_that_are_not_zero_come_back_under_their_names() -> None:
    assert to_dicts(table()).tolist() == SAID


def test_dicts_keep_the_index_of_the_rows_that_were_taken() -> None:
    taken = table().iloc[[2, 0]]
    assert to_dicts(taken).to_dict() == {2: SAID[2], 0: SAID[0]}


def test_one_row_says_what_the_whole_table_says() -> None:
    rows = table()
    assert [of_row(rows.iloc[num].to_dict()) for num in range(3)] == SAID


def test_a_table_without_parts_has_none() -> None:
    assert to_dicts(pd.DataFrame({"video_id": ["v1"], "score": [1.0]})).tolist() == [{}]
