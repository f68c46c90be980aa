"""Peers: counted by hand in a small crowd, and never the reader, the night, or too few."""

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.recommending.explaining.peers import PeerCount, Peers, TasteCount

NIGHT = pd.Timestamp("2026-09-01", tz="UTC")
BEFORE = pd.Timestamp("2026-08-20", tz="UTC")


def visits(*rows: tuple[str, str, float], at: pd.Timestamp = BEFORE) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=["user_id", "video_id", "weight"])
    return table.assign(event_at=at).astype({"weight": "float32"})


CROWD = visits(
    ("a", "x", 1.0), ("a", "v", 1.0), ("a", "y", 1.0),
    ("b", "x", 1.0), ("b", "v", -1.0), ("b", "y", 1.0),
    ("c", "x", 1.0), ("c", "v", 0.5), ("c", "v", -1.0),  # liked at first, not in the end
    ("d", "x", -1.0), ("d", "v", 1.0),
    ("e", "x", 1.0),
    ("me", "x", 1.0), ("me", "y", 1.0), ("me", "v", -1.0),
)  # fmt: skip


def peers(crowd: pd.DataFrame = CROWD, **more: Any) -> Peers:
    return Peers.of(crowd, CROWD[CROWD["user_id"] == "me"], moment=NIGHT, is_sample=False, **more)


def test_who_liked_the_one_and_began_the_other_is_counted() -> None:
    assert peers().count([("x", "v")]) == {("x", "v"): PeerCount(4, 1)}
    assert peers().overall("v") == PeerCount(5, 2)


def test_a_video_that_nobody_began_has_no_count() -> None:
    assert peers().count([("x", "gone"), ("gone", "v")]) == {("gone", "v"): PeerCount(0, 0)}
    assert peers().overall("gone") == PeerCount(0, 0)


def test_who_shares_enough_with_the_reader_is_counted_and_the_reader_is_not() -> None:
    assert peers().count_alike("me", ["v"], min_users=2) == {"v": TasteCount(2, 2, 1)}


def test_too_few_alike_are_not_counted() -> None:
    assert peers().count_alike("me", ["v"], min_users=3) == {}
    assert peers().count_alike("nobody", ["v"], min_users=2) == {}


def test_the_most_shared_videos_that_enough_users_share_are_said() -> None:
    mine = visits(*(("me", f"x{num}", 1.0) for num in range(6)))
    rows = [(f"u{user}", f"x{num}", 1.0) for user in range(8) for num in range(2 + user // 2)]
    rows += [(f"u{user}", "v", 1.0) for user in range(8)]
    found = Peers.of(visits(*rows), mine, moment=NIGHT, is_sample=False)
    # two users share 2, two share 3, two share 4, two share 5
    assert found.count_alike("me", ["v"], min_users=2)["v"] == TasteCount(5, 2, 2)
    assert found.count_alike("me", ["v"], min_users=3)["v"] == TasteCount(4, 4, 4)
    assert found.count_alike("me", ["v"], min_users=8)["v"] == TasteCount(2, 8, 8)


def test_the_night_itself_is_not_counted() -> None:
    late = visits(("z", "x", 1.0), ("z", "v", 1.0), at=NIGHT)
    both = peers(pd.concat([CROWD, late], ignore_index=True))
    assert both.count([("x", "v")]) == peers().count([("x", "v")])


def test_the_order_of_the_visits_does_not_matter() -> None:
    shuffled = peers(CROWD.sample(frac=1, random_state=1).reset_index(drop=True))
    assert shuffled.count([("x", "v"), ("y", "v")]) == peers().count([("x", "v"), ("y", "v")])


users, videos = st.sampled_from("abcdefgh"), st.sampled_from("uvwxyz")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(users, videos, st.sampled_from([-1.0, 0.5, 1.0])), max_size=60))
def test_every_pair_is_counted_as_sets_would(rows: list[tuple[str, str, float]]) -> None:
    found = Peers.of(visits(*rows), visits(), moment=NIGHT, is_sample=False)
    sums: dict[tuple[str, str], float] = {}
    for user, video, weight in rows:
        sums[user, video] = sums.get((user, video), 0.0) + weight
    began = {v: {user for user, video in sums if video == v} for v in "uvwxyz"}
    liked = {
        v: {u for (u, video), total in sums.items() if video == v and total > 0} for v in began
    }
    pairs = [(one, other) for one in began for other in began if began[other]]
    assert found.count(pairs) == {
        (one, other): PeerCount(len(liked[one] & began[other]), len(liked[one] & liked[other]))
        for one, other in pairs
    }
