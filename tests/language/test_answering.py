"""The requests of batch files, answered by whoever has the model; asked once."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from vidrec_tasks.errors import InputError
from vidrec_tasks.language.batching import BatchGenerator
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.running import answering
from vidrec_tasks.settings import LanguageSettings, Settings
from vidrec_tasks.store.batches import Batches, answer_files, request_files
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)
SCHEMA = json.dumps({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}})
PROMPTS = [Prompt("system", f"facts {num}", schema=SCHEMA) for num in range(3)]


class Writer:
    """Stands for the model of this machine; it has no answer to the last prompt."""

    identity = "scripted"
    asked: list[Prompt]
    modes: list[str]

    def __init__(self, settings: LanguageSettings, **more: Any) -> None:
        self.modes.append(settings.mode)

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        self.asked.extend(prompts)
        return ["" if p.user == PROMPTS[-1].user else '{"n": 7}' for p in prompts]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(Writer, "asked", [], raising=False)
    monkeypatch.setattr(Writer, "modes", [], raising=False)
    monkeypatch.setattr(answering, "LazyGenerator", Writer)
    return Settings(store_url=str(tmp_path), language={"mode": "batch", "model": "a-model"})


def ask(settings: Settings) -> list[str]:
    """As a job of a night does."""
    batches = Batches(Store(settings.store_url), NIGHT, "portraits.0")
    return BatchGenerator(settings.language, batches).complete(PROMPTS)


def test_what_a_night_asked_is_answered_once_and_found_by_the_next(settings: Settings) -> None:
    assert ask(settings) == ["", "", ""]
    assert answering.answer_batches(settings) == {"files": 1, "requests": 3, "answered": 2}
    assert [prompt.user for prompt in Writer.asked] == [prompt.user for prompt in PROMPTS]
    assert Writer.modes == ["auto"]
    assert ask(settings) == ['{"n": 7}', '{"n": 7}', ""]
    again = answering.answer_batches(settings)
    assert [prompt.user for prompt in Writer.asked[3:]] == [PROMPTS[-1].user]
    assert again == {"files": 1, "requests": 1, "answered": 0}
    assert ask(settings) == ['{"n": 7}', '{"n": 7}', ""]  # what was answered before is kept


def test_a_request_that_failed_elsewhere_is_asked_here(settings: Settings) -> None:
    ask(settings)
    store = Store(settings.store_url)
    names = [json.loads(line)["custom_id"] for path in request_files(store)
             for line in store.read(path).splitlines()]  # fmt: skip
    failed = [json.dumps({"custom_id": name, "error": {"code": "expired"}}) for name in names]
    store.write(store.path("batches", "answers", "errors.jsonl"), "\n".join(failed).encode())
    assert answering.answer_batches(settings)["answered"] == 2
    assert ask(settings) == ['{"n": 7}', '{"n": 7}', ""]


def test_without_requests_nobody_is_asked(settings: Settings) -> None:
    assert answering.answer_batches(settings) == {"files": 0, "requests": 0, "answered": 0}
    assert Writer.asked == []


def test_a_file_of_requests_that_is_spoiled_is_named(settings: Settings) -> None:
    store = Store(settings.store_url)
    Batches(store, NIGHT, "cards.0").leave({"a name": b"{not JSON"})
    with pytest.raises(InputError, match=r"cards\.0\.requests\.jsonl.*the next night asks again"):
        answering.answer_batches(settings)
    assert answer_files(store) == []
