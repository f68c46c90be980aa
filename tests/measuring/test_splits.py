import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.measuring.worlds import histories_of
from vidrec_tasks.audience.histories import gather
from vidrec_tasks.measuring.splits import (
    Split,
    k_core,
    leave_last_out,
    time_split,
    turned_away_later,
)

World = dict[str, list[tuple[int, float, int]]]

events = st.tuples(st.integers(0, 4), st.sampled_from([-1.0, 0.0, 1.0]), st.integers(0, 9))
worlds = st.dictionaries(
    st.sampled_from("abcd"),
    st.lists(events, max_size=8).map(lambda found: sorted(found, key=lambda event: event[2])),
    min_size=1,
)


def held(split: Split) -> list[list[int]]:
    return [videos.tolist() for videos in split.held_out]


def test_a_time_split_asks_for_new_liked_videos_after_the_cut() -> None:
    histories = histories_of(
        {
            "u": [(0, 1.0, 1), (1, -1.0, 2), (0, 1.0, 10), (1, 1.0, 11), (2, 1.0, 12)],
            "v": [(3, 1.0, 10), (4, -1.0, 11), (3, 1.0, 12)],
            "w": [(0, 1.0, 3)],
        }
    )
    split = time_split(histories, cut=10)
    assert held(split) == [[2], [3], []]
    assert split.train.video_nums.tolist() == [0, 1, 0]
    assert list(split.train.user_ids) == ["u", "v", "w"]


@given(worlds, st.integers(0, 10))
@settings(max_examples=150, deadline=None)
def test_a_time_split_never_trains_on_or_asks_for_the_other_side(world: World, cut: int) -> None:
    split = time_split(histories_of(world), cut=cut)
    assert (split.train.event_at < cut).all()
    for user_num, user in enumerate(sorted(world)):
        before = {video for video, _, at in world[user] if at < cut}
        after = {video for video, weight, at in world[user] if at >= cut and weight > 0}
        assert set(split.held_out[user_num].tolist()) == after - before
        assert len(set(split.held_out[user_num].tolist())) == len(split.held_out[user_num])


def test_turned_away_later_is_what_was_new_and_never_liked() -> None:
    histories = histories_of(
        {
            "u": [(0, 1.0, 1), (0, -1.0, 10), (1, -1.0, 11), (2, -1.0, 12), (2, 1.0, 13)],
            "v": [(3, -1.0, 1), (3, -1.0, 12), (4, -1.0, 11), (5, 0.0, 12)],
        }
    )
    assert [videos.tolist() for videos in turned_away_later(histories, cut=10)] == [[1], [4]]


@given(worlds, st.integers(0, 10))
@settings(max_examples=100, deadline=None)
def test_nothing_is_both_asked_for_and_turned_away(world: World, cut: int) -> None:
    histories = histories_of(world)
    asked = time_split(histories, cut=cut).held_out
    for liked, away in zip(asked, turned_away_later(histories, cut=cut), strict=True):
        assert not set(liked.tolist()) & set(away.tolist())


def test_leave_last_out_asks_for_the_last_new_liked_video() -> None:
    histories = histories_of(
        {
            "u": [(0, 1.0, 1), (1, 1.0, 2), (2, 1.0, 3)],
            "repeats": [(0, 1.0, 1), (1, 1.0, 2), (0, 1.0, 3)],
            "skips": [(0, 1.0, 1), (1, 1.0, 2), (2, -1.0, 3)],
            "x-once": [(4, 1.0, 1)],
            "y-none": [],
        }
    )
    split = leave_last_out(histories)
    by_user = dict(zip(histories.user_ids, held(split), strict=True))
    assert by_user == {"u": [2], "repeats": [1], "skips": [1], "x-once": [], "y-none": []}
    kept = {user: split.train.video_nums[split.train.of(i)].tolist()
            for i, user in enumerate(split.train.user_ids)}  # fmt: skip
    assert kept == {"u": [0, 1], "repeats": [0], "skips": [0], "x-once": [4], "y-none": []}


@given(worlds)
@settings(max_examples=150, deadline=None)
def test_leave_last_out_trains_on_what_came_before_and_nothing_else(world: World) -> None:
    split = leave_last_out(histories_of(world))
    for user_num, user in enumerate(sorted(world)):
        train = split.train.video_nums[split.train.of(user_num)].tolist()
        assert train == [video for video, _, _ in world[user][: len(train)]]
        asked = split.held_out[user_num].tolist()
        assert asked in ([], [world[user][len(train)][0]] if len(train) < len(world[user]) else [])
        assert not set(asked) & set(train)


def test_events_of_one_moment_keep_the_order_of_their_rows() -> None:
    moment = pd.Timestamp("2026-01-01", tz="UTC")
    log = pd.DataFrame({"user_id": "u", "video_num": [3, 1, 2], "event_at": moment, "weight": 1.0})
    assert held(leave_last_out(gather(log))) == [[2]]
    assert held(leave_last_out(gather(log.iloc[::-1]))) == [[3]]


def test_a_core_falls_apart_where_it_hangs_by_one_thread() -> None:
    # users 0 and 1 share videos 0 and 1; user 2 hangs on video 1 and video 2, which hangs on it
    users, videos = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 1, 2])
    assert k_core(users, videos, k=2).tolist() == [True] * 4 + [False] * 2
    assert not k_core(users, videos, k=3).any()
    assert k_core(users[:0], videos[:0], k=2).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_everybody_left_in_a_core_has_k_events(pairs: list[tuple[int, int]], k: int) -> None:
    users = np.array([user for user, _ in pairs], dtype=np.int64)
    videos = np.array([video for _, video in pairs], dtype=np.int64)
    keep = k_core(users, videos, k=k)
    for names in (users[keep], videos[keep]):
        assert (np.unique(names, return_counts=True)[1] >= k).all()
    assert k_core(users[keep], videos[keep], k=k).all()
