"""Passages on the page: in order, with a place to jump to, and the words of a query marked."""

from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def page() -> ModuleType:
    from vidrec_ui import passages

    return passages


def row(at_s: float | None, text: str, **more: Any) -> dict[str, Any]:
    until = None if at_s is None else at_s + 2
    return {"at_s": at_s, "until_s": until, "source": "captions", "language": "en",
            "confidence": 1.0, "text": text, **more}  # fmt: skip


def test_passages_are_in_order_and_those_without_a_second_come_last(
    page: ModuleType,
) -> None:
    shown = page.transcript([row(None, "c"), row(9.0, "b"), row(3.0, "a")])
    assert ["".join(text for text, _ in part["parts"]) for part in shown] == ["a", "b", "c"]


def test_two_passages_of_one_second_have_one_anchor(page: ModuleType) -> None:
    shown = page.transcript([row(61.2, "a"), row(61.9, "b", source="screen")])
    assert [part["anchor"] for part in shown] == ["at-61", ""]
    assert page.anchor_of(61.2) == "at-61"


def test_words_of_the_query_are_marked_whatever_their_case_and_ending(page: ModuleType) -> None:
    words = page.marked_words("ring of saturn")
    assert page.marked("The Rings of Saturn", words) == [
        ("The ", False), ("Rings", True), (" of ", False), ("Saturn", True),
    ]  # fmt: skip
    assert page.marked("anything", page.marked_words("")) == [("anything", False)]


def test_signs_of_a_script_without_blanks_are_marked(page: ModuleType) -> None:
    assert ("猫", True) in page.marked("小猫在海边", page.marked_words("猫"))


def test_what_a_query_holds_is_no_pattern(page: ModuleType) -> None:
    assert page.marked("a.b", page.marked_words("...(((")) == [("a.b", False)]


def test_the_passage_of_a_second_begins_there_or_lasts_over_it(page: ModuleType) -> None:
    rows = [row(0.0, "a"), row(1.5, "b"), row(8.0, "c")]
    assert page.passage_at(rows, 1.5) == rows[1]
    assert page.passage_at(rows, 9.0) == rows[2]
    assert page.passage_at(rows, 5.0) is None
    assert page.passage_at(rows, None) is None


def test_what_is_certain_needs_no_confidence(page: ModuleType) -> None:
    sure, unsure = page.transcript([row(0.0, "a"), row(1.0, "b", confidence=0.7)])
    assert (sure["confidence"], unsure["confidence"]) == (None, 0.7)
