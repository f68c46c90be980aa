"""Topics of many videos, each name held once: they read as the lists they were made of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.audience.topics import TopicLists, topic_matrix

LISTS = st.lists(st.lists(st.sampled_from(["b", "a", "猫", "", "a b"]), max_size=4), max_size=9)


@given(LISTS)
def test_they_are_read_as_the_lists_they_were_made_of(lists: list[list[str]]) -> None:
    kept = TopicLists.of(iter(lists))
    assert list(kept) == lists
    assert [kept[num] for num in range(len(kept))] == lists
    assert kept[1:3] == lists[1:3]
    assert kept.names == sorted({name for names in lists for name in names})


@given(LISTS)
def test_their_matrix_has_a_one_for_each_topic_that_a_video_carries(
    lists: list[list[str]],
) -> None:
    for made_of in (lists, TopicLists.of(lists)):
        matrix, names = topic_matrix(made_of)
        assert list(made_of) == lists  # as it was
        wanted = [[float(name in own) for name in names] for own in lists]
        np.testing.assert_array_equal(
            matrix.toarray(), np.array(wanted).reshape(len(lists), len(names))
        )
        assert matrix.has_sorted_indices


@given(LISTS, st.lists(st.integers(-1, 8), max_size=12))
def test_some_of_them_are_taken_as_often_as_they_are_named(
    lists: list[list[str]], nums: list[int]
) -> None:
    wanted = [num for num in nums if num < len(lists)]
    taken = TopicLists.of(lists).taken(np.array(wanted, dtype=np.int64))
    assert list(taken) == [[] if num < 0 else lists[num] for num in wanted]
    assert TopicLists.of([]).taken(np.full(2, -1))[1] == []


def test_what_is_kept_already_is_not_made_again() -> None:
    kept = TopicLists.of([["a"]])
    assert TopicLists.of(kept) is kept
