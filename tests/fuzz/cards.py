"""Fuzz of cards: hostile videos, and hostile answers about them, through all that makes a card.

``python -m tests.fuzz.cards --answers 10000`` (`make fuzz`). A card can be stored, holds neither
markup nor signs that control or turn writing, obeys its limits, and tells no lie of the answer.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from tests.fuzz import command
from tests.fuzz.answers import LIE, mangled
from tests.language.cards.worlds import rows, sources
from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.columns import DROPPED, EVIDENCE, NAMED, SUMMARY, TEXT, TOPICS
from vidrec_tasks.language.cards import cues
from vidrec_tasks.language.cards.card import MAX_NAMED, MAX_TOPICS, SUMMARY_LIMIT
from vidrec_tasks.language.cards.prompting import card_prompt
from vidrec_tasks.language.cards.writing import Draft, ask_model, card_table, draft_cards
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.quoting import TOPIC_LIMIT
from vidrec_tasks.store.codecs import decode, encode

SEED: Final = 17
PER_ROUND: Final = 20
_MARKUP: Final = frozenset("<>`{}[]|\\@&$#")
_LONGEST_WORDS: Final = 81
"""Characters of the words that a field rests on."""
_PLAIN: Final = (
    "A steam engine at work", "Its boiler is older than the station is.", "Kyoto in the rain",
    "How to bake bread in 10 minutes", "面包正在发酵", "Chef Ana Lima makes soup",
    "Saturn V (1969)",
)  # fmt: skip
_WRONG: Final[tuple[Any, ...]] = (
    None, True, -1, 1e308, {}, [[]], [None] * 9, {"text": LIE}, [LIE] * 500, "x" * 9_000, "\ud800",
    [{"topic": LIE}], ["\u202e" + LIE, "\x00", "\ud800"], "9" * 300, [["a"]], "<b>" + LIE,
)  # fmt: skip
_FIELDS: Final = ("summary", "topics", "new_topics", "format", "mood", "audience", "named")


class Scripted:
    """Says of each prompt what was written down for it."""

    identity = "scripted"

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = list(answers)

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        return self._answers[: len(prompts)]


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Make cards of hostile answers; returns how many fields the model or the rules wrote.

    Raises:
        AssertionError: a card is not one that may be shown.
    """
    del folder  # nothing is written
    ends: Counter[str] = Counter()
    for first in range(0, n, PER_ROUND):
        rng = np.random.default_rng([SEED, first])
        drafts = _drafts(min(PER_ROUND, n - first), rng)
        answers = [_answer(draft, rng) for draft in drafts]
        for draft in drafts:
            card_prompt(draft.sources, [offer.topic for offer in draft.offers])
        asked = [draft for draft in drafts if draft.sources.fields()]
        n_asked = ask_model(drafts, Scripted(answers), budget=len(drafts))
        assert n_asked == len(asked)
        suffix, data = encode(card_table(drafts))
        table = decode(suffix, data)
        for card in table.to_dict(orient="records"):
            _check(card)
        again = _drafts(len(drafts), np.random.default_rng([SEED, first]))
        assert ask_model(again, Scripted([]), known=table, budget=len(again)) == 0
        pd.testing.assert_frame_equal(card_table(again), card_table(drafts))
        ends.update(f"fields by {one['by']}" for row in table[EVIDENCE] for one in row)
        ends["fields dropped"] += sum(map(len, table[DROPPED]))
        ends["cards"] += len(table)
    return ends


def _drafts(n: int, rng: np.random.Generator) -> list[Draft]:
    videos = [
        rows(
            title=_text(rng), description=f"{_text(rng)} {_text(rng)}",
            tags=[_text(rng) for _ in range(int(rng.integers(0, 4)))],
            duration_s=float(rng.choice([0.0, 30.0, 5_000.0, np.inf, np.nan, -1.0])),
        )
        for _ in range(n)
    ]  # fmt: skip
    said = pd.DataFrame(
        [(f"v{num}", str(rng.choice(["captions", "screen"])), _text(rng)) for num in range(n)],
        columns=["video_id", "source", "text"],
    ).assign(language="en")
    seen = {f"v{num}": [[_text(rng), 0.9]] for num in range(0, n, 3)}
    own = sources(*videos, passages=said, concepts=seen)
    vocabulary = {"steam engin": ("steam engine", 1.0), "bread": ("bread", 0.5)}
    return draft_cards([f"v{num}" for num in range(n)], own, vocabulary)


def _text(rng: np.random.Generator) -> str:
    """What a catalogue may hold: plain, hostile, or one within the other."""
    plain = _PLAIN[int(rng.integers(0, len(_PLAIN)))]
    hostile = str(INJECTIONS[int(rng.integers(0, len(INJECTIONS)))])
    return (plain, plain, hostile, f"{plain} {hostile}", f"{hostile} {plain}")[
        int(rng.integers(0, 5))
    ]


def _answer(draft: Draft, rng: np.random.Generator) -> str:
    """A card that repeats what its video says, or wrong values, mangled as a whole."""
    texts = [*draft.sources.fields().values(), LIE]
    offered = [offer.topic for offer in draft.offers]
    card: dict[str, Any] = {
        "summary": texts[int(rng.integers(0, len(texts)))], "topics": offered,
        "new_topics": [_text(rng) for _ in range(int(rng.integers(0, 3)))],
        "format": str(rng.choice(list(cues.FORMATS))), "mood": str(rng.choice(list(cues.MOODS))),
        "audience": str(rng.choice(list(cues.AUDIENCES))),
        "named": [word for text in texts for word in text.split()][: int(rng.integers(0, 60))],
    }  # fmt: skip
    for _ in range(int(rng.integers(0, 3))):
        field = _FIELDS[int(rng.integers(0, len(_FIELDS)))]
        card[field] = _WRONG[int(rng.integers(0, len(_WRONG)))]
    return mangled(card, rng)


def _check(card: dict[str, Any]) -> None:
    """Raise unless a card may be stored and shown."""
    assert len(card[SUMMARY]) <= SUMMARY_LIMIT, card
    assert len(card[TOPICS]) <= MAX_TOPICS, card
    assert len(card[NAMED]) <= MAX_NAMED, card
    assert all(len(topic) <= TOPIC_LIMIT for topic in card[TOPICS]), card
    assert LIE not in json.dumps([card[name] for name in (SUMMARY, TEXT)]), card
    assert {one["field"] for one in card[EVIDENCE]} <= set(_FIELDS), card
    assert all(one["reason"].isprintable() for one in card[DROPPED]), card
    for text in _shown(card):
        text.encode()  # no half of a surrogate pair
        assert not _MARKUP & set(text), (text, card)
        assert not any(unicodedata.category(char).startswith("C") for char in text), (text, card)
    assert all(len(one["words"]) <= _LONGEST_WORDS for one in card[EVIDENCE]), card


def _shown(card: dict[str, Any]) -> Iterator[str]:
    yield from (card[name] for name in (SUMMARY, TEXT, "format", "mood", "audience"))
    yield from (*card[TOPICS], *card[NAMED])
    for one in card[EVIDENCE]:
        yield from (one["value"], one["words"])


if __name__ == "__main__":
    said = "{n} hostile answers for cards: {found}; none crashed, none may not be shown"
    raise SystemExit(command.run(fuzz, "answers", 10_000, said, about=__doc__))
