"""A card: what a video is, field by field, and what each field rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vidrec_tasks.columns import AUDIENCE, FORMAT, MOOD, NAMED, SUMMARY, TOPICS

CARD_FIELDS: Final = (SUMMARY, TOPICS, FORMAT, MOOD, AUDIENCE, NAMED)
"""The fields of a card, in the order in which they are told."""

MODEL: Final = "model"
RULES: Final = "rules"
"""Who wrote a card: a language model, as far as it could be checked, or rules alone."""

SUMMARY_LIMIT: Final = 200
"""Characters of a summary."""

MAX_TOPICS: Final = 8
MAX_NAMED: Final = 6


@dataclass(frozen=True)
class Ground:
    """What a field rests on.

    Attributes:
        field: of the card.
        value: the part of the field that rests on it.
        source: a field of `sources.FIELDS`, ``duration`` or ``age_rating``.
        words: as they stand in the source, cut.
    """

    field: str
    value: str
    source: str
    words: str

    def as_dict(self, by: str) -> dict[str, str]:
        """For the artefact: with who wrote it."""
        return {
            "field": self.field, "value": self.value, "source": self.source, "words": self.words,
            "by": by,
        }  # fmt: skip


@dataclass(frozen=True)
class Card:
    """What a video is; what is not known is empty.

    Attributes:
        summary: one line.
        topics: strongest first.
        format, mood, audience: names of `cues`.
        named: people, places and works, as they are written.
        grounds: of every field that is not empty.
    """

    summary: str = ""
    topics: tuple[str, ...] = ()
    format: str = ""
    mood: str = ""
    audience: str = ""
    named: tuple[str, ...] = ()
    grounds: tuple[Ground, ...] = ()

    def value(self, name: str) -> str | tuple[str, ...]:
        """A field by its name."""
        values: Mapping[str, str | tuple[str, ...]] = {
            SUMMARY: self.summary, TOPICS: self.topics, FORMAT: self.format, MOOD: self.mood,
            AUDIENCE: self.audience, NAMED: self.named,
        }  # fmt: skip
        return values[name]

    def text(self) -> str:
        """The card as one text, for the text encoder; '' when nothing is known."""
        words = [*self.topics, self.format, self.mood, *self.named]
        parts = [self.summary.rstrip(".。 "), ", ".join(word for word in words if word)]
        return ". ".join(part for part in parts if part)


@dataclass(frozen=True)
class Written:
    """A card with its history.

    Attributes:
        card: what is told.
        by_model: fields that the model wrote; the others are the rules'.
        dropped: (field, reason) of what the model wrote and nothing held.
    """

    card: Card
    by_model: frozenset[str] = frozenset()
    dropped: tuple[tuple[str, str], ...] = ()

    @property
    def source(self) -> str:
        """Who wrote the card."""
        return MODEL if self.by_model else RULES

    def evidence(self) -> list[dict[str, str]]:
        """The grounds of the card, each with who wrote the field."""
        return [
            ground.as_dict(MODEL if ground.field in self.by_model else RULES)
            for ground in self.card.grounds
        ]


def as_list(value: Any) -> list[str]:
    """A list of texts as JSON gives it; anything else is none."""
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return [one for one in value if isinstance(one, str)] if is_list else []
