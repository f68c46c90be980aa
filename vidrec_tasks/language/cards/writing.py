"""Writing cards: by rules for every video, then by a model for some, as far as they are true.

A model's card is asked for once: what has the key of an earlier night is taken from there, with
what was dropped of it. The model's fields that hold stand in place of the rules'.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    CARD_KEY,
    CARD_SOURCE,
    DROPPED,
    EVIDENCE,
    NAMED,
    TEXT,
    TOPICS,
    VIDEO_ID,
)
from vidrec_tasks.language.cards.card import CARD_FIELDS, MODEL, RULES, Card, Ground, Written
from vidrec_tasks.language.cards.checking import check_answer
from vidrec_tasks.language.cards.prompting import bounded_prompt, card_prompt
from vidrec_tasks.language.cards.rules import card_by_rules, summaries_of
from vidrec_tasks.language.cards.sources import Sources
from vidrec_tasks.language.cards.topics import Offer, offers_of
from vidrec_tasks.language.generator import Generator, Prompt, unanswered_of

CARD_VERSION: Final = 1
"""Rises where the same sources give other cards than before."""

LISTS: Final = (TOPICS, NAMED)
"""Fields of a card that are lists."""

Vocabulary = Mapping[str, tuple[str, float]]


@dataclass
class Draft:
    """One card in the making.

    Attributes:
        video_id: whose card it is.
        sources: what is known of the video.
        offers: topics that it may have.
        written: the card as far as it is.
        key: of all that it follows from.
    """

    video_id: str
    sources: Sources
    offers: list[Offer]
    written: Written
    key: str


def draft_cards(
    video_ids: Sequence[str], sources: Sequence[Sources], vocabulary: Vocabulary
) -> list[Draft]:
    """Cards by rules, in the order of the videos.

    Args:
        video_ids: of the videos.
        sources: of each.
        vocabulary: key -> topic and how telling it is (`Vocabulary.by_key`).
    """
    drafts = []
    for video_id, own in zip(video_ids, sources, strict=True):
        offers = offers_of(own, vocabulary)
        written = Written(card_by_rules(own, offers))
        drafts.append(Draft(video_id, own, offers, written, key_of(own, offers, RULES)))
    return drafts


def ask_model(
    drafts: Sequence[Draft],
    generator: Generator,
    *,
    known: pd.DataFrame | None = None,
    turn: Sequence[str] = (),
    budget: int = 0,
    is_bounded: bool = False,
) -> int:
    """Let a model write what the sources bear out; the drafts are changed.

    Args:
        drafts: cards by rules.
        generator: who writes.
        known: rows of the artefact `cards` of an earlier night.
        turn: video_ids in the order in which they are asked for; others come after, as they stand.
        budget: cards that are asked for.
        is_bounded: the model may only choose among what the rules found.

    Returns:
        Cards that were asked for.
    """
    waiting = _recall(drafts, known, generator.identity)
    place = {video_id: num for num, video_id in enumerate(turn)}
    waiting.sort(key=lambda draft: place.get(draft.video_id, len(place)))
    asked: list[tuple[Draft, Prompt]] = []
    for draft in waiting[:budget]:
        prompt = _prompt_of(draft, is_bounded=is_bounded)
        if prompt is not None:
            asked.append((draft, prompt))
    if not asked:
        return 0
    answers = generator.complete([prompt for _, prompt in asked])
    # one that answers on a later night has these
    unanswered = unanswered_of(generator)
    for (draft, prompt), answer in zip(asked, answers, strict=True):
        if prompt in unanswered:
            continue  # the card of the rules keeps its own key, so a later night asks again
        draft.key = key_of(draft.sources, draft.offers, generator.identity)
        draft.written = _merged(draft, answer)
    return len(asked)


def _recall(drafts: Sequence[Draft], known: pd.DataFrame | None, identity: str) -> list[Draft]:
    """Take the model's cards of an earlier night; returns the drafts that it has none of."""
    rows: dict[str, Any] = {}
    if known is not None and len(known):
        rows = {row[CARD_KEY]: row for row in known.to_dict(orient="records")}
    waiting = []
    for draft in drafts:
        key = key_of(draft.sources, draft.offers, identity)
        if key in rows:
            draft.key, draft.written = key, _written_of(rows[key])
        else:
            waiting.append(draft)
    return waiting


def _prompt_of(draft: Draft, *, is_bounded: bool) -> Prompt | None:
    offered = [offer.topic for offer in draft.offers]
    if not draft.sources.fields():
        return None
    if not is_bounded:
        return card_prompt(draft.sources, offered)
    summaries = [text for _, text in summaries_of(draft.sources, draft.offers)]
    return bounded_prompt(draft.sources, offered, summaries, draft.written.card)


def _merged(draft: Draft, answer: str) -> Written:
    """The model's fields that hold, and the rules' in place of the others."""
    kept, grounds, dropped = check_answer(
        answer, draft.sources, [offer.topic for offer in draft.offers]
    )
    own = draft.written.card
    theirs = [ground for ground in own.grounds if ground.field not in kept]
    card = replace(own, **kept, grounds=tuple([*grounds, *theirs]))
    return Written(card, frozenset(kept), tuple(dropped))


def _written_of(row: Mapping[str, Any]) -> Written:
    """A card as a row of the artefact has it."""
    values: dict[str, Any] = {
        name: tuple(row[name]) if name in LISTS else str(row[name]) for name in CARD_FIELDS
    }
    names = ("field", "value", "source", "words")
    grounds = tuple(Ground(*(str(one[name]) for name in names)) for one in row[EVIDENCE])
    by_model = frozenset(str(one["field"]) for one in row[EVIDENCE] if one["by"] == MODEL)
    dropped = tuple((str(one["field"]), str(one["reason"])) for one in row[DROPPED])
    return Written(Card(**values, grounds=grounds), by_model, dropped)


def key_of(sources: Sources, offers: Sequence[Offer], writer: str) -> str:
    """Hash (hex) of all that a card follows from, and of who writes it.

    Of the vocabulary only what is offered to this video is in it, so that a new topic elsewhere
    asks for nothing here.
    """
    made_of = [
        CARD_VERSION, writer, sources.fields(), sources.language, sources.duration_s,
        sources.age_rating, [offer.topic for offer in offers],
    ]  # fmt: skip
    text = json.dumps(made_of, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def card_table(drafts: Sequence[Draft]) -> pd.DataFrame:
    """The cards as the table of the artefact `cards`: a row a video."""
    fields: dict[str, pd.Series] = {}
    for name in CARD_FIELDS:
        values: list[Any] = [draft.written.card.value(name) for draft in drafts]
        fields[name] = (
            pd.Series([list(value) for value in values], dtype=object)
            if name in LISTS
            else pd.Series(values, dtype="str")
        )
    written = [draft.written for draft in drafts]
    dropped = [[{"field": f, "reason": why} for f, why in one.dropped] for one in written]
    return pd.DataFrame(
        {
            VIDEO_ID: pd.Series([draft.video_id for draft in drafts], dtype="str"),
            **fields,
            TEXT: pd.Series([one.card.text() for one in written], dtype="str"),
            EVIDENCE: pd.Series([one.evidence() for one in written], dtype=object),
            DROPPED: pd.Series(dropped, dtype=object),
            CARD_SOURCE: pd.Series([one.source for one in written], dtype="str"),
            CARD_KEY: pd.Series([draft.key for draft in drafts], dtype="str"),
        }
    )


def count_cards(drafts: Sequence[Draft]) -> dict[str, int]:
    """How many videos have which field, and who wrote the cards."""
    counts: Counter[str] = Counter()
    for draft in drafts:
        counts[f"by_{draft.written.source}"] += 1
        counts["fields_dropped"] += len(draft.written.dropped)
        counts.update(f"with_{name}" for name in CARD_FIELDS if draft.written.card.value(name))
    names = ["by_model", "by_rules", "fields_dropped", *(f"with_{name}" for name in CARD_FIELDS)]
    return {"videos": len(drafts), **{name: counts[name] for name in names}}
