"""Histories: one compact structure, oldest first, whatever is cut out of it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.audience.histories import Histories, epoch_seconds, gather

START = pd.Timestamp("2026-09-01", tz="UTC")
Row = tuple[str, int, int, float]


def table(*rows: Row) -> pd.DataFrame:
    """``(user_id, video_num, second, weight)``."""
    frame = pd.DataFrame(rows, columns=["user_id", "video_num", "event_at", "weight"])
    seconds = pd.to_timedelta(frame["event_at"].astype("float64"), unit="s")
    return frame.assign(event_at=START + seconds)


def as_rows(histories: Histories) -> dict[str, list[Row]]:
    """Each user's events, from the arrays alone."""
    zero = int(START.timestamp())
    found: dict[str, list[Row]] = {}
    for num, user in enumerate(histories.user_ids):
        part = histories.of(num)
        columns = (histories.video_nums, histories.event_at - zero, histories.weights)
        events = zip(*(column[part].tolist() for column in columns), strict=True)
        found[str(user)] = [(str(user), *event) for event in events]
    return found


def test_users_are_sorted_and_their_events_oldest_first() -> None:
    rows = [("b", 3, 9, 1.0), ("a", 5, 4, 0.5), ("b", 2, 1, -1.0)]
    histories = gather(table(*rows))
    assert as_rows(histories) == {"a": [rows[1]], "b": [rows[2], rows[0]]}
    assert (histories.n_users, histories.n_events) == (2, 3)
    assert histories.user_nums().tolist() == [0, 1, 1]


def test_events_of_one_moment_keep_the_order_of_their_rows() -> None:
    rows = [("u", num, 5, 1.0) for num in (4, 2, 9, 1)]
    assert gather(table(*rows)).video_nums.tolist() == [4, 2, 9, 1]


def test_named_users_without_events_are_held_and_others_left_out() -> None:
    histories = gather(table(("a", 1, 1, 1.0), ("x", 2, 2, 1.0)), ["stranger", "a", "a"])
    assert as_rows(histories) == {"a": [("a", 1, 1, 1.0)], "stranger": []}


def test_an_empty_log_has_no_users_unless_they_are_named() -> None:
    assert (gather(table()).n_users, gather(table()).n_events) == (0, 0)
    assert as_rows(gather(table(), ["u"])) == {"u": []}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_seconds_do_not_depend_on_the_unit_of_the_column(unit: str) -> None:
    times = pd.Series([START, START + pd.Timedelta(seconds=90)]).astype(f"datetime64[{unit}, UTC]")
    assert epoch_seconds(times).tolist() == [int(START.timestamp()), int(START.timestamp()) + 90]


def test_another_time_zone_is_the_same_moment() -> None:
    local = pd.Series([START]).dt.tz_convert("Asia/Kathmandu")
    assert epoch_seconds(local).tolist() == [int(START.timestamp())]


def test_the_last_instant_before_a_moment_is_before_it() -> None:
    almost = pd.Series([START - pd.Timedelta(microseconds=1)])
    assert epoch_seconds(almost).tolist() == [int(START.timestamp()) - 1]


logs = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.integers(0, 9), st.integers(0, 20), st.sampled_from([-1.0, 1.0])
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(logs, st.integers(0, 21))
def test_before_keeps_every_user_and_exactly_the_earlier_events(
    rows: list[Row], second: int
) -> None:
    histories = gather(table(*rows))
    cut = histories.before(int(START.timestamp()) + second)
    whole = as_rows(histories)
    assert as_rows(cut) == {
        user: [event for event in events if event[2] < second] for user, events in whole.items()
    }


@settings(max_examples=40, deadline=None)
@given(logs, st.data())
def test_where_keeps_exactly_the_events_asked_for(rows: list[Row], data: Any) -> None:
    histories = gather(table(*rows))
    n = histories.n_events
    keep: npt.NDArray[np.bool_] = np.array(
        data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool
    )
    kept = histories.where(keep)
    assert kept.video_nums.tolist() == histories.video_nums[keep].tolist()
    assert kept.user_nums().tolist() == histories.user_nums()[keep].tolist()
    assert kept.user_ids.tolist() == histories.user_ids.tolist()


@settings(max_examples=40, deadline=None)
@given(logs, st.integers(1, 5))
def test_blocks_are_the_buckets_with_all_users_in_order(rows: list[Row], n: int) -> None:
    users = sorted({row[0] for row in rows})
    buckets = np.array([len(user) * 7 % n for user in users], dtype=np.int64)
    histories = gather(table(*rows), users, buckets=buckets)
    blocks = list(histories.blocks())
    assert [set(buckets[nums]) for nums, _ in blocks] == [{b} for b in sorted(set(buckets))]
    for nums, block in blocks:
        assert block.user_ids.tolist() == histories.user_ids[nums].tolist()
        assert block.user_ids.tolist() == sorted(block.user_ids)
    together = {user: events for _, block in blocks for user, events in as_rows(block).items()}
    assert together == as_rows(histories)


def test_buckets_are_of_the_users_that_they_are_given_for() -> None:
    histories = gather(table(("a", 1, 1, 1.0)), ["c", "a", "b"], buckets=np.array([3, 1, 2]))
    assert dict(zip(histories.user_ids, histories.buckets, strict=True)) == {
        "a": 1, "b": 2, "c": 3,
    }  # fmt: skip
