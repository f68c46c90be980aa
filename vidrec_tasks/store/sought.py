"""Sought: the users to forget, and how they are recognised in columns, texts and bytes.

An id that cannot mean anything else is found wherever it stands. One that is an ordinary word, a
number, or the id of a video too is recognised only where a user's id is written: in a column of
that name, in a field of a row about a user, at the head of a user's section of a report.
"""

import html
import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import SAMPLE, TABLE, USER_ID
from vidrec_tasks.contracts.rejects import SAMPLE_LENGTH
from vidrec_tasks.contracts.values import as_text

Mask = npt.NDArray[np.bool_]

USER_TABLES: Final = ("interactions", "users", "deletions")
"""Input tables with rows about a user."""

MIN_TELLING_LENGTH: Final = 4
"""An id of fewer characters is found in texts that do not mean it."""

MIN_JOINED_LENGTH: Final = 10
"""Characters from which several words in one are nobody else's."""

BLOCK_BYTES: Final = 1 << 24

_SEPARATORS = re.compile(r"[,;\t|]")


class Sought:
    """The users to forget.

    Args:
        user_ids: their ids, as the contract reads them.
        words: what else is called something: ids of videos and creators, topics. An id among them
            is looked for only where users are named.
    """

    def __init__(self, user_ids: Iterable[Any], *, words: Collection[str] = ()) -> None:
        self.ids: Collection[str] = frozenset(as_id(user_id) for user_id in user_ids) - {""}
        means_one = (name for name in self.ids if is_telling(name) and name not in words)
        self.telling: Collection[str] = frozenset(means_one)
        ordinary = (name for name in self.ids if name in words or is_word(name))
        self.distinct: Collection[str] = frozenset(self.ids) - frozenset(ordinary)
        self._telling = _pattern(self.telling)
        escaped = "|".join(re.escape(html.escape(name)) for name in sorted(self.ids))
        self._heading = re.compile(rf"<h3>User <code>(?:{escaped})</code>") if self.ids else None
        quoted = "|".join(re.escape(name) for name in sorted(self.ids))
        self._field = re.compile(rf'"{USER_ID}"\s*:\s*(?:"\s*(?:{quoted})\s*"|(?:{quoted})\b)')

    def rows(self, frame: pd.DataFrame) -> Mask:
        """``(n_rows,)`` whether a row is about one of them: by user_id, or as a rejected row."""
        if USER_ID in frame:
            return np.asarray(frame[USER_ID].astype(str).isin(self.ids), dtype=bool)
        if TABLE in frame and SAMPLE in frame:
            about_users = frame[TABLE].isin(USER_TABLES)
            quoted = [self.quoted(str(sample)) for sample in frame[SAMPLE]]
            return np.asarray(about_users & np.array(quoted, dtype=bool), dtype=bool)
        return np.zeros(len(frame), dtype=bool)

    def quoted(self, sample: str) -> bool:
        """Whether a sample of a row is about one of them, cut off at its end or not."""
        if self.in_text(sample) or self.in_record(sample):
            return True
        *fields, last = _SEPARATORS.split(sample)
        is_cut = len(sample) >= SAMPLE_LENGTH
        if not is_cut:
            fields.append(last)
        if any(_is_about(field, self.ids) for field in fields):
            return True
        tail = _value_of(last)
        return is_cut and bool(tail) and any(user_id.startswith(tail) for user_id in self.ids)

    def _bytes_in(self, encoding: str) -> re.Pattern[bytes]:
        ways = {
            way
            for name in self.telling
            for way in (name.encode(), escaped(name).encode(), name.encode(encoding, "replace"))
        }
        longest_first = sorted(ways, key=lambda way: (-len(way), way))
        return re.compile(rb"(?<!\w)(?:" + b"|".join(map(re.escape, longest_first)) + rb")(?!\w)")

    def in_fields(self, fields: list[str], position: int | None) -> bool:
        """Whether a row of a file is about one of them.

        Args:
            fields: of the row.
            position: of the user's id among them; None: it is not known of a torn line, so any
                field counts that is no ordinary word.
        """
        if position is not None and as_id(fields[position]) in self.ids:
            return True
        return position is None and any(as_id(field) in self.distinct for field in fields)

    def in_text(self, text: str) -> bool:
        """Whether one whose id cannot mean anything else stands in a text as a word."""
        return self._telling is not None and self._telling.search(text) is not None

    def in_record(self, text: str) -> bool:
        """Whether one is the user of a JSON object, whole or torn."""
        return bool(self.ids) and self._field.search(text) is not None

    def in_page(self, text: str) -> bool:
        """Whether a report shows one of them."""
        has_section = self._heading is not None and self._heading.search(text) is not None
        return has_section or self.in_text(text)

    def in_file(self, path: Any, encoding: str = "utf-8") -> bool:
        """Whether one whose id cannot mean anything else stands in the bytes of a file.

        Looked for in UTF-8, as JSON escapes it, and in the encoding that input files have.
        """
        if not self.telling:
            return False
        sought = self._bytes_in("utf-8" if encoding == "auto" else encoding)
        overlap = max(6 * len(name) for name in self.telling) + 1
        tail = b""
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                if sought.search(tail + block):
                    return True
                tail = (tail + block)[-overlap:]
        return False


def escaped(name: str) -> str:
    """An id as JSON writes it, without its quotes."""
    return json.dumps(name)[1:-1]


def is_telling(user_id: str) -> bool:
    """Whether an id can hardly mean anything but a user: it is neither a word nor a number.

    Letters with digits, an address, or several words in one.
    """
    if len(user_id) < MIN_TELLING_LENGTH:
        return False
    has_digit = any(ch.isdigit() for ch in user_id)
    has_letter = any(ch.isalpha() for ch in user_id)
    is_joined = len(user_id) >= MIN_JOINED_LENGTH and has_letter and not user_id.isalpha()
    return (has_digit and has_letter) or "@" in user_id or is_joined


def is_word(user_id: str) -> bool:
    """Whether an id is letters alone or digits alone."""
    return user_id.isalpha() or user_id.isdigit()


def as_id(value: Any) -> str:
    """A value of an input file as the contract reads an id."""
    return "" if value is None else as_text(value)


def _is_about(field: str, ids: Collection[str]) -> bool:
    """Whether a field of a row is one of the ids, under the name of the column or none."""
    name, is_named, _ = field.partition("=")
    return (not is_named or name.strip() == USER_ID) and _value_of(field) in ids


def _value_of(field: str) -> str:
    value = field.rpartition("=")[2].strip().strip('"')
    head, point, tail = value.partition(".")
    return head if point and head.isdigit() and not tail.strip("0") else value


def _pattern(ids: Collection[str]) -> re.Pattern[str] | None:
    if not ids:
        return None
    longest_first = sorted(ids, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
