"""The card of a video as its page shows it."""

from types import ModuleType

import pytest

GROUNDS = [
    {"field": "summary", "value": "Two cats.", "source": "title", "words": "Two", "by": "model"},
    {"field": "topics", "value": "cats", "source": "tags", "words": "Cats", "by": "rules"},
    {"field": "topics", "value": "pets", "source": "tags", "words": "pets", "by": "rules"},
    {"field": "topics", "value": "home", "source": "said", "words": "homes", "by": "rules"},
    {"field": "format", "value": "short clip", "source": "duration_s", "words": "9 s",
     "by": "rules"},
]  # fmt: skip


@pytest.fixture
def page() -> ModuleType:
    from vidrec_ui import cards

    return cards


def test_each_value_stands_with_its_source_and_its_words_where_they_differ(
    page: ModuleType,
) -> None:
    card = page.card_of({"evidence": GROUNDS, "dropped": [], "card_source": "model"})
    assert card is not None
    assert card["by"] == "by the model"
    assert [(row["field"], row["by"], row["values"]) for row in card["rows"]] == [
        ("About", "by the model", [{"value": "Two cats.", "source": "title", "words": ""}]),
        (
            "Topics",
            "by rules",
            [
                {"value": "cats, pets", "source": "tags", "words": ""},
                {"value": "home", "source": "said", "words": "homes"},
            ],
        ),
        ("Format", "by rules", [{"value": "short clip", "source": "length", "words": "9 s"}]),
    ]


def test_what_was_dropped_is_told_with_its_reason(page: ModuleType) -> None:
    dropped = [{"field": "mood", "reason": "nothing in the sources shows it"}]
    card = page.card_of({"evidence": GROUNDS, "dropped": dropped, "card_source": "rules"})
    assert card is not None
    assert card["dropped"] == [("Mood", "nothing in the sources shows it")]


def test_a_video_of_which_nothing_is_known_shows_no_card(page: ModuleType) -> None:
    assert page.card_of(None) is None
    assert page.card_of({"evidence": [], "dropped": [], "card_source": "rules"}) is None
