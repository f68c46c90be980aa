"""Sources: what is known of a video, field by field, each a quotation and nothing else.

Everything here is foreign text. It is made flat and cut; what a card says is drawn from it, and
whoever checks a card reads the same.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    CATEGORIES,
    CONCEPTS,
    DESCRIPTION,
    DURATION_S,
    LANGUAGE,
    SOURCE,
    TAGS,
    TEXT,
    TITLE,
    VIDEO_ID,
)

SEEN: Final = "seen"
SAID: Final = "said"
WRITTEN: Final = "written"
FIELDS: Final = (TITLE, TAGS, DESCRIPTION, SAID, WRITTEN, SEEN)
"""The sources of a video, the more telling first."""

LIMITS: Final = {TITLE: 200, DESCRIPTION: 2_000, SAID: 4_000, WRITTEN: 1_000}
"""Characters of each that are read."""

MIN_PROBABILITY: Final = 0.05
"""Probability under which a concept is not said to be seen."""

MAX_SEEN: Final = 3

_READ_FROM: Final = {"captions": SAID, "speech": SAID, "screen": WRITTEN}
"""Source of passages -> the field that they stand in."""


@dataclass(frozen=True)
class Sources:
    """What is known of one video.

    Attributes:
        texts: field -> flat text, of title, description, said and written those that there are.
        tags: tags, then categories, as they are.
        seen: names of the concepts in the frames, most probable first.
        language: of the catalogue, '' not known.
        duration_s: seconds, 0 not known.
        age_rating: years, 0 for everybody.
    """

    texts: Mapping[str, str]
    tags: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    language: str = ""
    duration_s: float = 0.0
    age_rating: int = 0

    @property
    def title(self) -> str:
        """The title, '' where there is none."""
        return self.texts.get(TITLE, "")

    def fields(self) -> dict[str, str]:
        """Every source as one text, in the order of `FIELDS`; empty ones are left out."""
        every = {**self.texts, TAGS: ", ".join(self.tags), SEEN: ", ".join(self.seen)}
        return {field: every[field] for field in FIELDS if every.get(field)}


def sources_of(
    videos: pd.DataFrame,
    passages: pd.DataFrame,
    concepts: Mapping[str, Sequence[Sequence[Any]]],
    *,
    blocked: re.Pattern[str] | None = None,
) -> list[Sources]:
    """The sources of videos, in their order.

    Args:
        videos: rows of the catalogue.
        passages: the table of the artefact `texts`; other videos' rows are left.
        concepts: video_id -> ``[name, probability]`` pairs, strongest first.
        blocked: what finds words that may not be shown; in passages they are covered already.
    """
    spoken = _spoken(passages)
    found = []
    for row in videos.to_dict(orient="records"):
        video_id = row[VIDEO_ID]
        texts = {
            name: _covered(_flat(row.get(name), name), blocked) for name in (TITLE, DESCRIPTION)
        }
        texts |= {name: _flat(text, name) for name, text in spoken.get(video_id, {}).items()}
        found.append(
            Sources(
                {name: text for name, text in texts.items() if text},
                _tags(row, blocked),
                _seen(concepts.get(video_id) or ()),
                str(row.get(LANGUAGE) or ""),
                _number(row.get(DURATION_S)),
                int(_number(row.get(AGE_RATING))),
            )
        )
    return found


def concepts_of(table: pd.DataFrame) -> dict[str, Sequence[Sequence[Any]]]:
    """Video -> its concepts, of a table that has both."""
    return dict(zip(table[VIDEO_ID], table[CONCEPTS], strict=True))


def _spoken(passages: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Video -> what is said and written, as much as is read; each in the language of its first."""
    own: dict[str, dict[str, list[str]]] = {}
    first: dict[tuple[str, str], str] = {}
    columns = (passages[name] for name in (VIDEO_ID, SOURCE, LANGUAGE, TEXT))
    for video_id, source, language, text in zip(*columns, strict=True):
        field = _READ_FROM.get(source)
        if field and first.setdefault((video_id, field), language) == language:
            own.setdefault(video_id, {}).setdefault(field, []).append(text)
    return {
        video_id: {field: " ".join(texts) for field, texts in fields.items()}
        for video_id, fields in own.items()
    }


def _covered(text: str, blocked: re.Pattern[str] | None) -> str:
    return text if blocked is None else blocked.sub(lambda found: "▇" * len(found[0]), text)


def _tags(row: Mapping[Any, Any], blocked: re.Pattern[str] | None) -> tuple[str, ...]:
    """Tags, then categories, each once; one with a blocked word is left out."""
    every = [*_listed(row.get(TAGS)), *_listed(row.get(CATEGORIES))]
    return tuple(tag for tag in dict.fromkeys(every) if not (blocked and blocked.search(tag)))


def _flat(value: Any, field: str) -> str:
    """On one line, cut at a word."""
    text = " ".join(value[: 4 * LIMITS[field]].split()) if isinstance(value, str) else ""
    if len(text) <= LIMITS[field]:
        return text
    cut = text[: LIMITS[field]]
    return cut[: cut.rfind(" ")] if " " in cut[LIMITS[field] // 2 :] else cut


def _listed(value: Any) -> list[str]:
    words = value if isinstance(value, (list, tuple, np.ndarray)) else []
    return [flat for word in words if (flat := " ".join(str(word).split()))]


def _seen(concepts: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    probable = [str(name) for name, share in concepts if share >= MIN_PROBABILITY]
    # a concept may list synonyms after its first name: "tabby, tabby cat"
    return tuple(name.split(",")[0].casefold() for name in probable[:MAX_SEEN])


def _number(value: Any) -> float:
    number = float(value) if value is not None and not pd.isna(value) else 0.0
    return number if math.isfinite(number) else 0.0
