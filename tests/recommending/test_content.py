"""Content: what the models know of the videos, and what it says where nothing is known."""

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from vidrec_tasks.recommending.catalogue.content import Content

FUSED = np.eye(worlds.N_VIDEOS, 4, dtype=np.float32)


def groups(**of: str) -> pd.DataFrame:
    return pd.DataFrame({"video_id": list(of), "group_id": list(of.values())})


def test_rows_follow_the_catalogue() -> None:
    found = Content.of(worlds.catalogue(), FUSED)
    assert found.n_videos == worlds.N_VIDEOS
    assert found.video_ids[:2].tolist() == ["v00", "v01"]
    assert found.creator_ids[7] == "c1"
    assert found.published_at_s[23] == worlds.CUT - 7 * 86_400
    assert found.duration_s[0] == 60
    assert (found.fused.dtype, found.duration_s.dtype) == (np.float32, np.float32)


def test_without_topics_or_duplicates_there_are_none() -> None:
    found = Content.of(worlds.catalogue(), FUSED)
    assert list(found.topics) == [[]] * worlds.N_VIDEOS
    assert (found.group_nums == -1).all()


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_an_unknown_birthday_is_nought(unit: str) -> None:
    published = pd.Series([pd.NaT] * (worlds.N_VIDEOS - 1) + [worlds.NIGHT])
    times = pd.to_datetime(published, utc=True).astype(f"datetime64[{unit}, UTC]")
    found = Content.of(worlds.catalogue(published_at=times), FUSED)
    assert found.published_at_s.tolist() == [0] * (worlds.N_VIDEOS - 1) + [worlds.CUT]


def test_an_unknown_length_is_no_number() -> None:
    found = Content.of(worlds.catalogue(duration_s=np.nan), FUSED)
    assert np.isnan(found.duration_s).all()


def test_videos_of_one_group_share_a_number_and_others_have_none() -> None:
    duplicates = groups(v01="g9", v05="g2", v03="g9", v06="g2", gone="g2")
    found = Content.of(worlds.catalogue(), FUSED, None, duplicates).group_nums
    assert found[1] == found[3] != found[5] == found[6]
    assert min(found[1], found[5]) >= 0
    assert (np.delete(found, [1, 3, 5, 6]) == -1).all()


def test_an_empty_table_of_duplicates_is_none() -> None:
    assert (Content.of(worlds.catalogue(), FUSED, None, groups()).group_nums == -1).all()


def test_a_zero_row_says_that_nothing_is_known() -> None:
    assert Content.of(worlds.catalogue(), FUSED).known_nums.tolist() == [0, 1, 2, 3]


def test_ids_are_found_in_any_order_and_strangers_are_not() -> None:
    found = Content.of(worlds.catalogue(), FUSED)
    assert found.nums_of(["v03", "gone", "v00", "v03"]).tolist() == [3, -1, 0, 3]
    assert found.nums_of(pd.Series(["v02"], dtype="str")).tolist() == [2]
    assert found.nums_of([]).tolist() == []
    assert found.nums_of(found.video_ids).tolist() == list(range(worlds.N_VIDEOS))
