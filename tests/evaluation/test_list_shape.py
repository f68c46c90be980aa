import pandas as pd
import pytest

from vidrec_tasks.evaluation.list_shape import ListShape, measure_shape


def lists(rows: dict[str, str]) -> pd.DataFrame:
    """User -> the letters of their videos."""
    pairs = [(user, video) for user, videos in rows.items() for video in videos]
    return pd.DataFrame(pairs, columns=["user_id", "video_id"])


def many(videos: str, n: int = 20) -> pd.DataFrame:
    return lists({f"u{user}": videos for user in range(n)})


def test_lists_that_are_alike_overlap_wholly_and_lists_apart_not_at_all() -> None:
    assert measure_shape(lists({"u1": "ab", "u2": "ab", "u3": "ba"})).overlap() == 1
    assert measure_shape(lists({"u1": "ab", "u2": "cd", "u3": "ef"})).overlap() == 0


def test_the_overlap_is_the_mean_over_pairs() -> None:
    # pairs share 1, 0 and 1 of 2 videos
    assert measure_shape(lists({"u1": "ab", "u2": "bc", "u3": "ad"})).overlap() == pytest.approx(
        1 / 3
    )


def test_the_top_hundredth_of_videos_is_one_video_at_least() -> None:
    shape = measure_shape(lists({"u1": "ab", "u2": "ac", "u3": "ad"}))
    assert shape.top_share(100) == 0.5
    assert shape.top_share(101) == pytest.approx(4 / 6)


def test_coverage_asks_no_more_than_rows_allow() -> None:
    shape = measure_shape(lists({"u1": "ab", "u2": "ac"}))
    assert shape.coverage(1000) == 0.75
    assert shape.coverage(3) == 1


def test_churn_is_what_left_the_lists_of_users_who_still_have_one() -> None:
    before = pd.concat([many("abcd"), lists({"left": "xyz"})])
    assert measure_shape(many("abef"), before).churn() == 0.5
    assert measure_shape(many("abcd"), before).churn() == 0


def test_churn_of_few_users_says_nothing() -> None:
    assert measure_shape(many("ab", 19), many("cd", 19)).churn() is None
    assert measure_shape(many("ab")).churn() is None


def test_few_users_or_a_small_catalogue_say_nothing_of_likeness() -> None:
    shape = measure_shape(many("ab"))
    assert shape.is_telling(50, 10)
    assert not shape.is_telling(49, 10)
    assert not measure_shape(many("ab", 19)).is_telling(50, 10)


def test_shards_add_up() -> None:
    one, two = lists({"u1": "ab"}), lists({"u2": "ac"})
    parts = [measure_shape(one, two), measure_shape(two, one)]
    assert sum(parts, ListShape()) == ListShape(
        measure_shape(pd.concat([one, two])).videos, 2, 0, 0, 0
    )
