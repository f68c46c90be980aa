"""Lexical search in a catalogue of a few titles whose right order is known."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.searching.lexical import LexicalIndex, joined

TITLES = ["Cats on a sofa", "Dogs and cats", "A rocket starts", "可爱的小猫", ""]


def scores(query: str, *fields: tuple[float, list[str]]) -> list[float]:
    index = LexicalIndex.of(list(fields) or [(1.0, TITLES)])
    return [float(score) for score in index.scores([query])[0]]


def best(query: str, *fields: tuple[float, list[str]]) -> int:
    return int(np.argmax(scores(query, *fields)))


def test_the_title_with_both_words_comes_first() -> None:
    assert best("cat sofa") == 0
    assert best("a dog with a cat") == 1


def test_a_query_without_a_shared_word_scores_nothing() -> None:
    assert scores("submarine") == [0.0] * 5


def test_words_of_grammar_do_not_match_beside_others() -> None:
    assert scores("a submarine on the sea") == [0.0] * 5


def test_a_query_of_grammar_alone_is_searched_for_as_it_is() -> None:
    assert scores("on a")[0] > 0


def test_chinese_is_found_by_its_characters() -> None:
    assert best("小猫") == 3
    assert scores("狗")[3] == 0


def test_a_pair_of_characters_says_more_than_the_same_two_apart() -> None:
    together, apart = scores("小猫", (1.0, ["小猫", "猫很小"]))
    assert together > apart


def test_a_rare_word_says_more_than_a_frequent_one() -> None:
    assert best("cat rocket") == 2


def test_a_heavier_field_wins() -> None:
    titles, descriptions = ["rocket", "moon"], ["moon", "rocket"]
    assert best("moon", (2.0, titles), (1.0, descriptions)) == 1


def test_videos_without_a_term_have_no_text() -> None:
    assert LexicalIndex.of([(1.0, TITLES)]).has_text.tolist() == [True] * 4 + [False]


def test_tags_are_joined_without_making_pairs_across_them() -> None:
    assert joined([["cat", "小"], []]) == ["cat · 小", ""]


def test_an_empty_catalogue_can_be_asked() -> None:
    assert LexicalIndex.of([(1.0, [])]).scores(["cat"]).shape == (1, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=6), st.text(max_size=20))
def test_scores_are_finite_and_never_below_zero(texts: list[str], query: str) -> None:
    result = LexicalIndex.of([(1.0, texts)]).scores([query, *texts])
    assert np.isfinite(result).all()
    assert (result >= 0).all()
