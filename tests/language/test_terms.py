"""Terms: words folded, plurals cut, scripts without spaces in pairs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.language.terms import count_terms, split_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Cats, DOGS & Café!", ["cat", "dog", "cafe"]),
        ("stories of boxes and buses", ["story", "of", "box", "and", "buse"]),
        ("glass bus basis", ["glass", "bus", "basis"]),
        ("the dog's don't", ["the", "dog", "dont"]),
        ("see https://a.example/cats now", ["see", "now"]),
        ("ＡＢＣ ４２", ["abc", "42"]),
        ("小猫咪", ["小", "猫", "咪", "小猫", "猫咪"]),
        ("vlog猫2024", ["vlog", "猫", "2024"]),
        ("हिन्दी गाने", ["हिन्दी", "गाने"]),
        ("", []),
        ("🍟 … !", []),
    ],
)
def test_a_text_has_these_terms(text: str, terms: list[str]) -> None:
    assert split_terms(text) == terms


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("box", "boxes"), ("movie", "movies"), ("city", "cities"), ("dish", "dishes"),
        ("pie", "pies"), ("cat", "cats"),
    ],
)  # fmt: skip
def test_one_and_many_are_the_same_term(one: str, many: str) -> None:
    assert split_terms(one) == split_terms(many)


def test_terms_that_the_vocabulary_lacks_are_not_counted() -> None:
    _, vocabulary = count_terms(["a cat", "a dog"])
    counts, _ = count_terms(["cat cat bird"], vocabulary)
    assert (counts.sum(), counts[0, vocabulary["cat"]]) == (2, 2)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=5))
def test_every_term_is_counted_once_for_each_time_it_stands(texts: list[str]) -> None:
    counts, vocabulary = count_terms(texts)
    assert counts.shape == (len(texts), len(vocabulary))
    assert counts.sum() == sum(len(split_terms(text)) for text in texts)
