import math
from datetime import UTC, datetime

import pandas as pd
import pytest

from vidrec_tasks.evaluation.replay import newly_watched, replay

START = datetime(2026, 9, 1, tzinfo=UTC)
END = datetime(2026, 9, 2, tzinfo=UTC)


def lists() -> pd.DataFrame:
    rows = [("u", rank, f"v{rank}") for rank in range(1, 13)] + [("w", 1, "v1"), ("w", 2, "v5")]
    return pd.DataFrame(rows, columns=["user_id", "rank", "video_id"])


def watched(*rows: tuple[str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["user_id", "video_id", "event_at"])
    return table.assign(event_at=pd.to_datetime(table["event_at"], utc=True, format="ISO8601"))


def fresh(seen: pd.DataFrame) -> pd.DataFrame:
    return newly_watched(seen, start=START, end=END)


def test_hits_are_measured_for_users_who_came_back() -> None:
    said = replay(
        lists(),
        fresh(
            watched(
                ("u", "v3", "2026-09-01T10:00:00"),
                ("u", "elsewhere", "2026-09-01T11:00:00"),
                ("stranger", "v1", "2026-09-01T11:00:00"),
            )
        ),
    )
    assert said["n_lists"] == 2
    assert said["n_users"] == 1
    assert said["n_watched"] == 2
    assert said["hit_rate"] == 1.0
    assert said["recall@10"] == 0.5
    assert said["mrr@10"] == pytest.approx(1 / 3)
    assert said["ndcg@10"] == pytest.approx((1 / math.log2(4)) / (1 + 1 / math.log2(3)))


def test_a_hit_below_rank_10_does_not_count() -> None:
    said = replay(lists(), fresh(watched(("u", "v11", "2026-09-01T10:00:00"))))
    assert said["hit_rate"] == 0.0


@pytest.mark.parametrize("moment", ["2026-08-31T23:59:59", "2026-09-02T00:00:00"])
def test_events_outside_the_time_do_not_count(moment: str) -> None:
    said = replay(lists(), fresh(watched(("u", "v1", moment))))
    assert said == {"n_lists": 2, "n_users": 0, "n_watched": 0}


def test_a_video_known_before_is_not_asked_for() -> None:
    known = watched(("u", "v1", "2026-08-01"), ("u", "v1", "2026-09-01T09:00:00"))
    assert replay(lists(), fresh(known))["n_users"] == 0


def test_watching_twice_is_one_hit() -> None:
    twice = watched(("w", "v5", "2026-09-01T09:00:00"), ("w", "v5", "2026-09-01T10:00:00"))
    said = replay(lists(), fresh(twice))
    assert said["n_watched"] == 1
    assert said["recall@10"] == 1.0


def test_the_order_of_the_rows_does_not_matter() -> None:
    seen = watched(("u", "v3", "2026-09-01T10:00:00"), ("w", "v1", "2026-09-01T11:00:00"))
    there = replay(lists(), fresh(seen))
    back = replay(lists().iloc[::-1], fresh(seen.iloc[::-1]))
    assert there == back


def test_without_lists_there_is_nothing_to_say() -> None:
    said = replay(lists().iloc[:0], fresh(watched(("u", "v1", "2026-09-01"))))
    assert said == {"n_lists": 0, "n_users": 0, "n_watched": 0}
