"""Phrases: word groups between stop words and signs, in scripts with and without spaces."""

import pytest

from vidrec_tasks.language.cards.phrases import key_of, phrases_of, sentences_of


def forms(text: str) -> list[str]:
    return [form for _, form in phrases_of(text)]


def test_a_phrase_never_crosses_a_stop_word_or_a_sign() -> None:
    assert forms("street food of Osaka, grilled squid") == [
        "street", "street food", "food", "osaka", "grilled", "grilled squid", "squid",
    ]  # fmt: skip


def test_singular_and_plural_have_one_key() -> None:
    assert {key for key, _ in phrases_of("steam engines. steam engine")} == {
        "steam", "steam engine", "engine",
    }  # fmt: skip
    assert key_of("Steam Engines") == "steam engine"


def test_numbers_addresses_and_single_letters_name_nothing() -> None:
    assert forms("2021 https://example.org/x me@example.org 4k a b") == []
    assert forms("crash course 10") == ["crash", "crash course", "course"]


def test_chinese_gives_groups_of_two_to_four_characters_without_grammar() -> None:
    assert set(forms("街头小吃的做法")) >= {"街头", "小吃", "街头小吃", "做法"[:2]} - {"做法"}
    assert not any("的" in form for form in forms("街头小吃的做法"))


def test_marks_of_indic_scripts_stay_in_the_word() -> None:
    assert forms("भारत")[0] == "भारत"
    assert forms("नमस्ते")[0] == "नमस्ते"


@pytest.mark.parametrize("text", ["", "   ", "?!", "the of and", "😀" * 100])
def test_nothing_comes_of_nothing(text: str) -> None:
    assert forms(text) == []


def test_sentences_end_at_signs_of_both_languages() -> None:
    assert sentences_of("One thing. Another! 第一句。第二句。") == [
        "One thing.", "Another!", "第一句。", "第二句。",
    ]  # fmt: skip
