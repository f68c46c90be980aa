import pandas as pd

from vidrec_tasks.evaluation.report_facts import (
    ListFacts,
    choose_sample_users,
    count_quarantine,
    count_rejects,
    sample_lists,
    sampled_videos,
    settings_rows,
    sum_timings,
)
from vidrec_tasks.settings import Settings


def explained(user_ids: list[str], n: int = 2) -> pd.DataFrame:
    rows = [
        {"user_id": user, "rank": rank, "video_id": f"v{rank}", "score": 1.0 / rank,
         "source": "tower", "reason_code": "new_for_you", "explanation": f"why {rank}",
         "explanation_verified": rank == 1}
        for user in user_ids for rank in range(1, n + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_shards_add_up() -> None:
    facts = ListFacts()
    facts.add(explained(["a", "b"]))
    facts.add(explained(["c"]))
    assert (facts.n_users, facts.n_rows, facts.verified_share) == (3, 6, 0.5)
    assert facts.showings == {"v1": 3, "v2": 3}
    assert facts.sources == {"tower": 6}
    assert len(facts.scores) == 6


def test_no_list_has_no_share() -> None:
    assert ListFacts().verified_share is None


def test_rejects_and_quarantine_are_counted_by_reason() -> None:
    rejects = pd.DataFrame(
        {"table": ["i", "i", "v"], "reason": ["x", "x", "y"], "sample": ["1", "2", "3"]}
    )
    assert count_rejects(rejects) == [("i", "x", 2, "1"), ("v", "y", 1, "3")]
    left_out = pd.DataFrame({"table": ["v", "w"], "reason": ["y", "z"], "n_rows": [3, 1]})
    counted = [("v", "y", 4, "3"), ("i", "x", 2, "1"), ("w", "z", 1, "")]
    assert count_rejects(rejects, left_out) == counted
    quarantine = pd.DataFrame({"video_id": ["a", "b"], "reason": ["torn", "torn"]})
    assert count_quarantine(quarantine) == [("torn", 2, "a")]
    assert count_rejects(rejects[:0]) == []


def test_changed_settings_come_first() -> None:
    said = Settings(recommending={"n": 7}).model_dump(mode="json", exclude={"results_url": True})
    rows = settings_rows(said)
    assert rows[0] == ("recommending.n", "7", True)
    assert ("recommending.scorer", "auto", False) in rows
    assert not any(name == "store_url" for name, _, _ in rows)


def test_seconds_are_summed_over_shards_and_the_largest_memory_stands() -> None:
    receipts = [
        {"job": "embed", "seconds": 1.0, "reused": False, "peak_mib": 80.5},
        {"job": "embed", "seconds": 2.0, "reused": True, "peak_mib": None},
        {"job": "embed", "seconds": 3.0, "reused": False, "peak_mib": 70.5},
    ]
    (timing,) = sum_timings(receipts)
    assert (timing.seconds, timing.n_shards, timing.n_reused) == (6.0, 3, 1)
    assert timing.peak_mib == 80.5


def test_a_receipt_of_before_memory_was_measured_has_none() -> None:
    (timing,) = sum_timings([{"job": "embed", "seconds": 1.0, "reused": False}])
    assert timing.peak_mib is None


def test_samples_are_the_same_users_each_time_and_the_first_rows() -> None:
    lists = explained([f"u{number}" for number in range(9)], n=8)
    users = choose_sample_users(lists.sample(frac=1, random_state=3))
    assert users == choose_sample_users(lists)
    assert len(users) == 3
    samples = sample_lists(
        lists, users, titles={"v1": "One"}, portraits={users[0]: "Watches."}, pictures={}
    )
    assert [row.rank for row in samples[0].rows] == [1, 2, 3, 4, 5]
    assert [row.title for row in samples[0].rows][:2] == ["One", "v2"]
    assert [sample.portrait for sample in samples] == ["Watches.", "", ""]
    assert sampled_videos(lists, users) == ["v1", "v2", "v3", "v4", "v5"]


def test_fewer_users_than_samples_are_all_shown() -> None:
    assert choose_sample_users(explained(["a", "b"])) == ["a", "b"]
