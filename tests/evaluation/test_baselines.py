"""Baselines: tiny worlds whose simple lists are known by hand."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.evaluation.baselines import (
    BASELINES,
    ITEM_KNN,
    SIMILAR_TO_LAST,
    Crowd,
    baseline_lists,
    count_likers,
)
from vidrec_tasks.evaluation.offline import DEPTH
from vidrec_tasks.measuring.metrics import PADDING
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import DAYS
from vidrec_tasks.recommending.lists.rules import UserRules

Event = tuple[str, int, float, float]
"""User, video, days before the cut, weight."""

CROWD: list[Event] = [
    ("a", 1, 0.5, 1.0), ("b", 1, 0.5, 1.0),
    ("a", 2, 2.0, 1.0), ("b", 2, 2.0, 1.0), ("c", 2, 2.0, 1.0),
    ("d", 3, 10.0, 1.0), ("e", 3, 10.0, 1.0), ("f", 3, 10.0, 1.0), ("g", 3, 10.0, 1.0),
    ("d", 5, 20.0, 1.0), ("e", 4, 20.0, 1.0),
]  # fmt: skip
LATER: list[Event] = [(user, 9, -0.5, 3.0) for user in "abcdefg"] + [("a", 9, 0.0, 3.0)]


def gathered(events: list[Event], *users: str) -> Histories:
    rows = [(user, num, worlds.NIGHT - pd.Timedelta(days=age), weight)
            for user, num, age, weight in events]  # fmt: skip
    columns = ["user_id", "video_num", "event_at", "weight"]
    table = pd.DataFrame(rows, columns=columns).astype({"weight": "float32"})
    table["event_at"] = pd.to_datetime(table["event_at"], utc=True)
    named = sorted({event[0] for event in events} | set(users))
    return gather(table, named)


def lists_of(
    crowd: list[Event],
    asked: list[Event],
    *,
    users: tuple[str, ...] = ("me",),
    videos: pd.DataFrame | None = None,
    content: Content | None = None,
    n: int = 10,
    **rules: tuple[str, float, bool],
) -> dict[str, list[list[int]]]:
    """Baseline -> the users' lists, without padding."""
    everybody = gathered(crowd)
    found = baseline_lists(
        gathered(asked, *users),
        Crowd(count_likers(everybody, worlds.N_VIDEOS, cut=worlds.CUT),
              everybody.before(worlds.CUT)),
        worlds.content() if content is None else content,
        UserRules(worlds.catalogue() if videos is None else videos, worlds.users(**rules),
                  moment=worlds.NIGHT, default_max_age_rating=18),
        n=n,
    )  # fmt: skip
    return {name: [unpadded(row) for row in lists] for name, lists in found.items()}


def unpadded(row: npt.NDArray[np.int64]) -> list[int]:
    assert len(row) == DEPTH
    listed = [int(num) for num in row if num != PADDING]
    assert (row[len(listed) :] == PADDING).all()
    return listed


def test_each_window_lists_what_most_users_liked_in_it_and_then_what_was_popular_longer() -> None:
    found = lists_of(CROWD, [])
    assert found["popular_1d"] == [[1, 3, 2, 4, 5]]
    assert found["popular_3d"] == [[2, 1, 3, 4, 5]]
    assert found["popular_7d"] == [[2, 1, 3, 4, 5]]
    assert found["popular_14d"] == [[3, 2, 1, 4, 5]]
    assert found["popular_30d"] == [[3, 2, 1, 4, 5]]


def test_videos_liked_by_as_many_stand_in_the_order_of_their_numbers() -> None:
    assert lists_of([("a", 7, 1, 1), ("b", 2, 1, 1), ("c", 5, 1, 1)], [])["popular_1d"] == [
        [2, 5, 7]
    ]


def test_a_user_counts_once_a_video_and_only_for_what_they_liked() -> None:
    events = [("a", 1, 0.1, 1.0), ("a", 1, 0.2, 1.0), ("a", 2, 0.1, -1.0), ("b", 2, 0.1, 0.0)]
    counts = count_likers(gathered(events), worlds.N_VIDEOS, cut=worlds.CUT)
    assert counts[:, 1].tolist() == [1] * len(DAYS)
    assert counts.sum() == len(DAYS)


def test_the_counts_of_shards_add_up() -> None:
    whole = count_likers(gathered(CROWD), worlds.N_VIDEOS, cut=worlds.CUT)
    parts = [
        count_likers(gathered([e for e in CROWD if e[0] in of]), worlds.N_VIDEOS, cut=worlds.CUT)
        for of in ("abc", "defg")
    ]
    np.testing.assert_array_equal(sum(parts), whole)


def test_what_comes_at_or_after_the_cut_changes_no_list() -> None:
    mine: list[Event] = [("me", 1, 1.0, 1.0)]
    assert lists_of(CROWD + LATER, mine) == lists_of(CROWD, mine)


def test_no_list_holds_what_the_user_met_liked_or_not() -> None:
    found = lists_of(CROWD, [("me", 2, 1.0, 1.0), ("me", 3, 1.0, -1.0)])
    for name, lists in found.items():
        assert set(lists[0]) == {1, 4, 5}, name


def test_no_list_holds_what_the_rules_keep_from_the_user() -> None:
    videos = worlds.catalogue(
        regions=[["FR"] if num == 1 else [] for num in range(worlds.N_VIDEOS)],
        status=["removed" if num == 2 else "active" for num in range(worlds.N_VIDEOS)],
    )
    rules = {"me": ("CH", 18.0, False), "you": ("FR", 18.0, False)}
    mine: list[Event] = [("me", 4, 1.0, 1.0), ("you", 4, 1.0, 1.0)]
    found = lists_of(CROWD, mine, users=("me", "you"), videos=videos, **rules)
    for name, (of_me, of_you) in found.items():
        assert set(of_me) == {3, 5}, name
        assert set(of_you) == {1, 3, 5}, name


def test_item_knn_adds_the_cosines_with_all_that_was_liked() -> None:
    # Cosines: 1-2 is 2/sqrt(6), 1-6 1/sqrt(2),
    # 2-6 and 2-7 1/sqrt(3), so of who liked 1 and 2: 6 gets 1.28, 7 gets 0.58.
    likers = {1: "ab", 2: "abc", 6: "a", 7: "c"}
    crowd: list[Event] = [(user, num, 1, 1) for num, users in likers.items() for user in users]
    both = lists_of(crowd, [("me", 1, 2.0, 1.0), ("me", 2, 1.0, 1.0)])
    assert both[ITEM_KNN] == [[6, 7]]
    assert lists_of(crowd, [("me", 1, 1.0, 1.0)])[ITEM_KNN] == [[2, 6, 7]]
    assert lists_of(crowd, [("me", 6, 1.0, 1.0)])[ITEM_KNN] == [[1, 2, 7]]


def test_what_was_liked_twice_counts_once_and_what_was_disliked_not_at_all() -> None:
    crowd: list[Event] = [("a", 1, 1, 1), ("a", 2, 1, 1), ("b", 3, 1, 1), ("b", 4, 1, 1)]
    twice: list[Event] = [("me", 1, 1, 1), ("me", 1, 2, 1), ("me", 3, 1, 1)]
    assert lists_of(crowd, twice)[ITEM_KNN] == [[2, 4]]
    assert lists_of(crowd, [("me", 1, 1, -1), ("me", 3, 1, 1)])[ITEM_KNN] == [[4, 2]]


def test_similar_to_last_looks_at_the_last_liked_video_alone() -> None:
    likers = {1: "a", 2: "a", 3: "bcd", 4: "bc", 6: "d"}
    crowd: list[Event] = [(user, num, 1, 1) for num, users in likers.items() for user in users]
    found = lists_of(crowd, [("me", 1, 3, 1), ("me", 3, 2, 1), ("me", 5, 1, -1)], n=2)
    assert found[SIMILAR_TO_LAST] == [[4, 6]]
    found = lists_of(crowd, [("me", 3, 3, 1), ("me", 1, 2, 1)], n=2)
    assert found[SIMILAR_TO_LAST] == [[2, 4]]  # the neighbour, then the most liked


def test_a_last_video_that_nobody_liked_is_looked_up_by_its_content() -> None:
    found = lists_of(CROWD, [("me", 20, 1.0, 1.0)], n=5)
    cosines = worlds.content().fused @ worlds.content().fused[20]
    cosines[20] = -1
    assert found[SIMILAR_TO_LAST] == [np.argsort(-cosines)[:5].tolist()]
    assert {worlds.taste_of(num) for num in found[SIMILAR_TO_LAST][0]} == {1}


def test_a_list_goes_on_behind_all_the_popular_videos_that_a_user_has_met() -> None:
    crowd: list[Event] = [(f"u{n}", num, 0.5, 1.0) for num in range(20) for n in range(40 - num)]
    met: list[Event] = [("me", num, 1.0, -1.0) for num in range(17)]
    for name, lists in lists_of(crowd, met, n=2).items():
        assert lists == [[17, 18]], name


def test_who_has_no_history_gets_what_is_popular() -> None:
    found = lists_of(CROWD, [])
    assert found[ITEM_KNN] == found[SIMILAR_TO_LAST] == found["popular_30d"]


@pytest.mark.parametrize(("n", "expected"), [(2, 2), (10, 10), (50, DEPTH)])
def test_lists_are_as_long_as_the_served_ones_and_no_longer_than_is_measured(
    n: int, expected: int
) -> None:
    crowd: list[Event] = [("a", num, 0.5, 1.0) for num in range(worlds.N_VIDEOS)]
    for name, lists in lists_of(crowd, [("me", 0, 1, 1)], n=n).items():
        assert len(lists[0]) == expected == len(set(lists[0])), name


def test_lists_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [(f"u{n % 7}", n * n % 23, 1 + n % 20, 1.0) for n in range(60)]
    asked = [(f"m{n % 9}", n * 5 % 23, 1 + n % 6, 1.0) for n in range(40)]
    whole = lists_of(crowd, asked, users=("nobody",))
    monkeypatch.setattr("vidrec_tasks.audience.histories.BLOCK", 2)
    monkeypatch.setattr("vidrec_tasks.recommending.catalogue.nearest.CELLS", 1)
    assert lists_of(crowd, asked, users=("nobody",)) == whole
    assert len(whole[ITEM_KNN]) == 10


def test_a_log_without_any_liking_gives_empty_lists_and_nobody_gives_none() -> None:
    empty = lists_of([("a", 1, 1.0, -1.0)], [])
    assert empty == {name: [[]] for name in BASELINES}
    assert lists_of(CROWD, [], users=()) == {name: [] for name in BASELINES}
