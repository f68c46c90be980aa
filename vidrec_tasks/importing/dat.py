"""Dat: the older layout of MovieLens, without a header and with ``::`` between fields.

A line with too many or too few fields is torn, not lost; quotes mean nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.reading import Source, Torn
from vidrec_tasks.store import decoding
from vidrec_tasks.store.decoding import AUTO, MARKS, Decoded, unmarked

log = logging.getLogger(__name__)

SEPARATOR: Final = "::"
LATIN_1: Final = "latin-1"
"""What MovieLens-1M is written in; MovieLens-10M and MovieTweetings are UTF-8."""


def read_dat(source: Source, path: Path, *, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read a .dat file in chunks of rows; every value is text, an empty one is missing.

    Args:
        source: the folder that it lies in; told of torn lines.
        path: the file.
        names: of its columns, in order.

    Raises:
        InputError: the file cannot be read, is empty, or does not begin with such rows.
    """
    torn = source.torn.setdefault(path.name, Torn())
    try:
        encoding = _encoding_of(path, source.preset)
        with path.open("rb") as file:
            text = Decoded(file, path.name, encoding=encoding)
            n_rows = 0
            for lines in _blocks_of(text):
                rows = _rows_of(lines, names, torn)
                n_rows += len(rows)
                if not n_rows:
                    _refuse(f"{source.preset}: {path.name}", lines, names)
                yield rows
            text.check()
    except OSError as error:
        message = f"{source.preset}: {path.name} cannot be read ({error}); check its rights"
        raise InputError(message) from error


def _encoding_of(path: Path, preset: str) -> str:
    """Latin-1 where most lines beyond ASCII are no UTF-8; else as the file tells, or UTF-8."""
    n_valid = n_other = 0
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            is_valid = _is_utf8(line)
            n_valid, n_other = n_valid + is_valid, n_other + (not is_valid)
    is_latin = n_other > n_valid
    log.info(
        "%s: %s is read as %s (%d of %d lines beyond ASCII are UTF-8)",
        preset, path.name, LATIN_1 if is_latin else "utf-8", n_valid, n_valid + n_other,
    )  # fmt: skip
    return LATIN_1 if is_latin else AUTO


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _blocks_of(text: Decoded) -> Iterator[list[str]]:
    """The lines of a file, a block of whole ones at a time; one empty block of an empty file."""
    rest, is_first = b"", True
    while block := text.read(decoding.BLOCK_BYTES):
        whole, end, rest = (rest + block).rpartition(b"\n")
        if end:
            yield whole.decode().split("\n")
            is_first = False
    if rest or is_first:
        yield rest.decode().split("\n")


def _rows_of(lines: Sequence[str], names: Sequence[str], torn: Torn) -> pd.DataFrame:
    """The lines that are rows, as columns of text; the others are counted, but for blank ones."""
    texts = pc.utf8_rtrim(pa.array(lines, pa.string()), characters="\r")
    texts = texts.filter(pc.not_equal(pc.utf8_trim_whitespace(texts), ""))
    fields = pc.split_pattern(texts, SEPARATOR)
    is_row = pc.and_not(
        pc.equal(pc.list_value_length(fields), len(names)), pc.match_substring_regex(texts, MARKS)
    )
    for line in texts.filter(pc.invert(is_row)).to_pylist():
        torn.add(unmarked(line))
    kept = fields.filter(is_row)
    return pd.DataFrame({name: _column(kept, num) for num, name in enumerate(names)})


def _column(fields: Any, num: int) -> pd.Series:
    values = pc.list_element(fields, num)
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values).to_pandas()


def _refuse(origin: str, lines: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a file of which no line so far is a row.

    Raises:
        InputError: names the first line, what a line should be, and the next step.
    """
    number, first = next(
        ((num, line.strip()) for num, line in enumerate(lines, start=1) if line.strip()), (0, "")
    )
    if not first:
        message = f"{origin} is empty; take the file as it was published"
        raise InputError(message)
    message = (
        f"{origin}, line {number}: {first.count(SEPARATOR) + 1} fields, not {len(names)} with "
        f"'{SEPARATOR}' between ({SEPARATOR.join(names)}): {unmarked(first)[:80]!r}; take the file "
        "as it was published"
    )
    raise InputError(message)
