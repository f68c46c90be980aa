import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.language.grounding import is_grounded, sentence_shape

NAMES = ["street food", "jazz", "cats"]
EVIDENCE = ["9 videos about jazz", "14 videos about cats", "mostly in the evening", "short videos"]


def verdict(sentence: str, *, min_names: int = 2) -> str:
    return is_grounded(sentence, EVIDENCE, names=NAMES, min_names=min_names).reason


@pytest.mark.parametrize(
    "sentence",
    [
        "This user enjoys videos about street food, jazz and cats.",
        "This user watches jazz and cats, mostly in the evening.",
        "This user has watched 9 videos about jazz and 14 videos about cats.",
        "Cats and jazz are topics this user keeps coming back to.",
        "This user is a fan of short videos about cats and street food.",
    ],
)
def test_a_sentence_of_evidence_and_watching_is_grounded(sentence: str) -> None:
    assert verdict(sentence) == ""


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("This user enjoys jazz, cats and opera.", "opera"),
        ("This user has watched 14 videos about jazz and cats.", "14"),
        ("This user has watched 10 videos about cats and jazz.", "10"),
        ("This user enjoys food, jazz and cats.", "food"),
        ("This user mostly enjoys jazz and cats.", "mostly"),
        ("This user does not like jazz and cats.", "does"),
        ("This user likes jazz and cats less than street food.", "less"),
        ("This user enjoys jazz and cats every evening.", "every"),
        ("This user enjoys acid-jazz and cats.", "acid-jazz"),
        ("This user enjoys jazz and cats in Paris.", "Paris"),
    ],
)
def test_a_word_that_the_evidence_does_not_hold_is_found(sentence: str, why: str) -> None:
    assert verdict(sentence) == f"not in the evidence: {why!r}"


@pytest.mark.parametrize(
    "sentence",
    [
        "This young user enjoys jazz and cats.",
        "She enjoys jazz and cats.",
        "This user enjoys jazz and cats with her children.",
        "This user is a man who enjoys jazz and cats.",
        "This pregnant user enjoys jazz and cats.",
        "This user is a conservative and enjoys jazz and cats.",
        "This Muslim user enjoys jazz and cats.",
        "This gay user enjoys jazz and cats.",
        "This 30-year-old user enjoys jazz and cats.",
        "This depressed user enjoys jazz and cats.",
    ],
)
def test_a_sensitive_attribute_is_never_published(sentence: str) -> None:
    assert verdict(sentence) == "sensitive attribute"


def test_a_sensitive_attribute_in_the_evidence_is_no_excuse() -> None:
    assert not is_grounded("This user enjoys islam.", ["islam"]).ok


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "This user enjoys jazz and cats",
        "this user enjoys jazz and cats.",
        "This user enjoys jazz. This user enjoys cats.",
        "This user enjoys <b>jazz</b> and cats.",
        "This user enjoys jazz and cats 😀.",
        "This user enjoys " + "jazz and cats " * 30 + ".",
    ],
)
def test_what_is_not_one_plain_sentence_is_refused(sentence: str) -> None:
    assert verdict(sentence) != ""


def test_two_of_three_topics_must_be_named() -> None:
    assert verdict("This user likes videos about cats.") == "names 1 of 2 topics"


def test_a_name_within_another_name_is_not_named() -> None:
    verdict = is_grounded(
        "This user enjoys street food.", [], names=["food", "street food"], min_names=2
    )
    assert verdict.reason == "names 1 of 2 topics"


def test_a_sentence_that_repeats_itself_is_refused() -> None:
    assert verdict("This user enjoys jazz, cats and jazz.") == "repeats 'jazz'"


def test_a_name_with_capitals_matches_by_case_only() -> None:
    assert is_grounded("This user likes US.", ["US"]).ok
    assert not is_grounded("This user likes us.", ["US"]).ok


def test_a_shape_is_the_sentence_without_its_evidence() -> None:
    phrases = [*EVIDENCE, *NAMES]
    shape = sentence_shape("This user enjoys jazz, cats and street food.", phrases)
    assert shape == sentence_shape("This user enjoys cats and jazz.", phrases)


@given(
    st.lists(st.sampled_from(["jazz", "cats", "opera", "enjoys", "ill", "9", "not"]), max_size=8)
)
def test_a_loose_word_never_passes_whatever_is_beside_it(words: list[str]) -> None:
    sentence = "This user " + " ".join(words) + "."
    if {"opera", "ill", "9", "not"} & set(words):
        assert not is_grounded(sentence, ["jazz", "cats"]).ok
