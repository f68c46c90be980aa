"""Lately: what fades, what is not looked at, and that training sees what serving would see."""

import numpy as np
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue import lately
from vidrec_tasks.recommending.catalogue.lately import HALF_LIFE_DAYS, Steps, log_shares

DAY = 86_400
N = 4


def log(*events: tuple[int, float]) -> Histories:
    """One user a video and a day; days are counted from the worlds' night backwards."""
    nums = np.array([num for num, _ in events], dtype=np.int64)
    at = np.array([worlds.CUT - int(days * DAY) for _, days in events], dtype=np.int64)
    n = len(events)
    return Histories(
        np.array([f"u{num:02d}" for num in range(n)], dtype=object), np.arange(n + 1), nums,
        np.ones(n, dtype=np.float32), at, np.zeros(n, dtype=np.int64),
    )  # fmt: skip


def test_an_event_counts_half_after_each_half_life() -> None:
    new, old = log_shares(log(*[(0, 0.0001)] * 64, *[(1, HALF_LIFE_DAYS)] * 64), N, cut=worlds.CUT)[
        :2
    ]
    assert new - old == pytest.approx(np.log(2), abs=0.01)


def test_what_nobody_watched_is_improbable_and_finite() -> None:
    shares = log_shares(log((0, 1.0), (0, 1.1), (1, 1.0)), N, cut=worlds.CUT)
    assert np.isfinite(shares).all()
    assert shares[0] > shares[1] > shares[2] == shares[3]


def test_without_an_event_every_video_is_usual() -> None:
    assert (log_shares(log(), N, cut=worlds.CUT) == 0).all()
    assert (Steps.of(log(), N).shares == 0).all()


def test_events_from_the_cut_on_do_not_count() -> None:
    past, future = log((0, 1.0), (1, 2.0)), log((0, 1.0), (1, 2.0), (2, 0.0), (2, -1.0))
    np.testing.assert_array_equal(
        log_shares(past, N, cut=worlds.CUT), log_shares(future, N, cut=worlds.CUT)
    )


def test_no_step_of_training_sees_an_event_of_its_own_day_or_later() -> None:
    """A tower that saw the day it learns from would learn that what it is asked for is popular."""
    before = log((0, 9.5), (1, 8.5))
    after = log((0, 9.5), (1, 8.5), (2, 5.5), (3, 4.5))
    some, whole = Steps.of(before, N), Steps.of(after, N)
    day = int(whole.numbers(after.event_at)[2])
    np.testing.assert_array_equal(whole.shares[: len(some.shares)], some.shares)
    assert whole.shares[day, 2] == whole.shares[day, 3]
    assert whole.shares[day + 1, 2] > whole.shares[day + 1, 3]


def test_a_long_log_over_many_videos_has_longer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_MAX_CELLS", 5 * N)
    events = log((0, 29.5), (1, 15.5), (2, 0.5))
    steps = Steps.of(events, N)
    assert len(steps.shares) <= 5
    assert steps.step_s % DAY == 0
    assert (np.diff(steps.numbers(events.event_at)) > 0).all()
