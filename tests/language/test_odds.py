"""Log odds of yes: from tokens of a tokenizer, and from the chances that a server gives."""

import math

import pytest

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.odds import first_tokens, odds_of_chances


def chance(token: str, share: float) -> dict[str, object]:
    return {"token": token, "logprob": math.log(share)}


def test_words_are_known_by_their_first_token_however_they_are_spelled() -> None:
    numbers = {"yes": 1, "Yes": 2, " yes": 3, " Yes": 3, "no": 4, "No": 5, " no": 6, " No": 7}
    words = first_tokens(lambda text: [numbers[text], 99])
    assert words.yes == (1, 2, 3)
    assert words.no == (4, 5, 6, 7)


def test_a_token_that_begins_both_words_tells_neither() -> None:
    numbers = {"yes": 1, "no": 2}
    words = first_tokens(lambda text: [numbers.get(text, 0)])
    assert (words.yes, words.no) == ((1,), (2,))


def test_a_tokenizer_that_cannot_tell_the_words_apart_is_an_error() -> None:
    with pytest.raises(ModelError, match="RELEVANCE_CALLS to 0"):
        first_tokens(lambda text: [0])


def test_chances_of_all_spellings_are_added_up() -> None:
    chances = [chance("Yes", 0.3), chance(" yes", 0.3), chance("No", 0.2), chance("Maybe", 0.1)]
    assert odds_of_chances(chances) == pytest.approx(math.log(0.6 / 0.2))


def test_a_word_that_is_not_told_has_at_most_the_last_chance() -> None:
    assert odds_of_chances([chance("yes", 0.9), chance("well", 0.01)]) == pytest.approx(
        math.log(0.9 / 0.01)
    )
    assert odds_of_chances([chance("well", 0.9), chance("no", 0.05)]) == pytest.approx(0.0)


def test_neither_word_is_no_answer() -> None:
    assert odds_of_chances([chance("well", 0.9)]) is None


def test_a_chance_of_nothing_is_a_number() -> None:
    told = [{"token": "yes", "logprob": 0.0}, {"token": "no", "logprob": -math.inf}]
    assert odds_of_chances(told) == pytest.approx(100.0)
    above = [{"token": "yes", "logprob": 1e9}, {"token": "no", "logprob": -1.0}]
    assert odds_of_chances(above) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "chances",
    [
        [],
        [{"token": "yes", "logprob": math.nan}],
        [{}],
        [{"token": "yes"}],
        [None],
        [{"logprob": "x"}],
        [{"token": "yes", "logprob": 10**400}],
    ],
)
def test_what_are_no_chances_is_an_error(chances: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match=r"chances|float"):
        odds_of_chances(chances)
