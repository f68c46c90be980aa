"""Holding out: the shortest window with enough users, told to the fit, the receipt and the page."""

from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.worlds import NIGHT
from vidrec_tasks.jobs.inputs.holding_out import Newest, Window, statistics_before
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import EvaluationSettings, read_settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

MOMENT = pd.Timestamp(NIGHT, tz="UTC")
NAMES = ["user_id", "video_id", "event_type", "event_at"]


def events_of(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Events of (user, video, type, days before the night), by time."""
    at = [(user, video, kind, MOMENT - pd.Timedelta(days=days)) for user, video, kind, days in rows]
    return pd.DataFrame(at, columns=NAMES).sort_values("event_at", ignore_index=True)


def window_of(events: pd.DataFrame, *, days: int = 1, users: int) -> Window:
    settings = EvaluationSettings(holdout_days=days, holdout_users=users)
    return Newest().plus(events, night=NIGHT).window(settings)


A_USER_A_DAY = events_of(*((f"u{day:02}", "v", "play", day + 0.5) for day in range(30)))


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (0, Window(1, 1)),
        (1, Window(1, 1)),
        (4, Window(4, 4)),
        (10, Window(10, 10)),
        (11, Window(10, 10)),  # a third of thirty days
    ],
)
def test_the_window_grows_until_it_has_enough_users(users: int, expected: Window) -> None:
    assert window_of(A_USER_A_DAY, users=users) == expected


def test_the_window_is_never_shorter_than_asked_for() -> None:
    assert window_of(A_USER_A_DAY, days=7, users=2) == Window(7, 7)
    assert window_of(A_USER_A_DAY, days=20, users=25) == Window(20, 20)


def test_no_day_is_held_out_that_brings_no_user() -> None:
    events = events_of(("a", "v", "play", 0.5), ("b", "v", "play", 2.5), ("c", "v", "play", 29.5))
    assert window_of(events, users=9) == Window(3, 2)


def test_the_first_moment_of_the_window_is_in_it() -> None:
    events = events_of(("a", "v", "play", 2.0), ("b", "v", "play", 29.5))
    assert window_of(events, users=1) == Window(2, 1)


@pytest.mark.parametrize(
    "rows",
    [
        [("b", "w", "impression", 0.5)],
        [("b", "w", "skip", 0.5)],
        [("b", "w", "dislike", 0.5)],
        [("b", "v", "play", 0.5), ("b", "v", "play", 20)],  # met before
        [("b", "v", "play", 0.5), ("b", "v", "skip", 20)],
    ],
)
def test_who_met_nothing_new_does_not_count(rows: list[tuple[str, str, str, float]]) -> None:
    events = events_of(("a", "v", "play", 0.5), ("z", "v", "play", 29.5), *rows)
    assert window_of(events, users=9).n_users == 1


def test_a_video_that_was_only_shown_before_is_new() -> None:
    events = events_of(("a", "v", "impression", 20), ("a", "v", "like", 0.5))
    assert window_of(events, users=1) == Window(1, 1)


def test_shards_change_nothing() -> None:
    whole = Newest().plus(A_USER_A_DAY, night=NIGHT)
    parts = Newest()
    for start in range(0, 30, 7):
        parts = parts.plus(A_USER_A_DAY.iloc[start : start + 7], night=NIGHT)
    settings = EvaluationSettings(holdout_users=6)
    assert parts.window(settings) == whole.window(settings)


def test_a_log_without_events_keeps_the_days_that_were_asked_for() -> None:
    assert window_of(events_of(), days=3, users=100) == Window(3, 0)


def test_how_far_videos_are_watched_is_told_by_what_lies_before_the_window() -> None:
    videos = pd.DataFrame({"video_id": ["v"], "duration_s": [100.0]})
    more = {"watched_s": 50.0, "value": float("nan"), "row_num": 0}
    early = events_of(("a", "v", "play", 5)).assign(**more)
    late = events_of(("b", "v", "play", 1.5)).assign(**more)

    def n_of(days: int) -> int:
        found = statistics_before([early, late], videos, night=NIGHT, days=days)
        return int(found.loc[found["kind"] == "watch", "n"].sum())

    assert (n_of(1), n_of(2), n_of(9)) == (2, 1, 2)  # with nothing before it, all of it


def test_the_run_says_the_days_that_its_inputs_were_pinned_with(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    pd.DataFrame({"video_id": ["v", "w"], "title": "t", "duration_s": 60}).to_csv(
        tmp_path / "inputs" / "videos.csv", index=False
    )
    A_USER_A_DAY.to_csv(tmp_path / "inputs" / "interactions.csv", index=False)
    evaluation = {"holdout_days": 2, "holdout_users": 5}
    settings = read_settings({}, store_url=str(tmp_path), evaluation=evaluation)
    receipt = run_job(Order("validate_inputs", NIGHT), settings)
    counts = receipt["counts"]
    assert (counts["holdout_days"], counts["holdout_users"]) == (5, 5)
    assert Runs(Store(str(tmp_path))).of_night(NIGHT).record.holdout_days == 5
    again = run_job(Order("validate_inputs", NIGHT), settings)
    assert again["counts"]["holdout_days"] == 5
