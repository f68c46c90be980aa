"""Languages of names, tags and words."""

import pytest

from vidrec_tasks.content.texts.languages import detect, is_tag, language_of


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("eng", "en"), ("ENG", "en"), ("pt-BR", "pt"), ("pt_br", "pt"), ("ger", "de"),
     ("zh-Hans", "zh"), ("und", ""), ("", ""), ("2", ""), ("part", ""), ("en-XX", "en")],
)  # fmt: skip
def test_tags_are_brought_to_the_shortest_code(tag: str, language: str) -> None:
    assert language_of(tag) == language


def test_names_speak_of_captions_by_language_or_flag() -> None:
    assert all(map(is_tag, ["en", "fra", "forced", "SDH", "auto"]))
    assert not any(map(is_tag, ["2", "final", "part2"]))


def test_the_language_is_told_from_the_words() -> None:
    assert detect("The quick brown fox jumps over the lazy dog near the river") == "en"
    assert detect("Der schnelle braune Fuchs springt über den faulen Hund am Fluss") == "de"
    assert detect("short") == ""
