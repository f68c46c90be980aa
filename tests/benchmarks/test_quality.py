"""Quality: what counts as liked, ties in a drawn order, the split, and what is measured."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import quality
from benchmarks.quality import run_peers, split
from benchmarks.quality_events import liked, shuffle_ties, tied_last_share
from benchmarks.quality_results import OURS, Results, print_results
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.catalogue.content import Content

DAY = 86_400.0


def log_of(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Validated events of (user, video, type, day)."""
    events = pd.DataFrame(rows, columns=["user_id", "video_id", "event_type", "day"])
    moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(events.pop("day"), unit="D")
    return events.assign(event_at=moments, watched_s=np.nan, value=np.nan, row_num=range(len(rows)))


def videos_of(ids: str) -> pd.DataFrame:
    never = pd.Series([pd.NaT] * len(ids), dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {"video_id": list(ids), "creator_id": "", "published_at": never, "duration_s": np.nan}
    )


def content_of(n_videos: int) -> Content:
    return Content.of(videos_of("abcdefghijklmnop"[:n_videos]), np.eye(n_videos, dtype=np.float32))


def histories_of(*rows: tuple[int, int, float]) -> Histories:
    """Liked videos as (user, video_num, second)."""
    events = pd.DataFrame(rows, columns=["user_id", "video_num", "second"])
    events["event_at"] = pd.to_datetime(events.pop("second"), unit="s", utc=True)
    return gather(events.astype({"user_id": str}).assign(weight=1.0))


def test_rows_of_one_second_are_drawn_by_the_seed_and_others_keep_their_order() -> None:
    rows = [("u", f"v{n:02}", "play", 0.0) for n in range(20)]
    events = log_of(*rows, ("u", "late", "play", 2.0), ("u", "early", "play", -1.0))
    seven, again, eight = (shuffle_ties(events, seed=seed) for seed in (7, 7, 8))
    assert seven["video_id"].tolist() == again["video_id"].tolist()
    assert seven["video_id"].tolist() != eight["video_id"].tolist()
    assert seven["video_id"].tolist()[1:-1] != sorted(seven["video_id"].tolist()[1:-1])
    assert (seven["video_id"].iloc[0], seven["video_id"].iloc[-1]) == ("early", "late")
    assert sorted(seven["video_id"]) == sorted(events["video_id"])


def test_the_last_of_equal_times_is_each_of_them_alike() -> None:
    rows = [(f"u{n:03}", video, "rating", 0.0) for n in range(300) for video in ("a", "b", "c")]
    last = shuffle_ties(log_of(*rows), seed=7).groupby("user_id")["video_id"].last()
    assert last.value_counts().min() > 70  # 100 expected, sorted by film it was 0


def test_the_share_of_users_with_a_tie_at_the_end_is_told() -> None:
    histories = histories_of((0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 2), (2, 0, 1), (3, 0, 3))
    assert tied_last_share(histories) == 0.25


def test_of_other_logs_only_what_the_jobs_weigh_above_nothing_counts() -> None:
    events = log_of(
        ("u", "a", "impression", 0), ("u", "b", "play", 0), ("u", "c", "dislike", 0),
        ("u", "d", "like", 0), ("u", "e", "play", 0), ("u", "e", "dislike", 0.001),
        ("u", "f", "skip", 0),
    )  # fmt: skip
    kept = liked(events, videos_of("abcdef"))
    assert sorted(kept["video_id"]) == ["b", "d"]


def test_every_rating_counts_in_a_log_of_ratings_alone() -> None:
    events = log_of(("u", "a", "rating", 0), ("u", "b", "rating", 0)).assign(value=[0.5, 5.0])
    assert liked(events, videos_of("ab"))["video_id"].tolist() == ["a", "b"]


def test_a_split_by_time_tells_how_long_its_window_is_and_learns_nothing_of_it() -> None:
    rows = [(user, user % 5 + day % 3, day * DAY) for user in range(6) for day in range(20)]
    histories = histories_of(*rows)
    task = split(content_of(8), histories, "time")
    cut = int(histories.event_at.max()) - task.window_s
    assert task.window_s > 0
    assert int(task.train.event_at.max()) < cut
    assert task.train.n_events == int((histories.event_at < cut).sum())
    assert split(content_of(8), histories, "loo").window_s == 0


def test_peers_are_given_the_training_events_alone_and_come_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [(user, user + day, day * DAY) for user in range(3) for day in range(10)]
    task = split(content_of(12), histories_of(*rows), "time")
    calls = []

    def fitted(module: str, folder: str, name: str, *how: str) -> None:
        calls.append((module, name, how))
        with np.load(Path(folder) / "train.npz") as found:
            assert found["event_at"].max() == task.train.event_at.max()
            assert len(found["user_id"]) == task.train.n_events
        n_asked = len(np.load(Path(folder) / "users.npy"))
        np.save(Path(folder) / f"{name}.lists.npy", np.tile(np.arange(20), (n_asked, 1)))
        (Path(folder) / f"{name}.seconds").write_text("1.5")

    monkeypatch.setattr(quality, "run_in_bench_venv", fitted)
    peers = run_peers(task, ("popular", "als"), "time", 7)
    name, lists, seconds = next(peers)
    assert (name, seconds, lists.shape) == ("popular", 1.5, (3, 20))
    how = ("--protocol", "time", "--window-s", str(task.window_s), "--seed", "7")
    assert calls == [("benchmarks.peers", "popular", how)]
    assert [name for name, *_ in peers] == ["als"]


def measured(*, with_new_videos: bool) -> Results:
    train = histories_of((0, 0, 0), (0, 1, 1), (1, 1, 2))
    held_out = [np.array([2]), np.array([0, 3])]  # nobody had liked 2 and 3 before
    results = Results(train, held_out, 4, with_new_videos=with_new_videos)
    results.add(OURS, np.array([[2, 3], [0, 3]]), 1.0)
    results.add("popular", np.array([[3, -1], [0, 2]]), 0.1)
    results.add("als", np.array([[3, 2], [3, 2]]), 0.2)
    return results


def test_the_best_peer_is_named_and_compared_with() -> None:
    found = measured(with_new_videos=False).to_json()
    assert found["figures"]["best_peer"] == "als"
    assert found["ratios"]["ndcg_vs_best_peer"] == pytest.approx(
        found["systems"][OURS]["ndcg@10"] / found["systems"]["als"]["ndcg@10"]
    )
    assert found["figures"]["n_users"] == 2
    assert "new_videos_recall@20" not in found["figures"]


def test_videos_that_nobody_had_liked_before_are_measured_apart() -> None:
    figures = measured(with_new_videos=True).to_json()["figures"]
    assert figures["new_videos_recall@20"] == {OURS: 1.0, "popular": 0.0, "als": 1.0}
    assert (figures["n_users_new_videos"], figures["n_new_videos"]) == (2, 2)


def test_results_without_a_peer_have_no_ratio_and_are_still_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    results = Results(histories_of((0, 0, 0)), [np.array([1])], 2, with_new_videos=True)
    results.add(OURS, np.array([[1, -1]]), 1.0)
    found = results.to_json()
    assert found["ratios"]["ndcg_vs_best_peer"] is None
    print_results(found)
    printed = capsys.readouterr().out
    assert "1 users" in printed
    assert "recall@20 of 1 videos that nobody had liked before, 1 users:" in printed


def test_the_table_has_the_best_first_and_names_the_best_peer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_results(measured(with_new_videos=True).to_json())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [OURS, "als", "popular"]
    assert lines[4] == "2 users"
    assert lines[5].endswith("times the best peer, als")


def test_seen_frames_are_not_changed() -> None:
    events = log_of(("u", "a", "play", 1), ("u", "b", "play", 0))
    before = events.copy()
    liked(events, videos_of("ab"))
    shuffle_ties(events, seed=7)
    pd.testing.assert_frame_equal(events, before)
