"""Comparing: the ratio is of the same users, and only segments that are large enough speak."""

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.evaluation.comparing import MIN_USERS, compare, compare_scorers
from vidrec_tasks.evaluation.offline import SERVED, Offline

DRAWS = {"n_draws": 200, "seed": 1}


def offline(served: list[float], *, n_history: int = 3, **scorers: list[float]) -> Offline:
    def table(values: list[float]) -> pd.DataFrame:
        return pd.DataFrame({"user_num": range(len(values)), "ndcg@10": values})

    per_user = {name: table(values) for name, values in {SERVED: served, **scorers}.items()}
    return Offline(per_user, np.full(len(served), n_history), np.zeros((len(served), 0), int))


def test_a_fit_against_itself_is_level_beyond_doubt() -> None:
    same = offline([0.0, 1.0, 0.5] * 40)
    said = compare(same, same, **DRAWS)
    assert said["ndcg@10"] == pytest.approx(0.5)
    assert said["ratio"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n_users": 120.0}


def test_a_fit_that_is_half_as_good_everywhere_is_said_to_be() -> None:
    said = compare(offline([0.25] * 60), offline([0.5] * 60), **DRAWS)
    assert said["ratio"]["high"] == pytest.approx(0.5)
    assert said["segments"]["1-4 videos"]["value"] == pytest.approx(0.5)


def test_a_small_segment_is_not_compared() -> None:
    few = offline([0.5] * (MIN_USERS - 1))
    assert compare(few, few, **DRAWS)["segments"] == {}


def test_nobody_measured_leaves_no_number() -> None:
    nobody = offline([])
    assert compare(nobody, nobody, **DRAWS)["ratio"] == {"n_users": 0.0}


def test_a_scorer_is_held_against_the_best_of_the_others() -> None:
    found = offline([0.0] * 9, dot=[0.2] * 9, attention=[0.4] * 9, blend=[0.6] * 9)
    assert compare_scorers(found, "blend", **DRAWS)["value"] == pytest.approx(1.5)
    assert compare_scorers(found, "dot", **DRAWS)["value"] == pytest.approx(1 / 3)
