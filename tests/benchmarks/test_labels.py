"""Labels: only what was shown is ranked again, by what was watched of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.labels import DEFAULT, LABELS, Found, Shown, main, show_again, watched_of_first
from tests.benchmarks.test_quality import log_of, videos_of
from vidrec_tasks.errors import InputError

CUT = pd.Timestamp("2026-01-11", tz="UTC")


def shown_of(*rows: tuple[int, int, float]) -> Shown:
    """Showings of (user, video_num, seconds)."""
    users, nums, seconds = (np.array(column) for column in zip(*rows, strict=True))
    ids = np.array([f"u{num}" for num in range(users.max() + 1)], dtype=object)
    return Shown(ids, users, nums, seconds.astype(float))


def seconds_of(shown: Shown, videos: pd.DataFrame) -> dict[str, float]:
    ids = videos["video_id"].to_numpy()[shown.video_nums]
    return dict(zip(ids, shown.watched_s, strict=True))


def test_what_was_shown_first_after_the_cut_is_ranked_with_the_seconds_watched() -> None:
    events = log_of(
        ("u", "a", "play", 1), ("u", "a", "play", 12), ("u", "b", "impression", 12),
        ("u", "c", "play", 12), ("u", "c", "play", 13), ("u", "d", "like", 12),
    )  # fmt: skip
    events["watched_s"] = [9, 9, np.nan, 4, 5, np.nan]
    videos = videos_of("abcd")
    shown = show_again(events, videos, CUT, n=1, seed=7)
    assert seconds_of(shown, videos) == {"b": 0.0, "c": 9.0}
    assert shown.user_ids.tolist() == ["u"]


def test_who_was_shown_no_more_than_a_list_or_is_new_is_left_out() -> None:
    rows = [("u", "a", "play", 1), *[("u", video, "play", 12) for video in "bcd"]]
    rows += [("few", "a", "play", 1), ("few", "b", "play", 12)]
    rows += [("new", video, "play", 12) for video in "bcd"]
    shown = show_again(log_of(*rows), videos_of("abcd"), CUT, n=2, seed=7)
    assert shown.user_ids.tolist() == ["u"]


def test_a_log_in_which_nobody_was_shown_enough_is_refused() -> None:
    events = log_of(("u", "a", "play", 1), ("u", "b", "play", 12))
    with pytest.raises(InputError, match="none of 1 users was shown more than 5 new videos"):
        show_again(events, videos_of("ab"), CUT, n=5, seed=7)


def test_the_order_in_which_videos_were_shown_breaks_no_tie() -> None:
    rows = [("u", "a", "play", 1.0)] + [("u", video, "play", 12.0) for video in "bcdefghijklm"]
    events, videos = log_of(*rows), videos_of("abcdefghijklm")
    orders = {tuple(show_again(events, videos, CUT, n=2, seed=s).video_nums) for s in range(5)}
    assert len(orders) == 5


def test_the_seconds_of_the_first_videos_count() -> None:
    shown = shown_of((0, 1, 10), (0, 2, 30), (0, 3, 5), (1, 1, 8), (1, 2, 2), (1, 3, 0))
    scores = np.array([3.0, 2.0, 1.0, 0.0, 0.5, 1.0])
    assert watched_of_first(scores, shown, n=2).tolist() == [20.0, 1.0]
    assert watched_of_first(shown.watched_s, shown, n=1).tolist() == [30.0, 8.0]


def many(seconds: float) -> np.ndarray:
    return np.tile([seconds, seconds + 1], 300)


def test_a_label_is_better_only_beyond_doubt_and_of_enough_users() -> None:
    shown = shown_of(*((user, video, 1.0) for user in range(600) for video in range(3)))
    found = Found(shown, 2, {"unknown_duration_share": 0.2})
    found.add(DEFAULT, many(10), 1.0)
    found.add("seconds", many(11), 1.0)
    found.add("long_view", many(9), 1.0)
    assert found.to_json()["better_than_default"] == ["seconds"]
    few = Found(shown_of((0, 0, 1.0), (0, 1, 1.0)), 1, {"unknown_duration_share": 0.2})
    few.add(DEFAULT, np.array([1.0]), 1.0)
    few.add("seconds", np.array([2.0]), 1.0)
    assert few.to_json()["better_than_default"] == []
    assert few.to_json()["figures"]["claim"] == "none: 1 users are too few"
    assert "none: 1 users are too few" in few.to_text()


def test_the_command_prints_and_keeps_every_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Long videos are watched for longer, short ones as a whole; a fifth has no length."""
    rng = np.random.default_rng(3)
    rows = []
    for place in range(1500):
        user, video = rng.integers(0, 30), rng.integers(0, 60)
        length_s = 10 if video % 2 else 120
        watched_s = length_s * rng.uniform(0.3, 1.0)
        known_ms = 0 if video % 5 == 0 else 1000 * length_s
        at = 1_767_225_600_000 + place * 600_000
        rows.append((user, video, at, int(1000 * watched_s), known_ms, 1, 0))
    names = ["user_id", "video_id", "time_ms", "play_time_ms", "duration_ms", "is_click", "is_hate"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "sample.csv", index=False)
    path = tmp_path / "labels.json"
    main(["--preset", "kuairand", "--from", str(tmp_path), "--n", "2", "--json", str(path)])
    kept = json.loads(path.read_text())
    printed = capsys.readouterr().out
    assert set(kept["labels"]) == set(LABELS)
    assert all(label in printed for label in LABELS)
    assert kept["figures"]["unknown_duration_share"] == pytest.approx(0.2, abs=0.05)
    best = kept["beside"]["best_possible"]["value"]
    assert all(0 < row["value"] <= best for row in kept["labels"].values())
