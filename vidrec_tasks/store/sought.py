"""Sought: the users to forget, and how they are recognised in columns, texts and bytes."""

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
"""An id of fewer characters, or of digits alone, is found in texts that do not mean it."""

BLOCK_BYTES: Final = 1 << 24


class Sought:
    """The users to forget.

    Args:
        user_ids: their ids, as the contract reads them.
    """

    def __init__(self, user_ids: Iterable[Any]) -> None:
        self.ids: Collection[str] = frozenset(as_id(user_id) for user_id in user_ids) - {""}
        telling = [name for name in self.ids if len(name) >= MIN_TELLING_LENGTH]
        self.telling: Collection[str] = frozenset(n for n in telling if not n.isdigit())
        self._any = _pattern(self.ids)
        self._telling = _pattern(self.telling)
        self._bytes = None if self._telling is None else re.compile(self._telling.pattern.encode())

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
        """Whether a sample of a row holds one of them, cut off at its end or not."""
        if self.in_text(sample):
            return True
        tail = re.split(r"[,;\s=|\"]", sample)[-1]
        is_cut = len(sample) >= SAMPLE_LENGTH and bool(tail)
        return is_cut and any(user_id.startswith(tail) for user_id in self.ids)

    def in_text(self, text: str) -> bool:
        """Whether one of them stands in a text as a word."""
        return self._any is not None and self._any.search(text) is not None

    def in_file(self, path: Any) -> bool:
        """Whether one whose id cannot mean anything else stands in the bytes of a file."""
        if self._bytes is None:
            return False
        overlap = max(len(name.encode()) for name in self.telling) + 1
        tail = b""
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                if self._bytes.search(tail + block):
                    return True
                tail = (tail + block)[-overlap:]
        return False


def as_id(value: Any) -> str:
    """A value of an input file as the contract reads an id."""
    return "" if value is None else as_text(value)


def _pattern(ids: Collection[str]) -> re.Pattern[str] | None:
    if not ids:
        return None
    longest_first = sorted(ids, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
