"""Lists: native ones, and the ways in which people write a list as text.

``a|b``, ``a, b``, ``a;b``, JSON, Python's and numpy's own writing, PostgreSQL's ``{a,b}``, and
records such as ``{"id": 1, "name": "a"}``, of which the name is taken.
"""

import ast
import csv
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from vidrec_tasks.contracts.absence import is_filled

SEPARATORS: Final = ("|", ";", ",")
"""What separates the parts of a plain text: the first of these that occurs."""

NAMES: Final = ("name", "title", "label", "tag", "text", "value", "genre", "category", "topic",
                "keyword", "code", "slug")  # fmt: skip
"""The field of a record that says what it is; the first that is there."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_BETWEEN = re.compile(r"[\s,]*\Z")
_BRACKETS: Final = {"[": "]", "{": "}", "(": ")"}


LONGEST_TEXT: Final = 1 << 20
"""Characters of a text, an id or a list that is written as text, at most: 20 hours of speech."""
TOO_DEEP: Final = "is nested too deep"
TOO_LONG: Final = "has a part that is too long"
NAMELESS: Final = f"is a list of records without a name (one of {', '.join(NAMES)})"


class NotAListError(ValueError):
    """A value that cannot be read as a list of texts; the message says why."""


def read_list(value: Any) -> list[str]:
    """A value as a list of different texts, in order; what says nothing is left out.

    Raises:
        NotAListError: it holds records without a name, is no text at all, or is monstrous.
    """
    if isinstance(value, (str, bytes)) and len(value) > LONGEST_TEXT:
        raise NotAListError(TOO_LONG)
    parts = _parts(value)
    texts = [_text(part) for part in parts if is_filled(part)]
    return list(dict.fromkeys(text for text in texts if text))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, bytes):
        value = _decoded(value)
    if isinstance(value, str):
        return _split(value.strip())
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return list(value)
    return [value]


def _split(text: str) -> Iterable[Any]:
    """The parts of a list that is written as text."""
    if len(text) > 1 and _BRACKETS.get(text[0]) == text[-1]:
        if not text[1:-1].strip():
            return []
        try:
            found = json.loads(text)
        except RecursionError as error:
            raise NotAListError(TOO_DEEP) from error
        except ValueError:
            found = _literal(text)
        if found is not None:
            return _parts(found) if not isinstance(found, str) else [found]
        text = text[1:-1]
        if '"' in text:  # {"a, b",c} of PostgreSQL
            return _quoted_parts(text)
    separator = next((mark for mark in SEPARATORS if mark in text), None)
    return [part.strip().strip("\"'") for part in text.split(separator)] if separator else [text]


def _quoted_parts(text: str) -> list[str]:
    try:
        return next(csv.reader([text], escapechar="\\", skipinitialspace=True))
    except csv.Error as error:  # a part of more than 131,072 characters
        raise NotAListError(TOO_LONG) from error


def _literal(text: str) -> Any:
    """What Python or numpy wrote, whose ``['a' 'b']`` has no commas; None: neither did."""
    inner = text[1:-1]
    if text[0] == "{" and '"' in inner and "'" not in inner and ":" not in inner:
        return None  # PostgreSQL's, which quotes only where it must
    rest = _QUOTED.sub("", inner)
    quoted = _QUOTED.findall(inner)
    if quoted and _BETWEEN.match(rest):
        return [_unquoted(part) for part in quoted]
    try:
        return ast.literal_eval(text)
    except (MemoryError, RecursionError) as error:
        raise NotAListError(TOO_DEEP) from error
    except (ValueError, SyntaxError, TypeError):  # TypeError: {[1]}, a set of a list
        return None


def _unquoted(part: str) -> str:
    try:
        return str(ast.literal_eval(part))
    except (ValueError, SyntaxError):
        return part[1:-1]


def _text(part: Any) -> str:
    if isinstance(part, Mapping):
        return _name_of(part)
    if isinstance(part, bytes):
        part = _decoded(part)
    if isinstance(part, (list, tuple, set, np.ndarray)):
        message = "is a list of lists"
        raise NotAListError(message)
    if isinstance(part, (float, np.floating)) and float(part).is_integer():
        part = int(part)
    return str(part).strip()


def _name_of(record: Mapping[Any, Any]) -> str:
    by_name = {str(name).lower(): value for name, value in record.items()}
    texts = {n: v for n, v in by_name.items() if isinstance(v, (str, bytes)) or n in NAMES}
    name: str | None = next((name for name in NAMES if name in texts), None)
    if name is None and len(texts) == 1:
        (name,) = texts
    if name is None:
        raise NotAListError(NAMELESS)
    return _text(texts[name]) if is_filled(texts[name]) else ""


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte 0x{value[error.start]:02x})"
        raise NotAListError(message) from error
