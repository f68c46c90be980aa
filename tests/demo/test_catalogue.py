"""The planned catalogue of the default world."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.demo.catalogue import catalogue_table, plan_catalogue
from vidrec_tasks.demo.planned import Market, PlannedVideo
from vidrec_tasks.demo.size import Size
from vidrec_tasks.errors import SettingsError

Planned = tuple[list[PlannedVideo], Market]


@pytest.fixture(scope="module")
def usual() -> Planned:
    return plan_catalogue(Size())


def test_the_special_cases_are_there(usual: Planned) -> None:
    roles = Counter(video.role for video in usual[0])
    assert roles == {
        "plain": 49, "reupload": 3, "corrupt": 1, "no media": 1, "new": 1, "expired": 2,
        "inactive": 1, "one region": 1, "age rated": 1,
    }  # fmt: skip


def test_a_reupload_is_later_smaller_and_of_the_same_length(usual: Planned) -> None:
    by_id = {video.video_id: video for video in usual[0]}
    copies = [video for video in usual[0] if video.reupload_of]
    for copy in copies:
        source = by_id[copy.reupload_of]
        assert source.role == "plain"
        assert copy.published_at > source.published_at
        assert copy.duration_s == source.duration_s
        assert copy.shape < source.shape
        assert copy.title != source.title


def test_the_wanted_topic_has_few_videos_and_none_of_its_creators_is_affected(
    usual: Planned,
) -> None:
    videos, market = usual
    counts = Counter(video.topics[0].name for video in videos)
    assert counts[market.underserved] < 0.6 * np.median(list(counts.values()))
    makers = {video.creator_id for video in videos if market.underserved in video.topic_names}
    assert market.affected
    assert not makers & set(market.affected)


def test_most_videos_have_tags_and_all_of_the_wanted_topic(usual: Planned) -> None:
    videos, market = usual
    n_tagged = sum(bool(video.tags) for video in videos)
    assert 0.7 * len(videos) < n_tagged < len(videos)
    assert all(video.tags for video in videos if market.underserved in video.topic_names)


def test_length_tells_nothing_of_the_topic() -> None:
    videos, _ = plan_catalogue(Size(videos=600))
    length = np.log([video.duration_s for video in videos])
    for name in {video.topics[0].name for video in videos}:
        mine = [video.topics[0].name == name for video in videos]
        assert abs(length[mine].mean() - length.mean()) < 0.1


@settings(max_examples=15, deadline=None)
@given(videos=st.integers(8, 150), seed=st.integers(0, 10_000), nights=st.integers(4, 30))
def test_any_world_is_one_that_the_contract_holds(videos: int, seed: int, nights: int) -> None:
    size = Size(videos=videos, seed=seed, nights=nights)
    planned, _ = plan_catalogue(size)
    table = catalogue_table(planned)
    assert table["video_id"].is_unique
    assert len(table) == videos
    first, last = (str(night) for night in size.two_nights)
    for video in planned:
        assert str(video.published_at) < (last if video.role == "new" else first)
        assert video.updated_at is None or video.updated_at >= video.published_at
        assert video.updated_at is None or str(video.updated_at) < first
        assert video.duration_s * video.fps == pytest.approx(round(video.duration_s * video.fps))


def test_a_world_that_is_too_small_is_refused() -> None:
    with pytest.raises(SettingsError, match="--videos 3, at least 8"):
        Size(videos=3)
