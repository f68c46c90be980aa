from typing import Any

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.evaluation.list_counts import ListCounts, Rulebook, count_gaps, count_lists

MOMENT = pd.Timestamp("2026-09-01", tz="UTC")


def videos(**changed: Any) -> pd.DataFrame:
    table = pd.DataFrame(
        {"video_id": ["v1", "v2", "v3", "v4"], "status": "active", "age_rating": 0,
         "regions": pd.Series([[], [], [], []], dtype=object),
         "expires_at": pd.Series([pd.NaT] * 4, dtype="datetime64[us, UTC]")}
    )  # fmt: skip
    return table.assign(**changed)


def users(**row: Any) -> pd.DataFrame:
    known = {"user_id": "u1", "region": "", "max_age_rating": np.nan, "opted_out": False, **row}
    return pd.DataFrame([known])


def lists(video_ids: tuple[str, ...] = ("v2", "v3"), user_id: str = "u1") -> pd.DataFrame:
    return pd.DataFrame(
        {"user_id": user_id, "video_id": list(video_ids), "rank": range(1, len(video_ids) + 1),
         "score": 1.0, "score_components": [{"a": 0.25, "b": 0.75}] * len(video_ids)}
    )  # fmt: skip


def count(rows: pd.DataFrame | None = None, **changed: Any) -> ListCounts:
    """One active user who watched v1 and skipped v2."""
    world = {
        "profiles": pd.DataFrame({"user_id": ["u1"], "n_interactions": [2]}),
        "visits": pd.DataFrame({"user_id": "u1", "video_id": ["v1", "v2"],
                                "is_watched": [True, False]}),
        "videos": videos(),
        "users": users(),
        "duplicates": pd.DataFrame({"video_id": ["v3", "v4"], "group_id": ["g", "g"]}),
        **changed,
    }  # fmt: skip
    tables = [world.pop(name) for name in ("videos", "users", "duplicates")]
    rules = Rulebook(*tables, moment=MOMENT, n=3, default_max_age_rating=12)
    return count_lists(lists() if rows is None else rows, **world, rules=rules)


def wrong(counts: ListCounts) -> dict[str, int]:
    sizes = ("n_rows", "n_active", "n_listed")
    return {name: n for name, n in vars(counts).items() if n and name not in sizes}


def test_a_good_list_has_nothing_wrong() -> None:
    assert count() == ListCounts(n_rows=2, n_active=1, n_listed=1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lists(("v1", "v3")), {"n_seen": 1}),
        (lists(("v2", "v2")), {"n_repeated": 1}),
        (lists(("v2", "v9")), {"n_inactive": 1}),
        (lists(("v3", "v4")), {"n_near_duplicates": 1}),
        (lists().assign(rank=[1, 3]), {"n_gaps": 1}),
        (lists().assign(rank=[1, 1]), {"n_gaps": 1, "n_repeated": 1}),
        (lists().assign(rank=[3, 4]), {"n_gaps": 1}),
        (lists().assign(score=[1.0, 1.1]), {"n_wrong_sums": 1}),
        (lists().assign(score=[1.0, np.nan]), {"n_wrong_sums": 1}),
        (lists().assign(score=[1.0, 1.00001]), {}),
    ],
)
def test_each_fault_of_a_list_is_counted_as_what_it_is(
    rows: pd.DataFrame, said: dict[str, int]
) -> None:
    assert wrong(count(rows)) == said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": ["active", "blocked", "active", "active"]}, {"n_inactive": 1}),
        ({"status": "Active"}, {}),
        ({"expires_at": MOMENT}, {"n_expired": 2}),
        ({"expires_at": MOMENT + pd.Timedelta(hours=1)}, {}),
        ({"age_rating": [0, 12, 13, 0]}, {"n_barred": 1}),
        ({"regions": pd.Series([[], ["CH"], [], []], dtype=object)}, {"n_barred": 1}),
    ],
)
def test_each_rule_of_the_catalogue_is_counted(
    changed: dict[str, Any], said: dict[str, int]
) -> None:
    assert wrong(count(videos=videos(**changed))) == said


@pytest.mark.parametrize(
    ("user", "n_barred"),
    [
        ({"opted_out": True}, 2),
        ({"max_age_rating": 5.0}, 1),
        ({"max_age_rating": 6.0}, 0),
        ({"region": "CH", "max_age_rating": 6.0}, 0),
        ({"region": "FR", "max_age_rating": 6.0}, 1),
        ({"region": "FR", "user_id": "somebody else"}, 1),
    ],
)
def test_each_rule_of_a_user_is_counted(user: dict[str, Any], n_barred: int) -> None:
    regions = pd.Series([[], [], ["CH"] if "region" in user else [], []], dtype=object)
    table = videos(age_rating=[0, 6, 0, 0], regions=regions)
    assert count(videos=table, users=users(**user)).n_barred == n_barred


def test_a_user_who_watched_all_there_is_needs_no_list() -> None:
    all_seen = pd.DataFrame({"user_id": "u1", "video_id": ["v1", "v2", "v3", "v4"],
                             "is_watched": True})  # fmt: skip
    nothing = lists().iloc[:0]
    assert count(nothing, visits=all_seen).n_exhausted == 1
    assert count(nothing).n_exhausted == 0
    assert count(nothing).n_listed == 0


def test_counts_of_shards_add_up() -> None:
    assert sum([count(), count(lists(("v1",)))], ListCounts()) == ListCounts(
        n_rows=3, n_active=2, n_listed=2, n_seen=1
    )


def test_gaps_are_counted_an_owner() -> None:
    ranks = pd.DataFrame({"query": ["a", "a", "b", "c"], "rank": [2, 1, 2, 1]})
    assert count_gaps(ranks, "query") == 1
    assert count_gaps(ranks, "query", n=1) == 2
