"""Topics: tags first, those of the card else; and how telling a topic is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audience.worlds import catalogue
from vidrec_tasks.audience.topics import MAX_TOPICS, topic_idf, topic_matrix, video_topics

OF_CARD = ["street food", "Tokyo"]


def topics(told: Any = None, **video: Any) -> list[str]:
    (found,) = video_topics(catalogue(v=video), [told])
    return found


def test_tags_come_first_then_categories_each_once_in_lower_case() -> None:
    assert topics(tags=["Jazz", "big  band"], categories=["MUSIC", "jazz"]) == [
        "jazz",
        "big band",
        "music",
    ]


def test_the_card_stands_in_only_where_there_are_no_tags() -> None:
    assert topics(OF_CARD, tags=["jazz"]) == ["jazz"]
    assert topics(OF_CARD, categories=["music"]) == ["music"]
    assert topics(OF_CARD) == ["street food", "tokyo"]


@pytest.mark.parametrize("told", [None, []])
def test_a_video_of_which_nothing_is_known_has_no_topic(told: Any) -> None:
    assert topics(told) == []


def test_a_video_keeps_the_topics_it_names_first() -> None:
    named = [f"t{num:02d}" for num in range(MAX_TOPICS + 5)]
    assert topics(tags=named) == named[:MAX_TOPICS]


def test_cards_of_another_number_of_videos_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        video_topics(catalogue(a={}, b={}), [None])


carried = st.lists(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6), max_size=6)


@settings(max_examples=50, deadline=None)
@given(carried)
def test_the_matrix_says_who_carries_what_once(topics: list[list[str]]) -> None:
    matrix, names = topic_matrix(topics)
    assert matrix.shape == (len(topics), len(names))
    assert names == sorted({name for row in topics for name in row})
    dense = matrix.toarray()
    expected = [[float(name in row) for name in names] for row in topics]
    np.testing.assert_array_equal(dense, np.array(expected).reshape(dense.shape))


def test_a_rare_topic_tells_more_and_one_that_all_carry_hardly_anything() -> None:
    matrix, names = topic_matrix([["all", "rare"], ["all"], ["all"], ["all"]])
    idf = dict(zip(names, topic_idf(matrix), strict=True))
    assert idf == {"all": pytest.approx(np.log(4.5 / 4)), "rare": pytest.approx(np.log(4.5))}
    assert idf["rare"] > 12 * idf["all"] > 0
