"""Held out after one moment: nothing of it is learned from, and the periods follow each other."""

from typing import Any

import numpy as np
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.training import held_out
from vidrec_tasks.recommending.training.held_out import (
    HeldOut,
    hold_out_later,
    ideal,
    ndcg_of_targets,
)

DAYS = 0.3


@pytest.fixture(autouse=True)
def a_few_users_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "MIN_LATER_USERS", 10)


def later(histories: Histories | None = None, **more: Any) -> HeldOut:
    found = hold_out_later(
        worlds.histories() if histories is None else histories,
        cut=worlds.CUT, days=DAYS, seed=1, **more,
    )  # fmt: skip
    assert found is not None
    return found


def test_what_is_learned_from_lies_before_all_that_is_asked() -> None:
    held, histories = later(), worlds.histories()
    assert held.asked.cut is not None
    assert held.train.event_at.max() < held.asked.cut
    is_asked = histories.event_at >= held.asked.cut
    assert held.train.n_events == int((~is_asked).sum())
    n_targets = sum(len(videos) for videos in held.asked.targets)
    assert 0 < n_targets <= int(is_asked.sum())


def test_a_target_was_never_met_before() -> None:
    for asked in (later().asked, *later().periods):
        for user, targets in enumerate(asked.targets):
            met = asked.users.video_nums[asked.users.of(user)]
            assert not np.isin(targets, met).any()
            assert len(targets) == len(set(targets.tolist())) > 0


def test_what_came_out_at_the_moment_or_later_is_no_target_and_is_not_ranked() -> None:
    cut = later().asked.cut
    assert cut is not None
    asked = later().asked
    wanted = np.unique(np.concatenate(asked.targets))
    published = np.zeros(worlds.N_VIDEOS, dtype=np.int64)
    published[wanted[:2]], published[wanted[2]] = cut, cut - 1
    left = later(published_at_s=published).asked
    assert left.cut == cut
    assert left.unpublished.tolist() == wanted[:2].tolist()
    assert not np.isin(np.concatenate(left.targets), wanted[:2]).any()
    assert np.isin(wanted[2], np.concatenate(left.targets))
    assert all(len(targets) for targets in left.targets)
    # a score for what is not out yet costs nobody a place
    scores = np.zeros((left.users.n_users, worlds.N_VIDEOS), dtype=np.float32)
    for user, targets in enumerate(left.targets):
        scores[user, targets] = 1.0
    best = ndcg_of_targets(scores, left)
    scores[:, wanted[:2]] = 2.0
    np.testing.assert_array_equal(ndcg_of_targets(scores, left), best)


def test_each_period_knows_what_came_before_it_and_no_more() -> None:
    first, last = later().periods
    assert first.cut is not None
    assert last.cut is not None
    assert first.cut < last.cut
    for asked in (first, last):
        assert asked.users.event_at.max() < asked.cut
        assert asked.everybody.event_at.max() < asked.cut
    assert last.everybody.n_events > first.everybody.n_events


def test_the_window_grows_until_it_has_enough_users(monkeypatch: pytest.MonkeyPatch) -> None:
    begins = []
    for wanted in (1, 30, 10_000):
        monkeypatch.setattr(held_out, "MIN_LATER_USERS", wanted)
        begins.append(later().asked.cut)
    assert begins[0] >= begins[1] >= begins[2]
    assert begins[0] > begins[2]
    span = worlds.histories().event_at.max() - worlds.histories().event_at.min()
    assert worlds.CUT - begins[2] <= span / 3 + 2 * 3600 + 4 * 3600  # the log ends before the cut


def test_it_begins_no_earlier_than_what_a_start_has_seen() -> None:
    since = worlds.CUT - 6 * 3600
    assert later(since=since).asked.cut == since


def test_nothing_is_held_out_where_nothing_new_was_liked() -> None:
    histories = worlds.histories()
    histories.weights[:] = -1.0
    assert hold_out_later(histories, cut=worlds.CUT, days=DAYS, seed=1) is None


def test_the_best_list_has_all_targets_first() -> None:
    assert ideal(1) == pytest.approx(1.0)
    assert ideal(2) == pytest.approx(1 + 1 / np.log2(3))
    assert ideal(50) == ideal(10)


def test_what_was_turned_away_in_the_window_is_kept_beside_what_was_liked() -> None:
    histories = worlds.histories()
    late = histories.event_at >= later().asked.cut
    first = np.flatnonzero(late)[:40:2]
    histories.weights[first] = -1.0
    held = later(histories)
    kept = sum(len(videos) for videos in held.asked.turned_away)
    assert 0 < kept <= len(first)
    for user, (liked, away) in enumerate(
        zip(held.asked.targets, held.asked.turned_away, strict=True)
    ):
        before = held.asked.users.video_nums[held.asked.users.of(user)]
        assert not np.isin(away, np.concatenate([liked, before])).any()


def test_blocks_of_users_are_all_of_them_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = later().asked
    monkeypatch.setattr(held_out, "_CELLS", 3 * worlds.N_VIDEOS)
    found = list(asked.blocks(worlds.N_VIDEOS))
    assert len(found) > 1
    assert [user for _, some in found for user in some.users.user_ids] == [*asked.users.user_ids]
    assert all(len(some.targets) == some.users.n_users <= 3 for _, some in found)
    scores = np.random.default_rng(1).random((asked.users.n_users, worlds.N_VIDEOS))
    scores = scores.astype(np.float32)
    parts = [ndcg_of_targets(scores[part], some) for part, some in found]
    np.testing.assert_array_equal(np.concatenate(parts), ndcg_of_targets(scores, asked))
