"""The protocol of chat completions: a prompt as a request, and an answer judged by its form.

Shared by the endpoint, which asks at once, and by batch files, which are answered later.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from vidrec_tasks.language.generator import Prompt, first_sentence
from vidrec_tasks.language.json_answers import checked_json, schema_of
from vidrec_tasks.language.odds import SCHEMA, SURE, YES, odds_of_chances
from vidrec_tasks.language.usage import CUT, EMPTY, OFF_GRAMMAR, Usage
from vidrec_tasks.settings import LanguageSettings

PATH: Final = "/chat/completions"
"""Where requests go, below the version of the API."""
_MOST_TOKENS: Final = 10_000_000
"""A larger count of tokens is no count: it would be in every sum of the report."""
N_CHANCES: Final = 20
"""Likeliest tokens asked for: the most that OpenAI's API gives."""

JSON_SCHEMA: Final = "json_schema"
JSON_OBJECT: Final = "json_object"
IN_WORDS: Final = "in words"
FORMS: Final = (JSON_SCHEMA, JSON_OBJECT, IN_WORDS)
"""How a server is asked for a schema, the most common first: by OpenAI's ``response_format``, by
that of llama.cpp (a ``json_object`` with its ``schema``), or in the instruction."""


class Answer(NamedTuple):
    """What a server answered.

    Attributes:
        text: as the model wrote it.
        is_cut: whether the model was stopped by the limit of tokens.
        tokens_in: tokens of the prompt, 0 where the server does not say.
        tokens_out: tokens of the answer, 0 where the server does not say.
        chances: the likeliest first tokens with the logarithm of their chance (``top_logprobs``);
            None where the server gives none.
    """

    text: str
    is_cut: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    chances: Sequence[Mapping[str, Any]] | None = None


def request_of(prompt: Prompt, settings: LanguageSettings, *, form: str) -> dict[str, Any]:
    """The body of a request, greedy.

    Args:
        prompt: what is asked.
        settings: model, max_new_tokens.
        form: how a schema is asked for, one of `FORMS`.
    """
    start = f"\nBegin with: {prompt.start}" if prompt.start else ""
    in_words = bool(prompt.schema) and form == IN_WORDS
    told = f"\nAnswer with JSON alone, valid by this schema: {prompt.schema}" if in_words else ""
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [
            {"role": "system", "content": prompt.system + told},
            {"role": "user", "content": prompt.user + start},
        ],
        "temperature": 0,
        "max_tokens": prompt.max_tokens or settings.max_new_tokens,
    }
    if prompt.schema and form != IN_WORDS:
        schema = schema_of(prompt.schema)
        as_schema = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = (
            {"type": JSON_SCHEMA, "json_schema": as_schema}
            if form == JSON_SCHEMA
            else {"type": JSON_OBJECT, "schema": schema}
        )
    return body


def odds_request_of(prompt: Prompt, settings: LanguageSettings) -> dict[str, Any]:
    """The body of a request for the chances of an answer's first token."""
    chances = {"logprobs": True, "top_logprobs": N_CHANCES}
    return {**request_of(prompt._replace(schema=""), settings, form=IN_WORDS), **chances}


def read_answer(body: Any) -> Answer:
    """The first choice of a response's body.

    Raises:
        ValueError: it is not of the protocol.
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"]
        is_cut = choice.get("finish_reason") == "length"
        usage = body.get("usage") or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("no choices[0].message.content") from error
    tokens_in, tokens_out = (
        n if isinstance(n, int) and 0 < n < _MOST_TOKENS else 0 for n in counts
    )
    said = text if isinstance(text, str) else ""
    return Answer(said, is_cut, tokens_in, tokens_out, _chances_of(choice))


def _chances_of(choice: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    try:
        chances = choice["logprobs"]["content"][0]["top_logprobs"]
    except (KeyError, IndexError, TypeError):
        return None
    return chances if isinstance(chances, list) and chances else None


def judged_odds(prompt: Prompt, answer: Answer, usage: Usage) -> float | None:
    """The log odds of yes that an answer gives: by its chances, else by its word as JSON.

    Args:
        prompt: what was asked, with `odds.SCHEMA` where a word was asked for.
        answer: what a server made of it.
        usage: what a drop is counted in.

    Returns:
        None where the answer is neither yes nor no.
    """
    if answer.chances is not None:
        try:
            found = odds_of_chances(answer.chances)
        except ValueError:
            found = None
        if found is None:
            usage.drop(OFF_GRAMMAR)
        return found
    text = judged(prompt._replace(schema=SCHEMA), answer, usage)
    if not text:
        return None
    return SURE if json.loads(text)["answer"] == YES else -SURE


def judged(prompt: Prompt, answer: Answer, usage: Usage) -> str:
    """The answer as a generator returns it: a sentence, a JSON text, or what matches the grammar.

    Args:
        prompt: what was asked.
        answer: what a server made of it.
        usage: what a drop is counted in.

    Returns:
        An empty string where the form is not what was asked for.
    """
    if not answer.text.strip():
        return usage.drop(EMPTY)
    if prompt.schema:
        return usage.drop(CUT) if answer.is_cut else checked_json(answer.text, prompt.schema, usage)
    if not prompt.grammar:
        return first_sentence(answer.text)
    if answer.is_cut:
        return usage.drop(CUT)
    from vidrec_tasks.language.constraining import matches

    text = answer.text.strip()
    is_begun = text.startswith(prompt.start)  # a model may go on from the start, or write it again
    rest = text.removeprefix(prompt.start) if is_begun else answer.text
    return prompt.start + rest if matches(rest, prompt.grammar) else usage.drop(OFF_GRAMMAR)
