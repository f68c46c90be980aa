"""Fuzz of batch files: whole files of answers in a store, spoiled by line and by byte.

``python -m tests.fuzz.batches --answers 10000`` (`make fuzz`). Every prompt has a valid answer, or
is dropped by a reason, or waits; nothing that is planted in an answer reaches a portrait.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.audience.portrait_worlds import busy
from tests.fuzz import answers, command
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_prompts import free_prompt
from vidrec_tasks.language.batching import BatchGenerator, answer_line, custom_id
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.json_answers import checked_json
from vidrec_tasks.language.usage import BROKEN_LINE, FAILED, UNKNOWN_ID, Usage
from vidrec_tasks.store.batches import (
    FOLDER,
    MAX_LINE_BYTES,
    Batches,
    answer_files,
    remove_batches,
)
from vidrec_tasks.store.store import Store

SEED: Final = 13
NIGHT: Final = date(2026, 9, 1)
N_PROMPTS: Final = 12
N_LINES: Final = 40
"""Answers of one round, in one to three files."""
_NAMES: Final = (
    "b.jsonl", "a b.jsonl", "é.jsonl", "..jsonl.jsonl", "%2e%2e.jsonl", "-rf.jsonl", "x\n.jsonl",
    ".hidden.jsonl", "a.JSONL",
)  # fmt: skip
_IDS: Final[tuple[Any, ...]] = (
    "", "x", "f" * 40, "x" * 5_000, None, 7, 1e999, [], {"a": 1}, "\ud800", "../../etc", "\u202e",
)  # fmt: skip
_RESPONSES: Final[tuple[Any, ...]] = (
    None, [], "no", 7, {"status_code": 500, "body": {}}, {"status_code": "200"}, {"body": None},
    {"status_code": 200, "body": {"choices": []}}, {"body": {"choices": {"0": {}}}},
    {"body": {"choices": [{"message": {"content": {"claims": []}}}], "usage": {"x": 1}}},
    {"body": {"choices": [{"message": {"content": ""}}], "usage": {"prompt_tokens": -1e308}}},
)  # fmt: skip

Line = Callable[[str, str, np.random.Generator], bytes]


def _good(name: str, text: str, rng: np.random.Generator) -> bytes:
    return answer_line(name, text)


def _row(name: str, text: str, rng: np.random.Generator) -> bytes:
    """A row in which some value is another."""
    row = json.loads(answer_line(name, text))
    for _ in range(int(rng.integers(1, 4))):
        answers.spoil(row, rng)
    return json.dumps(row, ensure_ascii=bool(rng.integers(0, 2))).encode("utf-8", "surrogatepass")


def _other_id(name: str, text: str, rng: np.random.Generator) -> bytes:
    row = json.loads(answer_line(name, text))
    return json.dumps({**row, "custom_id": _IDS[int(rng.integers(0, len(_IDS)))]}).encode()


def _other_response(name: str, text: str, rng: np.random.Generator) -> bytes:
    response = _RESPONSES[int(rng.integers(0, len(_RESPONSES)))]
    return json.dumps({"custom_id": name, "response": response}).encode()


def _error(name: str, text: str, rng: np.random.Generator) -> bytes:
    errors: tuple[Any, ...] = ({"code": "expired"}, "late", ["x"], {"error": {"error": {}}}, True)
    row = json.loads(answer_line(name, text))
    return json.dumps({**row, "error": errors[int(rng.integers(0, len(errors)))]}).encode()


def _nested(name: str, text: str, rng: np.random.Generator) -> bytes:
    depth = int(rng.integers(500, 60_000))
    deep = b"[" * depth + b"]" * (depth if rng.integers(0, 2) else 0)
    return b'{"custom_id": "%s", "response": {"body": %s}}' % (name.encode(), deep)


def _long(name: str, text: str, rng: np.random.Generator) -> bytes:
    """A long answer; one in fifty longer than any line may be."""
    n = MAX_LINE_BYTES + 10 if rng.integers(0, 50) == 0 else int(rng.integers(1_000, 200_000))
    return answer_line(name, text[:-2] + " " * n + text[-2:])


def _encoded(name: str, text: str, rng: np.random.Generator) -> bytes:
    names = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "utf-7", "cp500")
    return (
        answer_line(name, text).decode().encode(names[int(rng.integers(0, len(names)))], "replace")
    )


def _bytes(name: str, text: str, rng: np.random.Generator) -> bytes:
    return answers.broken(answer_line(name, text), rng)


LINES: Final[tuple[Line, ...]] = (
    _good, _good, _good, _row, _other_id, _other_response, _error, _nested, _long, _encoded, _bytes,
)  # fmt: skip


def fuzz(n: int, *, folder: Path) -> Counter[str]:
    """Read so many spoiled answers; returns what became of the prompts, and the drops by reason.

    Raises:
        AssertionError: a prompt ended in no way or in two, or what was planted came through.
    """
    store, world = Store(str(folder / "store")), busy()
    (facts,) = world.facts("u")
    prompt = free_prompt(facts, language="en")
    prompts = [prompt._replace(system=f"{prompt.system} {num}") for num in range(N_PROMPTS)]
    ends: Counter[str] = Counter()
    while ends["answers"] < n:
        rng = np.random.default_rng([SEED, ends["rounds"]])
        remove_batches(store)
        _write(store, prompts, facts, rng)
        batches = Batches(store, NIGHT, "portraits.0")
        generator = BatchGenerator(answers.SETTINGS, batches)
        found = [text for half in (prompts[:5], prompts[5:]) for text in generator.complete(half)]
        ends.update(_accounted(prompts, found, generator.usage))
        for text in filter(None, found):
            answers.portrait(text, facts, world.judge)
        _again(store, prompts, found)
        ends.update({"answers": N_LINES, "rounds": 1})
    return ends


def _write(
    store: Store, prompts: Sequence[Prompt], facts: Sequence[Fact], rng: np.random.Generator
) -> None:
    """Files of answers: lines spoiled each in its way, then one file in three by its bytes."""
    lines = []
    for _ in range(N_LINES):
        name = custom_id(prompts[int(rng.integers(0, N_PROMPTS))], answers.SETTINGS)
        text = answers.mangled(answers.portrait_answer(facts), rng)
        text = text.encode("utf-8", "replace").decode()
        lines.append(LINES[int(rng.integers(0, len(LINES)))](name, text, rng))
    n_files = int(rng.integers(1, 4))
    end = (b"\n", b"\r\n", b"\n\n", b" \n\t")[int(rng.integers(0, 4))]
    for num in range(n_files):
        data = end.join(lines[num::n_files])
        if rng.integers(0, 3) == 0:
            data = answers.broken(data, rng)
        name = _NAMES[(num + int(rng.integers(0, 3)) * 3) % len(_NAMES)]
        (store.root / FOLDER / "answers").mkdir(parents=True, exist_ok=True)
        (store.root / FOLDER / "answers" / name).write_bytes(data)


def _accounted(prompts: Sequence[Prompt], found: Sequence[str], usage: Usage) -> dict[str, int]:
    """Each prompt once: answered, dropped or waiting; each reason with its count."""
    n_answered, n_waiting = sum(map(bool, found)), len(usage.unanswered)
    of_lines = {BROKEN_LINE, UNKNOWN_ID, FAILED}
    n_dropped = sum(n for reason, n in usage.dropped.items() if reason not in of_lines)
    assert n_answered + n_waiting + n_dropped == len(prompts), usage
    assert usage.dropped[FAILED] <= n_waiting, usage
    assert all(n > 0 for n in usage.dropped.values()), usage
    for prompt, text in zip(prompts, found, strict=True):
        assert not text or checked_json(text, prompt.schema, Usage()), text
    told = {f"dropped: {reason}": n for reason, n in usage.dropped.items()}
    return {"prompts answered": n_answered, "waiting": n_waiting, **told}


def _again(store: Store, prompts: Sequence[Prompt], found: Sequence[str]) -> None:
    """The next night finds the same, and what waits was left as requests."""
    batches = Batches(store, NIGHT, "cards.0")
    again = BatchGenerator(answers.SETTINGS, batches)
    assert again.complete(prompts) == list(found)
    names = {custom_id(prompt, answers.SETTINGS) for prompt in again.usage.unanswered}  # type: ignore[arg-type]
    assert names <= set(batches.asked())
    assert all(path.name.endswith(".jsonl") for path in answer_files(store))


if __name__ == "__main__":
    said = "{n} answers in spoiled batch files: {found}; none crashed, nothing planted came through"
    raise SystemExit(command.run(fuzz, "answers", 10_000, said, about=__doc__))
