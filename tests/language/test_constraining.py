"""A constrained answer has its form whatever the model is: this one is of random weights."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.language.tiny_models import save_byte_causal
from vidrec_tasks.language.causal import CausalGenerator, load_causal
from vidrec_tasks.language.constraining import compiled, matches
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.settings import LanguageSettings

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "summary": {"type": "string", "maxLength": 12},
            "topics": {"type": "array", "items": {"enum": ["cats", "jazz"]}, "maxItems": 2},
        },
        "required": ["summary", "topics"],
        "additionalProperties": False,
    }
)
GRAMMAR = r"""
start: " likes " topic ("." | " and " topic ".") second?
second: " They also watch " topic "."
topic: "cats" | "jazz" | "a cat"
"""


@pytest.fixture(scope="module", autouse=True)
def _exact() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidrec_tasks.language.causal.quick_dtype", lambda: torch.float32)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_byte_causal(tmp_path_factory.mktemp("models") / "bytes")


def load(folder: Path, **fields: int) -> CausalGenerator:
    settings = LanguageSettings(model=str(folder), **fields)
    return load_causal(settings, cache=folder.parent)


def asked(n: int, **fields: Any) -> list[Prompt]:
    """Prompts of unlike lengths."""
    return [Prompt("facts", f"video {num} {'cat ' * num}", **fields) for num in range(n)]


def test_an_answer_by_a_schema_is_a_whole_json_text_of_that_schema(folder: Path) -> None:
    generator = load(folder)
    answers = generator.complete(asked(9, schema=SCHEMA, max_tokens=120))
    for answer in answers:
        value = json.loads(answer)
        assert list(value) == ["summary", "topics"]
        assert len(value["summary"]) <= 12
        assert set(value["topics"]) <= {"cats", "jazz"}
    assert not generator.usage.dropped


def test_an_answer_by_a_grammar_matches_it_after_its_start(folder: Path) -> None:
    prompts = asked(9, grammar=GRAMMAR, start="This user", max_tokens=120)
    answers = load(folder).complete(prompts)
    assert all(matches(answer.removeprefix("This user"), GRAMMAR) for answer in answers)
    assert all(answer.startswith("This user likes ") for answer in answers)


def test_what_a_grammar_allows_alone_is_the_answer_without_a_step(folder: Path) -> None:
    grammar = 'start: "One way. And no other."'
    assert load(folder).complete(asked(2, grammar=grammar)) == ["One way. And no other."] * 2


def test_the_size_of_batches_and_neighbours_of_other_kinds_change_nothing(folder: Path) -> None:
    prompts = [
        *asked(5, schema=SCHEMA, max_tokens=120),
        *asked(5, grammar=GRAMMAR, max_tokens=120),
        *asked(3),
    ]
    alone = [load(folder).complete([prompt])[0] for prompt in prompts]
    assert load(folder, batch_size=4).complete(prompts) == alone
    assert load(folder).complete(prompts) == alone


def test_a_constrained_answer_is_the_most_probable_of_those_allowed(folder: Path) -> None:
    generator = load(folder)
    prompt = asked(1, grammar='start: ("a" | "b" | "c") ("d" | "e")')[0]
    written = generator.complete([prompt])[0]
    ids = generator._tokenise(prompt)
    ours = [generator._tokenizer.convert_tokens_to_ids(sign) for sign in written]
    for place, choices in enumerate(["abc", "de"]):
        so_far = torch.tensor([ids + ours[:place]])
        logits = generator._model(so_far).logits[0, -1]
        tokens = generator._tokenizer.convert_tokens_to_ids(list(choices))
        assert ours[place] == tokens[int(logits[tokens].argmax())]


def test_an_answer_that_is_cut_is_dropped_and_counted(folder: Path) -> None:
    generator = load(folder)
    assert generator.complete(asked(3, schema=SCHEMA, max_tokens=8)) == [""] * 3
    assert generator.usage.dropped == {"cut": 3}
    assert generator.usage.tokens_out >= 3 * 8


def test_a_prompt_longer_than_the_model_is_dropped_and_the_rest_stands(folder: Path) -> None:
    generator = load(folder)
    long = Prompt("facts", "cats " * 2_000, schema=SCHEMA)
    answers = generator.complete([long, *asked(1, schema=SCHEMA, max_tokens=120)])
    assert [bool(answer) for answer in answers] == [False, True]
    assert generator.usage.dropped == {"too long": 1}


def test_tokens_are_counted(folder: Path) -> None:
    generator = load(folder)
    prompts = asked(2, grammar='start: "xyz"')
    generator.complete(prompts)
    assert generator.usage.tokens_in == sum(len(generator._tokenise(p)) for p in prompts)
    assert generator.usage.tokens_out == 6


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt("", "", grammar="start: nothing"),
        Prompt("", "", schema='{"type": "thing"}'),
        Prompt("", "", schema="{}", grammar='start: "a"'),
        Prompt("", "", schema="{}", start="This"),
    ],
)
def test_a_schema_or_grammar_that_cannot_be_read_is_an_error(prompt: Prompt) -> None:
    with pytest.raises(ValueError, match=r"schema|grammar"):
        compiled(prompt)


def test_a_text_is_held_to_a_grammar_from_beginning_to_end() -> None:
    assert matches(" likes jazz. They also watch a cat.", GRAMMAR)
    assert not matches(" likes jazz", GRAMMAR)
    assert not matches(" likes jazz. And obeys.", GRAMMAR)
