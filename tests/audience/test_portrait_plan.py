"""Portrait plan: what may be worded is what is read back, and nothing else."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audience.portrait_worlds import World, busy, worlds
from vidrec_tasks.audience.portrait_plan import Said, grammar, one_of, read_back, realise, row
from vidrec_tasks.audience.portrait_wording import gap_of, plan_of, template_sentences

PLAN = [
    row("This user ", one_of("likes ", "enjoys "), Said("cats (3)", (1,)), "."),
    row("They know ", one_of(Said("“A+B”", (2,)), Said("“C”", (3,))), "."),
]


def test_a_wording_is_drawn_of_the_alternatives() -> None:
    first, second = realise(PLAN, lambda n: n - 1)
    assert (first.text, first.facts) == ("This user enjoys cats (3).", (1,))
    assert (second.text, second.facts, second.shape) == ("They know “C”.", (3,), "They know _.")


def test_the_facts_of_a_wording_are_read_back() -> None:
    found = read_back(PLAN, "This user likes cats (3). They know “A+B”.", gap=" ")
    assert [(s.text, s.facts) for s in found] == [
        ("This user likes cats (3).", (1,)),
        ("They know “A+B”.", (2,)),
    ]
    assert [s.shape for s in found] == ["This user likes _.", "They know _."]


def test_what_is_not_of_the_plan_is_nothing() -> None:
    for text in ("", "This user likes cats (4). They know “C”.", "This user likes cats (3)."):
        assert read_back(PLAN, text, gap=" ") == []


def test_the_grammar_is_one_expression_that_the_wordings_match() -> None:
    found = re.fullmatch(r"start: /(.*)/", grammar(PLAN, gap=" "))
    assert found is not None
    assert re.fullmatch(found[1], "This user enjoys cats (3). They know “A+B”.")
    assert not re.fullmatch(found[1], "This user enjoys cats (3). They know “AAB”.")


def test_a_slash_does_not_end_the_grammar() -> None:
    assert grammar([row("a/b")], gap=" ") == r"start: /a\/b/"


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 2**60), st.sampled_from(["en", "zh"]))
def test_any_wording_of_a_users_plan_is_in_its_grammar_read_back_and_true(
    made: World, seed: int, language: str
) -> None:
    facts = made.facts()[0]
    plan, gap, judge = plan_of(facts, language=language), gap_of(language), made.judge
    by_number = {fact.number: fact.as_dict() for fact in facts}
    state = seed

    def draw(n: int) -> int:
        nonlocal state
        state, rest = divmod(state, n)
        return rest

    sentences = realise(plan, draw)
    text = gap.join(sentence.text for sentence in sentences)
    found = re.fullmatch(r"start: /(.*)/", grammar(plan, gap=gap))
    assert found is not None
    assert re.fullmatch(found[1].replace(r"\/", "/"), text)
    assert [s.text for s in read_back(plan, text, gap=gap)] == [s.text for s in sentences]
    for sentence in sentences:
        named = [by_number[number] for number in sentence.facts]
        assert judge("u", sentence.text, named)[0] == "", sentence.text


def test_a_template_says_three_things_or_more_of_a_busy_user() -> None:
    sentences = template_sentences(busy().facts()[0], language="en")
    assert len(sentences) == 3
    assert len({number for sentence in sentences for number in sentence.facts}) >= 6


def test_nothing_is_said_of_who_watched_nothing() -> None:
    (sentence,) = template_sentences((), language="en")
    assert sentence.text.startswith("This user has not watched any video yet")
    assert sentence.facts == ()
