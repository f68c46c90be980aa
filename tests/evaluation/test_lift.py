"""Lift: the ratio of the served lists to the best simple list, by lists that are known by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vidrec_tasks.evaluation.lift import measure_lift
from vidrec_tasks.evaluation.measures import measures_of
from vidrec_tasks.evaluation.offline import DEPTH, SERVED, Offline
from vidrec_tasks.measuring.metrics import PADDING, ranking_metrics

DRAWS: dict[str, int] = {"n_draws": 200, "seed": 1}
N_USERS = 30
AT_2 = 1 / np.log2(3)
"""NDCG@10 of one relevant video at rank 2."""


def lists(*ranks: int) -> npt.NDArray[np.int64]:
    """Lists with the relevant video, 7, at a rank; 0: without it."""
    ranked = np.tile(np.arange(100, 100 + DEPTH), (len(ranks), 1))
    for user, rank in enumerate(ranks):
        if rank:
            ranked[user, rank - 1] = 7
    return ranked


def measured(ranked: npt.NDArray[np.int64], relevant: list[set[int]] | None = None) -> Offline:
    relevant = [{7}] * len(ranked) if relevant is None else relevant
    table = ranking_metrics(ranked, relevant)
    return Offline({SERVED: table}, np.zeros(len(ranked), np.int64), ranked, relevant=relevant)


def lift_of(served: list[int], **simple: list[int]) -> dict[str, Any]:
    return measure_lift(
        measured(lists(*served)), {name: lists(*ranks) for name, ranks in simple.items()}, **DRAWS
    )


def test_the_lift_is_the_ratio_to_the_best_simple_list_on_the_same_users() -> None:
    said = lift_of([1] * N_USERS, popular_1d=[0] * N_USERS, item_knn=[2] * N_USERS)
    assert said["baseline"]["popular_1d"]["ndcg@10"]["value"] == 0
    assert said["baseline"]["item_knn"]["ndcg@10"] == pytest.approx(
        {"value": AT_2, "low": AT_2, "high": AT_2, "n_users": N_USERS}
    )
    assert said["lift"]["best"] == "item_knn"
    assert said["lift"]["ndcg@10"] == pytest.approx(
        {"value": 1 / AT_2, "low": 1 / AT_2, "high": 1 / AT_2, "n_users": N_USERS}
    )


def test_users_are_drawn_in_pairs_so_that_like_lists_have_no_doubt() -> None:
    ranks = [num % 4 for num in range(N_USERS)]
    ratio = lift_of(ranks, item_knn=ranks)["lift"]["ndcg@10"]
    assert (ratio["value"], ratio["low"], ratio["high"]) == (1, 1, 1)


def test_of_equally_good_simple_lists_the_first_is_the_best() -> None:
    said = lift_of([1] * 3, popular_3d=[2] * 3, popular_7d=[2] * 3)
    assert said["lift"]["best"] == "popular_3d"


def test_users_of_whom_nothing_is_asked_count_in_no_list() -> None:
    offline = measured(lists(1, 0, 1), [{7}, set(), {7}])
    said = measure_lift(offline, {"item_knn": lists(2, 1, 2)}, **DRAWS)
    assert said["lift"]["ndcg@10"]["n_users"] == 2
    assert said["lift"]["ndcg@10"]["value"] == pytest.approx(1 / AT_2)


def test_without_a_hit_of_a_simple_list_there_is_no_ratio() -> None:
    said = lift_of([1] * 3, item_knn=[0] * 3)
    assert said["lift"] == {"best": "item_knn"}
    assert [measure.name for measure in measures_of(said)] == ["baseline.item_knn.ndcg@10"]


def test_where_nobody_was_measured_nothing_is_said() -> None:
    nobody = measured(np.full((2, DEPTH), PADDING), [set(), set()])
    assert measure_lift(nobody, {"item_knn": lists(1, 1)}, **DRAWS) == {}


def test_the_numbers_have_names_of_their_own_among_the_measures() -> None:
    names = [m.name for m in measures_of(lift_of([1] * 3, popular_1d=[2] * 3))]
    assert names == ["baseline.popular_1d.ndcg@10", "lift.ndcg@10"]
