"""Cues become passages; texts without times do too; blocked words are covered."""

import math

from hypothesis import given
from hypothesis import strategies as st

from vidrec_tasks.content.texts.passages import (
    MASK,
    MAX_CHARS,
    MAX_S,
    Cue,
    blocked_pattern,
    flat,
    group,
    mask,
    split_text,
)


def spoken(n: int, *, length_s: float = 2.0, gap_s: float = 0.0) -> list[Cue]:
    step = length_s + gap_s
    return [Cue(n * step, n * step + length_s, f"words number {n}.") for n in range(n)]


def test_a_passage_begins_with_its_first_cue_and_ends_with_its_last() -> None:
    first = group(spoken(3))[0]
    assert (first.at_s, first.until_s) == (0.0, 6.0)
    assert first.text == "words number 0. words number 1. words number 2."


def test_a_long_silence_ends_a_passage() -> None:
    assert [cue.at_s for cue in group(spoken(3, gap_s=10.0))] == [0.0, 12.0, 24.0]


def test_confidence_is_the_mean_over_what_is_said() -> None:
    both = group([Cue(0, 1, "aaaa", 1.0), Cue(1, 2, "bbbb", 0.5)])
    assert both[0].confidence == 0.75


@given(
    st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.text("ab. ", min_size=1)), max_size=40)
)
def test_passages_keep_every_word_in_order_and_stay_short(
    parts: list[tuple[float, float, str]],
) -> None:
    cues, at_s = [], 0.0
    for gap, length, text in parts:
        at_s += gap
        cues.append(Cue(at_s, at_s + length, text))
        at_s += length
    passages = group(cues)
    assert " ".join(cue.text for cue in passages) == " ".join(cue.text for cue in cues)
    assert [cue.at_s for cue in passages] == sorted(cue.at_s for cue in passages)
    for passage in passages:
        assert len(passage.text) <= MAX_CHARS + max((len(cue.text) for cue in cues), default=0)
        assert passage.until_s - passage.at_s <= MAX_S + 9


def test_a_text_without_times_has_passages_without_seconds() -> None:
    passages = split_text("One sentence. " * 100)
    assert len(passages) > 1
    assert all(math.isnan(passage.at_s) for passage in passages)
    assert all(len(passage.text) <= MAX_CHARS for passage in passages)
    assert " ".join(passage.text for passage in passages) == flat("One sentence. " * 100)


def test_a_text_without_sentences_is_cut_all_the_same() -> None:
    assert all(len(passage.text) <= MAX_CHARS for passage in split_text("x" * 5_000))
    assert "".join(passage.text for passage in split_text("x" * 900)).replace(" ", "") == "x" * 900


def test_blocked_words_are_covered_as_whole_words_whatever_their_case() -> None:
    blocked = blocked_pattern("darn, two words,地狱")
    assert mask("Darn it, darning. Two  words", blocked) == f"{MASK * 4} it, darning. {MASK * 10}"
    assert mask("下地狱去", blocked) == f"下{MASK * 2}去"
    assert mask(mask("darn", blocked), blocked) == mask("darn", blocked)


def test_nothing_is_blocked_unless_it_is_asked_for() -> None:
    assert blocked_pattern(" , ") is None
    assert mask("darn", None) == "darn"
