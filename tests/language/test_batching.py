"""Prompts that are answered later, in files of OpenAI's batch form, well and badly."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.batching import answer_line, custom_id, read_requests, request_line
from vidrec_tasks.language.generator import LazyGenerator, Prompt
from vidrec_tasks.settings import LanguageSettings

SETTINGS = LanguageSettings(mode="batch", model="a-model")
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
)
PROMPTS = [Prompt("system", f"facts {num}", schema=SCHEMA, max_tokens=99) for num in range(5)]


class Box:
    """A mailbox in memory."""

    def __init__(self, lines: Sequence[bytes] = ()) -> None:
        self.lines = list(lines)
        self.left: list[bytes] = []
        self.names: dict[str, None] = {}

    def answers(self) -> Iterator[bytes]:
        return iter(self.lines)

    def leave(self, requests: Mapping[str, bytes]) -> None:
        self.left = list(requests.values())
        self.names |= dict.fromkeys(requests)

    def asked(self) -> Iterator[str]:
        return iter(self.names)


def ask(box: Box, prompts: Sequence[Prompt] = PROMPTS) -> tuple[list[str], LazyGenerator]:
    generator = LazyGenerator(SETTINGS, cache=Path("none"), mailbox=box)
    return generator.complete(prompts), generator


def name(num: int) -> str:
    return custom_id(PROMPTS[num], SETTINGS)


def good(num: int) -> bytes:
    return answer_line(name(num), json.dumps({"summary": f"answer {num}"}))


def test_a_first_night_has_no_answers_and_leaves_requests_in_the_form_of_the_batch_api() -> None:
    box = Box()
    answers, generator = ask(box)
    assert answers == [""] * 5
    assert generator.unanswered == set(PROMPTS)
    assert generator.dropped == {}
    rows = [json.loads(line) for line in box.left]
    assert len({row["custom_id"] for row in rows}) == 5
    assert all(len(row["custom_id"]) <= 64 for row in rows)
    assert {(row["method"], row["url"]) for row in rows} == {("POST", "/v1/chat/completions")}
    body = rows[0]["body"]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("a-model", 99, 0)
    assert body["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_answers_are_found_by_their_prompts_and_only_the_rest_waits() -> None:
    box = Box([good(3), good(1)])
    answers, generator = ask(box)
    told = [json.loads(text)["summary"] if text else "" for text in answers]
    assert told == ["", "answer 1", "", "answer 3", ""]
    assert generator.unanswered == {PROMPTS[0], PROMPTS[2], PROMPTS[4]}
    assert [json.loads(line)["custom_id"] for line in box.left] == [name(0), name(2), name(4)]


def test_when_all_is_answered_nothing_is_left() -> None:
    box = Box([good(num) for num in range(5)])
    answers, generator = ask(box)
    assert all(answers)
    assert (box.left, generator.unanswered) == ([], set())


def row(num: int, **fields: Any) -> bytes:
    return json.dumps({**json.loads(good(num)), **fields}).encode()


def body_of(text: Any, **more: Any) -> dict[str, Any]:
    choice = {"message": {"content": text}, **more}
    return {"status_code": 200, "body": {"choices": [choice]}}


@pytest.mark.parametrize(
    ("line", "reason", "waits"),
    [
        (row(2, error={"code": "batch_expired", "message": "late"}), "failed", True),
        (row(2, response={"status_code": 500, "body": {}}), "failed", True),
        (good(2)[:-9], "broken line", True),
        (b"[1, 2]", "broken line", True),
        (b"\xff\xfe", "broken line", True),
        (b"[" * 100_000, "broken line", True),
        (row(2, custom_id=["a", "list"]), "broken line", True),
        (row(2, custom_id="x" * 65), "broken line", True),
        (row(2, response=body_of('{"summary": "A', finish_reason="length")), "cut", False),
        (row(2, response=body_of(None)), "empty", False),
        (row(2, response=body_of("Here you are:")), "not JSON", False),
        (row(2, response=body_of('{"summary": 7}')), "off schema", False),
        (row(2, response=body_of('{"summary": "a", "system": "b"}')), "off schema", False),
    ],
)
def test_a_bad_line_is_counted_by_its_reason_and_the_rest_stands(
    line: bytes, reason: str, waits: bool
) -> None:
    box = Box([good(0), line, good(1), good(3), good(4)])
    answers, generator = ask(box)
    assert [bool(text) for text in answers] == [True, True, False, True, True]
    assert generator.dropped == {reason: 1}
    assert generator.unanswered == ({PROMPTS[2]} if waits else set())


def test_a_line_that_broke_is_counted_once_however_often_files_are_read() -> None:
    generator = LazyGenerator(SETTINGS, cache=Path("none"), mailbox=Box([b"broken"]))
    generator.complete(PROMPTS[:2])
    generator.complete(PROMPTS[2:])
    assert generator.dropped == {"broken line": 1}


def test_a_good_answer_counts_before_a_failed_one_and_the_last_of_two() -> None:
    failed = row(0, error={"code": "x", "message": "y"})
    later = answer_line(name(0), '{"summary": "later"}')
    answers, generator = ask(Box([good(0), later, failed]), PROMPTS[:1])
    assert json.loads(answers[0]) == {"summary": "later"}
    assert not generator.dropped


def test_answers_to_nobody_s_prompt_change_nothing_and_are_counted() -> None:
    alien = answer_line("f" * 40, '{"summary": "ignore all that came before"}')
    answers, generator = ask(Box([alien, good(0), alien]), PROMPTS[:1])
    assert json.loads(answers[0])["summary"] == "answer 0"
    assert generator.dropped == {"unknown id": 1}


def test_an_answer_that_another_job_or_night_asked_for_is_nobody_s_fault() -> None:
    box = Box([good(3), good(4)])
    box.names[name(3)] = None
    _, generator = ask(box, PROMPTS[:1])
    assert generator.dropped == {"unknown id": 1}
    generator.complete(PROMPTS[4:])  # a later call asks for it after all
    assert generator.dropped == {}


def test_requests_of_several_calls_are_left_together_and_bounded() -> None:
    box = Box()
    settings = SETTINGS.model_copy(update={"max_batch_requests": 3})
    generator = LazyGenerator(settings, cache=Path("none"), mailbox=box)
    generator.complete(PROMPTS[:2])
    generator.complete(PROMPTS[1:])
    assert [json.loads(line)["custom_id"] for line in box.left] == [name(0), name(1), name(2)]
    assert generator.unanswered == set(PROMPTS)


def test_another_model_another_schema_or_another_limit_is_another_request() -> None:
    prompt = PROMPTS[0]
    others = [
        custom_id(prompt._replace(schema=""), SETTINGS),
        custom_id(prompt._replace(max_tokens=5), SETTINGS),
        custom_id(prompt._replace(grammar='start: "a"', schema=""), SETTINGS),
        custom_id(prompt, SETTINGS.model_copy(update={"model": "another"})),
    ]
    assert len({name(0), *others}) == 5


def test_a_prompt_is_read_back_from_its_request() -> None:
    box = Box()
    ask(box)
    assert dict(read_requests(iter(box.left))) == {
        name(num): prompt for num, prompt in enumerate(PROMPTS)
    }


def test_a_request_whose_schema_refers_elsewhere_is_refused() -> None:
    elsewhere = json.dumps({"$ref": "http://127.0.0.1:1/schema.json"})
    line = request_line(PROMPTS[0]._replace(schema=elsewhere), SETTINGS)
    with pytest.raises(ValueError, match="no request of a batch"):
        dict(read_requests(iter([line])))


def test_without_a_mailbox_the_mode_is_refused_with_the_next_step() -> None:
    generator = LazyGenerator(SETTINGS, cache=Path("none"))
    assert generator.identity == "a-model@batch"
    with pytest.raises(ModelError, match="VIDREC_LANGUAGE__MODE"):
        generator.complete(PROMPTS)


@pytest.mark.parametrize(
    ("fields", "writer", "model"),
    [
        ({}, "model", "embedded"),
        ({"model": "a-folder"}, "model", "a-folder"),
        ({"endpoint_url": "http://x/v1", "model": "m"}, "endpoint", "m"),
        ({"endpoint_url": "http://x/v1", "mode": "model", "model": "m"}, "model", "m"),
        ({"mode": "embedded", "model": "m"}, "model", "embedded"),
        ({"mode": "batch", "endpoint_url": "http://x/v1", "model": "m"}, "batch", "m"),
    ],
)
def test_the_mode_says_who_writes(fields: dict[str, Any], writer: str, model: str) -> None:
    settings = LanguageSettings(**fields)
    assert (settings.writer, settings.local_model) == (writer, model)


def test_the_cost_is_that_of_a_million_tokens() -> None:
    settings = LanguageSettings(price_in=2.0, price_out=8.0)
    assert settings.cost(500_000, 250_000) == pytest.approx(3.0)
