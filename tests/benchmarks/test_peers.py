"""Peers: popularity by windows, the validation part of the training data, and no look ahead."""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import peers
from benchmarks.peers import (
    AT,
    DEPTH,
    ITEM,
    NAMES,
    POPULAR,
    QUICK,
    USER,
    hold_out,
    main,
    named,
    ndcg,
    popular_lists,
    read_events,
    tuned_lists,
)

DAY = 86_400


def events_of(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Rows of (user, item, day), by user and time as the benchmark writes them."""
    events = pd.DataFrame(rows, columns=[USER, ITEM, "day"])
    events[AT] = pd.to_datetime(events.pop("day") * DAY, unit="s")
    return events.sort_values([USER, AT], ignore_index=True)


def listed(lists: np.ndarray) -> list[list[int]]:
    return [[int(item) for item in row if item >= 0] for row in lists]


# items 1 and 2 lead in all, 3 of the last day, and 4 of the last three
LOG = events_of(
    (0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (0, 2, 1), (1, 2, 1), (2, 2, 1), (3, 2, 1),
    (0, 4, 27.5), (1, 4, 27.5), (2, 4, 27.5), (0, 3, 29.5), (1, 3, 30),
)  # fmt: skip


def test_popularity_counts_the_window_that_it_is_named_after() -> None:
    stranger = np.array([9])
    assert listed(popular_lists(LOG, stranger)) == [[1, 2, 4, 3]]
    assert listed(popular_lists(LOG, stranger, days=3)) == [[4, 3]]
    assert listed(popular_lists(LOG, stranger, days=1)) == [[3]]
    assert POPULAR == {
        "popular": None, "popular-1d": 1, "popular-3d": 3, "popular-7d": 7, "popular-14d": 14,
        "popular-30d": 30,
    }  # fmt: skip


def test_a_window_begins_so_many_days_before_the_last_event_and_not_a_second_earlier() -> None:
    log = events_of((0, 5, 2), (0, 6, 2 - 1 / DAY), (1, 7, 3))
    assert listed(popular_lists(log, np.array([9]), days=1)) == [[5, 7]]


def test_popularity_leaves_out_what_a_user_has_seen_at_any_time() -> None:
    assert listed(popular_lists(LOG, np.array([3, 2]))) == [[4, 3], [3]]


def test_equal_counts_are_ordered_by_item_and_a_list_has_its_depth() -> None:
    log = events_of(*((user, item, 0) for user in range(2) for item in range(40, 10, -1)))
    lists = popular_lists(log, np.array([7]))
    assert listed(lists) == [list(range(11, 11 + DEPTH))]


def test_the_tuning_window_is_as_long_as_the_test_window_and_holds_all_that_came_in_it() -> None:
    log = events_of((0, 1, 0), (1, 2, 1), (0, 3, 8), (0, 4, 9), (1, 5, 10), (2, 6, 10))
    train, asked = hold_out(log, protocol="time", window_s=2 * DAY)
    assert train[ITEM].tolist() == [1, 2]
    assert asked[[USER, ITEM]].to_numpy().tolist() == [[0, 3], [0, 4], [1, 5]]  # 2 was not there
    longer = hold_out(log, protocol="time", window_s=9 * DAY)
    assert longer.train[ITEM].tolist() == [1]


def test_nothing_in_the_tuning_window_is_learned_from() -> None:
    rng = np.random.default_rng(0)
    rows = [(int(u), int(i), float(d)) for u, i, d in rng.integers(0, 50, size=(500, 3))]
    train, asked = hold_out(events_of(*rows), protocol="time", window_s=10 * DAY)
    assert len(asked) > 0
    assert train[AT].max() < asked[AT].min()
    assert set(asked[USER]) <= set(train[USER])


def test_leaving_one_out_is_tuned_on_the_last_event_of_every_user_with_three() -> None:
    log = events_of((0, 1, 0), (0, 2, 1), (0, 3, 2), (1, 4, 0), (1, 5, 9))
    train, asked = hold_out(log, protocol="loo", window_s=0)
    assert asked[ITEM].tolist() == [3]
    assert train[ITEM].tolist() == [1, 2, 4, 5]


def test_the_last_events_are_taken_where_nobody_was_there_before_the_window() -> None:
    log = events_of((0, 1, 0), (0, 2, 0.1), (0, 3, 0.2), (1, 4, 9), (1, 5, 9.1), (1, 6, 9.2))
    train, asked = hold_out(log, protocol="time", window_s=DAY)
    assert sorted(asked[ITEM]) == [3, 6]
    assert sorted(train[ITEM]) == [1, 2, 4, 5]


def test_at_most_so_many_users_are_judged_on_and_no_other_events_of_the_window_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peers, "N_TUNED", 3)
    rows = [(user, item, day) for user in range(9) for item, day in ((1, 0), (2, 8), (3, 9))]
    train, asked = hold_out(events_of(*rows), protocol="time", window_s=2 * DAY)
    assert asked[USER].nunique() == 3
    assert len(asked) == 6
    assert set(train[ITEM]) == {1}


class Stub:
    """A setting of a peer that notes what it is fitted on."""

    def __init__(self, words: str, seen: list[tuple[str, set[int]]]) -> None:
        self.words, self.seen = words, seen

    def fit(self, validation: peers.Validation) -> tuple[str, "Stub"]:
        return self.fit_all(validation.train), self

    def fit_all(self, events: pd.DataFrame) -> str:
        self.seen.append((self.words, set(events[ITEM])))
        return self.words


def test_the_best_setting_before_the_test_is_fitted_again_on_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = events_of((0, 1, 0), (0, 2, 9), (1, 1, 0), (1, 2, 9))
    answers = {"bad": 7, "good": 2}

    def lists_of(model: str, events: pd.DataFrame, users: np.ndarray) -> np.ndarray:
        return np.array([[answers[model]] + [-1] * (DEPTH - 1)] * len(users))

    monkeypatch.setattr(peers, "lists_of", lists_of)
    seen: list[tuple[str, set[int]]] = []
    trials = [Stub("bad", seen), Stub("good", seen), Stub("bad", seen)]
    validation = hold_out(log, protocol="time", window_s=DAY)
    lists = tuned_lists("stub", trials, log, validation, np.array([0]))
    assert seen == [("bad", {1}), ("good", {1}), ("bad", {1}), ("good", {1, 2})]
    assert listed(lists) == [[2]]


def test_ndcg_is_one_for_a_list_that_begins_with_all_that_was_asked_for() -> None:
    asked = pd.Series([{3, 4}, {5}])
    lists = np.full((2, DEPTH), -1)
    lists[0, :2], lists[1, 1] = (4, 3), 5
    assert ndcg(lists, asked) == pytest.approx((1 + 1 / np.log2(3)) / 2)


def test_quick_peers_come_first_whatever_the_order_they_are_named_in() -> None:
    assert named("all") == NAMES
    assert named("quick") == QUICK == NAMES[: len(QUICK)]
    assert named("none") == ()
    assert named("sasrec,popular-3d") == ("popular-3d", "sasrec")
    assert named("bert4rec,quick") == (*QUICK, "bert4rec")
    with pytest.raises(argparse.ArgumentTypeError, match="unknown peer 'random'"):
        named("random")


def test_a_quick_peer_reads_the_events_and_writes_its_lists_and_seconds(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "train.npz",
        user_id=[0, 0, 1],
        item_id=[1, 2, 1],
        event_at=np.array([0, 3 * DAY, 4 * DAY]),
    )
    np.save(tmp_path / "users.npy", np.array([1]))
    main([str(tmp_path), "popular-1d", "--protocol", "time", "--window-s", "9", "--seed", "7"])
    assert listed(np.load(tmp_path / "popular-1d.lists.npy")) == [[2]]
    assert float((tmp_path / "popular-1d.seconds").read_text()) >= 0
    assert read_events(tmp_path / "train.npz")[AT].max() == pd.Timestamp(4 * DAY, unit="s")
    assert "rectools" not in sys.modules
