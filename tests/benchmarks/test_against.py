"""Against: what counts as turned away later, and what is said of two kinds of lists."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.against import (
    WITHOUT,
    PerUser,
    asked_of,
    lists_of,
    measure,
    summarise,
    with_weight,
)
from benchmarks.against_events import Later, divide
from benchmarks.quality_results import OURS
from tests.benchmarks.test_quality import content_of, histories_of
from tests.recommending import worlds
from tests.recommending.test_turning_away import with_events
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.ranker import score
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import RecommendingSettings

DAY = pd.Timedelta(days=1)


def content(videos: pd.DataFrame) -> Content:
    return Content.of(videos, np.eye(len(videos), dtype=np.float32))


def divided(*rows: tuple[str, str, str, float], one_cut: bool) -> Later:
    """A log of (user, video, type, day), nothing of it left out for being rare."""
    events = pd.DataFrame(rows, columns=["user_id", "video_id", "event_type", "day"])
    moments = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(events.pop("day"), unit="D")
    events = events.assign(event_at=moments, watched_s=np.nan, value=np.nan)
    events = events.sort_values(["user_id", "event_at"], ignore_index=True)
    events = events.assign(row_num=range(len(rows)))
    ids = sorted(events["video_id"].unique())
    never = pd.Series([pd.NaT] * len(ids), dtype="datetime64[us, UTC]")
    videos = pd.DataFrame(
        {"video_id": ids, "creator_id": "", "published_at": never, "duration_s": np.nan}
    )
    return divide(videos, events, one_cut=one_cut, k=1, contents=content)


def test_of_each_user_the_last_fifth_is_asked_for_by_what_it_says() -> None:
    early = [("u", video, "like", day) for day, video in enumerate("abcdefgh")]
    later = divided(*early, ("u", "y", "dislike", 8), ("u", "z", "like", 9), one_cut=False)
    (user,) = asked_of(later)
    ids = later.content.video_ids
    assert ids[later.turned_away[user]].tolist() == ["y"]
    assert ids[later.liked[user]].tolist() == ["z"]
    assert len(later.train.video_nums) == 8
    assert later.window_s == 0


def test_one_cut_divides_everybody_and_strangers_are_not_asked() -> None:
    early = [("u", f"v{num:02}", "like", num) for num in range(18)]
    later = divided(*early, ("u", "x", "dislike", 18), ("new", "x", "dislike", 19), one_cut=True)
    asked = asked_of(later)
    assert later.train.user_ids[asked].tolist() == ["u"]
    assert later.window_s == DAY.total_seconds()


def test_what_is_turned_away_again_is_not_new_and_the_last_word_counts() -> None:
    early = [("u", video, "like", day) for day, video in enumerate("abcdefgh")]
    rows = [("u", "a", "dislike", 8), ("u", "z", "like", 8.5), ("u", "z", "dislike", 9.5)]
    later = divided(*early, *rows, one_cut=False)
    (user,) = asked_of(later)
    assert later.content.video_ids[later.turned_away[user]].tolist() == ["z"]
    assert len(later.liked[user]) == 0


def test_lists_are_counted_by_what_came_of_their_videos() -> None:
    train = histories_of((0, 0, 1), (1, 0, 1))
    none = np.zeros(0, dtype=np.int64)
    later = Later(content_of(8), train, [np.array([1]), none], [np.array([2, 3]), np.array([4])])
    found = measure(np.array([[1, 2, 5], [4, 6, 7]]), later)
    assert found.turned_away.tolist() == [1, 1]
    assert found.liked.tolist() == [1, 0]
    assert found.ndcg.tolist() == [1.0]


def test_ratios_say_how_much_less_is_turned_away() -> None:
    later = Later(content_of(2), histories_of((0, 0, 1)), [np.array([1])], [np.array([1])])
    n = 600
    plain = PerUser(np.full(n, 0.2), np.tile([0.0, 2.0], n // 2), np.ones(n))
    ours = PerUser(np.full(n, 0.3), np.tile([0.0, 1.0], n // 2), np.ones(n))
    found = summarise({0.0: plain, 2.0: ours}, later, default=2.0)
    assert set(found["systems"]) == {OURS, WITHOUT}
    ratios = found["ratios"]
    assert ratios["turned_away_vs_without"] == pytest.approx(0.5)
    assert ratios["turned_away_vs_without_high"] == pytest.approx(0.5)
    assert ratios["ndcg_vs_without"] == pytest.approx(1.5)
    assert ratios["turned_away_of_met_vs_without"] == pytest.approx((1 / 3) / (1 / 2))
    assert found["systems"][OURS]["turned_away_share"] == pytest.approx(0.05)
    assert "claim" not in found["figures"]


def test_of_few_users_nothing_is_claimed() -> None:
    later = Later(content_of(2), histories_of((0, 0, 1)), [np.array([1])], [np.array([1])])
    few = PerUser(np.ones(3), np.ones(3), np.ones(3))
    assert summarise({0.0: few, 2.0: few}, later, default=2.0)["figures"]["claim"]


def test_lists_with_no_weight_are_those_without_the_part() -> None:
    """The worlds of the recommender's own tests, in which some users turn videos away."""
    histories = with_events(*((f"u{num:02}", 20, -2.0) for num in range(0, 40, 2)))
    settings = RecommendingSettings(dim=16, max_epochs=2, max_sequence=8, n_candidates=20)
    models = fit_models(histories, worlds.content(), settings, cut=worlds.CUT, half_life_days=30)
    everything = [np.arange(3)] * histories.n_users
    later = Later(worlds.content(), histories, everything, everything)
    lists = lists_of(models, later, settings)
    bare = with_weight(models, 0.0)
    (_, block), *_ = histories.blocks()
    nums = lists[0.0][: block.n_users]
    scores = score(bare, block, nums, scorer=models.configuration.scorer)
    for row, found in zip(scores, nums, strict=True):
        assert (np.diff(row[found >= 0]) <= 1e-9).all()
    assert any((lists[0.0] != lists[weight]).any() for weight in lists)
