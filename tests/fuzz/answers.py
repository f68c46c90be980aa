"""Fuzz of answers: what a language model, an endpoint or a batch file gives back, mangled.

``python -m tests.fuzz.answers --answers 10000`` (`make fuzz`). Each answer is used or dropped with
a reason; what is planted in it as a lie or an instruction reaches no card and no portrait.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.audience.portrait_worlds import busy
from tests.fuzz import command
from tests.fuzz.media import MANGLES
from tests.language.cards.worlds import rows, sources
from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_prompts import SECTIONS, free_prompt, read_free
from vidrec_tasks.audience.portrait_wording import fact_sentence
from vidrec_tasks.language.batching import BatchGenerator, answer_line, custom_id
from vidrec_tasks.language.cards.checking import check_answer
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.json_answers import checked_json
from vidrec_tasks.language.usage import Usage
from vidrec_tasks.settings import LanguageSettings

SEED: Final = 5
LIE: Final = "zzyzx"
"""A word that no source and no fact has."""
OFFERED: Final = ("steam engine", "boiler")
VIDEO: Final = sources(
    rows(title="A steam engine at work", description="Its boiler is older than the station is.")
)[0]
SETTINGS: Final = LanguageSettings(mode="batch", model="a-model")
_WRONG: Final[tuple[Any, ...]] = (
    None, True, -1, 1e308, "", [], {}, [[]], {"text": LIE}, "9" * 300, LIE, f"All love {LIE}.",
    "\ud800", "\u202e" + LIE, [LIE] * 50, {"liked": {"text": f"They love {LIE}.", "facts": [1]}},
)  # fmt: skip


class Box:
    """A mailbox that holds some lines."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = list(lines)

    def answers(self) -> Iterator[bytes]:
        return iter(self.lines)

    def leave(self, requests: Mapping[str, bytes]) -> None:
        pass

    def asked(self) -> Iterator[str]:
        return iter(())


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Judge mangled answers; returns how many were used and dropped, by whom they were for.

    Raises:
        AssertionError: one ended neither way, or what was planted came through.
    """
    del folder  # nothing is written
    world = busy()
    (facts,) = world.facts("u")
    prompt = free_prompt(facts, language="en")
    ends: Counter[str] = Counter()
    for num in range(n):
        rng = np.random.default_rng([SEED, num])
        kind = ("portrait", "card", "batch")[num % 3]
        if kind == "portrait":
            is_used = portrait(mangled(portrait_answer(facts), rng), facts, world.judge)
        elif kind == "card":
            is_used = _card(mangled(card_answer(), rng))
        else:
            is_used = _batch(prompt, facts, rng)
        ends[f"{kind} used" if is_used else f"{kind} dropped"] += 1
    return ends


def portrait_answer(facts: Sequence[Fact]) -> dict[str, Any]:
    """A good answer to the prompt of a portrait: a sentence of each section's first fact."""
    answer = {}
    for name, stated in SECTIONS.items():
        fact = next(fact for fact in facts if fact.kind in stated)
        text = fact_sentence(fact, language="en")
        answer[name] = {"text": text, "facts": [fact.number]}
    return answer


def card_answer() -> dict[str, Any]:
    """A good answer to the prompt of a card."""
    return {
        "summary": "A steam engine at work, with its boiler.", "topics": list(OFFERED),
        "format": "", "mood": "", "audience": "", "named": [],
    }  # fmt: skip


def portrait(answer: str, facts: Sequence[Fact], judge: Any) -> bool:
    """Read and judge an answer; whether anything of it is published.

    Raises:
        AssertionError: something was dropped without a reason, or a lie is published.
    """
    read = read_free(answer, facts)
    records = [fact.as_dict() for fact in facts]
    published = []
    for sentence in read.sentences:
        own = [record for record in records if record["number"] in sentence.facts]
        wrong, _, _ = judge("u", sentence.text, own)
        published += [] if wrong else [sentence.text]
    assert all(reason for _, _, reason in read.dropped), answer
    assert LIE not in " ".join(published), answer
    for text in (*published, *(dropped for dropped, _, _ in read.dropped)):
        text.encode()  # no half of a surrogate pair: a table holds both
    return bool(published)


def _card(answer: str) -> bool:
    kept, grounds, dropped = check_answer(answer, VIDEO, OFFERED)
    assert all(reason for _, reason in dropped), answer
    assert LIE not in json.dumps(kept), answer
    assert {ground.field for ground in grounds} <= set(kept), answer
    return bool(kept)


def _batch(prompt: Prompt, facts: Sequence[Fact], rng: np.random.Generator) -> bool:
    line = answer_line(custom_id(prompt, SETTINGS), json.dumps(portrait_answer(facts)))
    lines = [broken(line, rng), broken(line, rng)][: int(rng.integers(1, 3))]
    usage = Usage()
    generator = BatchGenerator(SETTINGS, Box(lines), usage=usage)
    (answer,) = generator.complete([prompt])
    if not answer:
        assert usage.dropped or prompt in usage.unanswered, lines
        return False
    assert checked_json(answer, prompt.schema, Usage()), lines
    return True


def mangled(answer: dict[str, Any], rng: np.random.Generator) -> str:
    """Some values replaced, some text spoiled, some bytes broken."""
    for _ in range(int(rng.integers(0, 3))):
        spoil(answer, rng)
    text = json.dumps(answer, ensure_ascii=bool(rng.integers(0, 2)))
    if rng.integers(0, 6) == 0:
        text = "[" * int(rng.integers(1, 5_000)) + text
    if rng.integers(0, 4) == 0:
        return broken(text.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "replace")
    return text


def spoil(answer: Any, rng: np.random.Generator) -> None:
    """Replace a value somewhere within, or put a lie or an instruction into a text."""
    places = list(answer) if isinstance(answer, dict) else list(range(len(answer)))
    if not places:
        return
    place = places[int(rng.integers(0, len(places)))]
    value = answer[place]
    if isinstance(value, dict | list) and value and rng.integers(0, 3):
        spoil(value, rng)
    elif isinstance(value, str) and rng.integers(0, 2):
        planted = (LIE, str(INJECTIONS[int(rng.integers(0, len(INJECTIONS)))]) + LIE)
        words = value.split(" ")
        words.insert(int(rng.integers(0, len(words) + 1)), planted[int(rng.integers(0, 2))])
        answer[place] = " ".join(words)
    else:
        answer[place] = deepcopy(_WRONG[int(rng.integers(0, len(_WRONG)))])


def broken(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one thing wrong, one time in three none."""
    if rng.integers(0, 3) == 0:
        return data
    mangle = MANGLES[int(rng.integers(0, len(MANGLES)))]
    return bytes(mangle(bytearray(data), rng))


if __name__ == "__main__":
    said = "{n} mangled answers: {found}; none crashed, nothing planted came through"
    raise SystemExit(command.run(fuzz, "answers", 10_000, said, about=__doc__))
