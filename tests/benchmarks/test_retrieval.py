from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.retrieval import figures_of, ranks_of, read_captions
from vidrec_tasks.errors import InputError


def test_the_rank_of_a_film_counts_ties_against_it() -> None:
    scores = np.array([[3, 2, 1], [2, 2, 1], [1, 2, 0]], dtype=np.float32)
    assert ranks_of(scores, np.ones(3, dtype=bool)).tolist() == [1, 2, 3]


def test_a_film_without_frames_is_never_found() -> None:
    scores = np.array([[0, 0.1], [0.1, 0.2]], dtype=np.float32)
    assert ranks_of(scores, np.array([False, True])).tolist() == [2, 1]


def test_figures_are_recalls_and_the_mean_reciprocal_rank() -> None:
    assert figures_of(np.array([1, 2, 10, 5])) == {"r@1": 0.25, "r@5": 0.75, "mrr": 0.45, "n": 4}


def test_captions_of_files_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    table = pd.DataFrame({"file": ["a.mp4", "b.mp4"], "caption": ["a", "b"], "more": [1, 2]})
    table.to_csv(tmp_path / "c.csv", index=False)
    assert read_captions(tmp_path / "c.csv", tmp_path).to_dict("list") == {
        "file": ["a.mp4"],
        "caption": ["a"],
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [("file,text\na,b\n", "caption"), ("file,caption\na,b\n", "none of the 1")],
)
def test_captions_that_cannot_be_used_say_why(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "c.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        read_captions(tmp_path / "c.csv", tmp_path)
