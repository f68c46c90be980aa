"""Portrait passages: what of a portrait its vector is made of."""

import numpy as np
import numpy.typing as npt
import pytest

from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_passages import (
    Centre,
    Passage,
    passages_of,
    pool_passages,
    telling_names,
)

FACTS = (
    Fact("topic", "cats", n=6, of=9, number=1),
    Fact("topic", "everywhere", n=9, of=9, number=2),
    Fact("title", "A cat", of_id="v", number=3),
    Fact("when", "evening", n=6, of=9, number=4),
)
AXES = {"cats": 0, "everywhere": 1, "A cat": 2}


def encode(texts: list[str]) -> npt.NDArray[np.float32]:
    """Each known text on an axis of its own, all of them also on a common one."""
    vectors = np.zeros((len(texts), 5), dtype=np.float32)
    vectors[:, 4] = 1.0
    for row, text in enumerate(texts):
        vectors[row, AXES.get(text, 3)] = 1.0
    return vectors


def test_topics_count_by_how_often_and_how_telling_and_titles_alike() -> None:
    telling = telling_names([["cats", "everywhere"], ["everywhere"], ["everywhere"]])
    passages = {passage.text: passage.weight for passage in passages_of(FACTS, (1, 2, 3), telling)}
    assert passages["A cat"] == 1.0
    assert passages["cats"] + passages["everywhere"] == pytest.approx(1.0)
    assert passages["cats"] > 2 * passages["everywhere"]


def test_only_what_the_sentences_state_is_in_the_vector() -> None:
    assert passages_of(FACTS, (3, 4), {}) == [Passage("title", "A cat", 1.0)]


def test_what_names_of_the_catalogue_have_in_common_is_taken_off() -> None:
    centre = Centre.of([f"t{num}" for num in range(500)], [f"T{num}" for num in range(20)])
    assert (len(centre.topics), len(centre.titles)) == (128, 20)
    (vector,) = pool_passages([[Passage("topic", "cats", 1.0)]], centre, encode)
    assert vector[4] == 0
    assert np.linalg.norm(vector) == pytest.approx(1.0)


def test_few_names_have_nothing_in_common_that_is_known() -> None:
    (vector,) = pool_passages([[Passage("topic", "cats", 1.0)]], Centre.of(["a"], ["B"]), encode)
    assert vector[4] > 0


def test_a_portrait_that_names_nothing_has_no_direction() -> None:
    vectors = pool_passages([[], [Passage("title", "A cat", 1.0)]], Centre((), ()), encode)
    assert (vectors[0] == 0).all()
    assert vectors[1, 2] > 0
