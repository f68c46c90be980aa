"""JSON answers: is this text a JSON text that is valid by its schema?"""

import json
from functools import lru_cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from vidrec_tasks.language.usage import EMPTY, NOT_JSON, OFF_SCHEMA, TOO_LONG, Usage

MAX_CHARS: Final = 100_000
"""Characters a JSON answer may have."""
_FENCE: Final = "```"


def checked_json(text: str, schema: str, usage: Usage) -> str:
    """The JSON text of an answer, or an empty string, counted by its reason.

    A fence of Markdown around the text is taken off: servers that know no schemas write one.

    Args:
        text: what a model wrote.
        schema: the text of a JSON Schema.
        usage: what a drop is counted in.
    """
    text = _unfenced(text.strip())
    if not text:
        return usage.drop(EMPTY)
    if len(text) > MAX_CHARS:
        return usage.drop(TOO_LONG)
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):  # a text of brackets alone nests deeper than Python goes
        return usage.drop(NOT_JSON)
    return text if _validator(schema).is_valid(value) else usage.drop(OFF_SCHEMA)


@lru_cache(maxsize=256)
def schema_of(text: str) -> Any:
    """The schema that a text holds; equal texts are read once."""
    return json.loads(text)


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(schema))


def _unfenced(text: str) -> str:
    if not text.startswith(_FENCE) or not text.endswith(_FENCE) or "\n" not in text:
        return text
    return text[text.index("\n") : -len(_FENCE)].strip()


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
