"""Offline evaluation: the real lists of a world of two tastes, and sums that are known by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, fit
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.evaluation.offline import (
    DEPTH,
    SERVED,
    Offline,
    as_matrix,
    evaluate_offline,
    summarise_offline,
)
from vidrec_tasks.measuring.metrics import PADDING, ranking_metrics
from vidrec_tasks.measuring.splits import time_split
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models

N_ASKED = 12
"""Users who are measured: half of each taste."""


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def some(n: int = N_ASKED) -> Histories:
    return worlds.histories().take(np.arange(n))


def rest_of_taste(histories: Histories) -> list[np.ndarray]:
    """What each user has not watched of their own taste."""
    own = [np.arange(12) + 12 * (int(user[1:]) % 2) for user in histories.user_ids]
    seen = [histories.video_nums[histories.of(num)] for num in range(histories.n_users)]
    return [np.setdiff1d(mine, met) for mine, met in zip(own, seen, strict=True)]


def rules(videos: pd.DataFrame | None = None, **users: tuple[str, float, bool]) -> UserRules:
    return UserRules(
        worlds.catalogue() if videos is None else videos,
        worlds.users(**users),
        moment=worlds.NIGHT,
        default_max_age_rating=18,
    )


def evaluate(models: Models, held_out: list[np.ndarray] | None = None, **more: object) -> Offline:
    histories = some()
    held_out = rest_of_taste(histories) if held_out is None else held_out
    told = {"rules": rules(), "settings": SETTINGS, **more}
    return evaluate_offline(models, histories, held_out, told["rules"], told["settings"])


@pytest.fixture(scope="module")
def offline(models: Models) -> Offline:
    return evaluate(models)


def test_every_scorer_and_the_served_lists_are_measured_on_every_user(offline: Offline) -> None:
    assert set(offline.per_user) == {*SCORER_NAMES, SERVED}
    for table in offline.per_user.values():
        assert table["user_num"].tolist() == list(range(N_ASKED))
        assert table["n_relevant"].tolist() == [6] * N_ASKED
    assert offline.n_history.tolist() == [6] * N_ASKED


def test_in_a_world_of_two_tastes_the_lists_hold_the_users_own(offline: Offline) -> None:
    for name, table in offline.per_user.items():
        assert table["hr@10"].mean() == 1, name
        assert table["ndcg@10"].mean() > 0.8, name


def test_asked_for_the_other_taste_the_same_lists_do_worse(
    models: Models, offline: Offline
) -> None:
    other = [(nums + 12) % worlds.N_VIDEOS for nums in rest_of_taste(some())]
    wrong = evaluate(models, other)
    np.testing.assert_array_equal(wrong.served, offline.served)
    assert wrong.per_user[SERVED]["ndcg@10"].mean() < 0.5


def test_the_served_lists_are_as_long_as_they_are_published_and_measured_as_they_are(
    offline: Offline,
) -> None:
    assert offline.served.shape == (N_ASKED, DEPTH)
    assert (offline.served[:, : SETTINGS.n] != PADDING).all()
    assert (offline.served[:, SETTINGS.n :] == PADDING).all()
    again = ranking_metrics(offline.served, [set(nums) for nums in rest_of_taste(some())])
    pd.testing.assert_frame_equal(offline.per_user[SERVED], again)


def test_no_list_holds_what_was_watched_before(offline: Offline) -> None:
    histories = some()
    for user, row in enumerate(offline.served):
        assert set(row).isdisjoint(histories.video_nums[histories.of(user)])


def test_who_liked_nothing_new_is_not_measured_but_has_a_list(models: Models) -> None:
    held_out = rest_of_taste(some())
    held_out[3] = np.empty(0, dtype=np.int64)
    found = evaluate(models, held_out)
    assert 3 not in found.per_user[SERVED]["user_num"].tolist()
    assert len(found.per_user[SERVED]) == N_ASKED - 1
    assert found.served[3, 0] != PADDING


def test_a_video_that_may_not_be_shown_is_neither_listed_nor_asked_for(models: Models) -> None:
    unborn = worlds.catalogue()["published_at"].mask(np.arange(24) == 3, worlds.NIGHT)
    videos = worlds.catalogue(published_at=unborn)
    found = evaluate(models, rules=rules(videos, u01=("", 18.0, False)))
    assert 3 not in found.served
    asked = [len(nums) - (3 in nums) for nums in rest_of_taste(some())]
    assert found.per_user[SERVED]["n_relevant"].tolist() == asked
    assert min(asked) == 5


def test_users_are_measured_alike_in_blocks_of_any_size(
    models: Models, offline: Offline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.audience.histories.BLOCK", 5)
    found = evaluate(models)
    np.testing.assert_array_equal(found.served, offline.served)
    for name, table in offline.per_user.items():
        pd.testing.assert_frame_equal(found.per_user[name], table)


def test_nobody_to_measure_gives_empty_tables(models: Models) -> None:
    found = evaluate_offline(models, some(0), [], rules(), SETTINGS)
    assert all(table.empty for table in found.per_user.values())
    assert found.served.shape == (0, DEPTH)


def test_the_future_of_the_cut_changes_no_list() -> None:
    """Models, histories and lists as of the cut, with and without what came after it."""
    cut = worlds.CUT - 6 * 3600
    known = worlds.interactions()
    later = known.assign(event_at=worlds.NIGHT, video_num=(known["video_num"] + 12) % 24)
    found = []
    for table in (known, pd.concat([known, later], ignore_index=True)):
        histories = gather(table)
        split = time_split(histories, cut=cut)
        users = split.train.take(np.arange(N_ASKED))
        moment = fit(histories, cut=cut)
        asked = [nums[:1] for nums in split.held_out[:N_ASKED]]
        found.append(evaluate_offline(moment, users, asked, rules(), SETTINGS))
    np.testing.assert_array_equal(found[0].served, found[1].served)
    np.testing.assert_array_equal(found[0].n_history, found[1].n_history)


def test_a_list_becomes_a_row_by_rank_whatever_the_order_of_its_rows(models: Models) -> None:
    rows = [("u01", 2, "v05"), ("u00", 1, "v23"), ("u01", 1, "v00"), ("u01", 21, "v09")]
    table = pd.DataFrame(rows, columns=["user_id", "rank", "video_id"])
    found = as_matrix(table, some(3), models)
    expected = np.full((3, DEPTH), PADDING)
    expected[0, 0], expected[1, 0], expected[1, 1] = 23, 0, 5
    np.testing.assert_array_equal(found, expected)


def measured(*hits: float, n_history: list[int]) -> Offline:
    """An evaluation of users of whom nothing but the hit is known."""
    names = ("ndcg@10", "hr@10", "recall@20")
    table = pd.DataFrame({"user_num": range(len(hits)), "n_relevant": 1} | {n: hits for n in names})
    served = np.full((len(hits), DEPTH), PADDING)
    return Offline({"dot": table, SERVED: table}, np.array(n_history), served)


def test_cold_recall_counts_only_what_nobody_had_liked(models: Models) -> None:
    n_users = models.popularity.n_users.copy()
    n_users[[0, 23]] = 0
    cold = replace(models, popularity=replace(models.popularity, n_users=n_users))
    asked = [np.array([0, 1]), np.array([23, 5]), np.array([2, 3])]
    found = evaluate_offline(cold, some(3), asked, rules(), SETTINGS)
    met = {0: {0}, 1: {23}}
    wanted = [met.get(user, set()) for user in range(3)]
    expected = ranking_metrics(found.served, wanted)
    pd.testing.assert_frame_equal(found.cold, expected)
    said = summarise_offline(found, n_draws=50, seed=1)["cold_recall@20"]
    assert said["n_users"] == 2
    assert said["value"] == pytest.approx(expected["recall@20"].mean())


def test_without_a_cold_video_nothing_is_said_of_them(models: Models) -> None:
    found = evaluate_offline(models, some(3), [np.array([1])] * 3, rules(), SETTINGS)
    assert "cold_recall@20" not in summarise_offline(found, n_draws=50, seed=1)


def test_users_fall_into_segments_by_how_much_they_had_watched() -> None:
    found = measured(0, 1, 1, 0, 1, 0, 1, n_history=[0, 1, 4, 5, 19, 20, 300])
    segments = summarise_offline(found, n_draws=50, seed=1)["segments"]
    assert {name: (said["n_users"], said["hr@10"]) for name, said in segments.items()} == {
        "no history": (1, 0),
        "1-4 videos": (2, 1),
        "5-19 videos": (2, 0.5),
        "20 videos and more": (2, 0.5),
    }


def test_a_segment_follows_the_user_not_the_row() -> None:
    found = measured(1.0, n_history=[0, 0, 50])
    found.per_user[SERVED]["user_num"] = 2
    segments = summarise_offline(found, n_draws=50, seed=1)["segments"]
    assert list(segments) == ["20 videos and more"]


def test_a_summary_names_metric_and_scorer_and_bounds_the_mean() -> None:
    found = measured(0, 1, 1, 0, 1, 1, 1, 1, n_history=[1] * 8)
    said = summarise_offline(found, n_draws=200, seed=1)
    assert set(said) == {
        f"{metric}.{name}" for metric in ("ndcg@10", "hr@10", "recall@20")
        for name in ("dot", SERVED)
    } | {"segments"}  # fmt: skip
    value = said["hr@10.dot"]
    assert (value["value"], value["n_users"]) == (0.75, 8)
    assert 0 < value["low"] < 0.75 < value["high"] <= 1
    assert said["hr@10.dot"] == said[f"hr@10.{SERVED}"]
    assert summarise_offline(found, n_draws=200, seed=1) == said
