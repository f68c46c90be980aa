"""Reading: other people's files as chunks of text rows, torn lines counted, nothing guessed.

Values stay the text they were; what they mean is judged later, by the contracts.
"""

import csv
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from upath import UPath

from vidrec_tasks.columns import ROW_NUM
from vidrec_tasks.errors import InputError
from vidrec_tasks.store.inputs import read_chunks

log = logging.getLogger(__name__)

BLOCK_BYTES: Final = 16 << 20
"""Bytes of a file parsed at once; a single row may not be longer."""


@dataclass
class Torn:
    """Lines of one file that are no row: how many, and the first."""

    n: int = 0
    first: str = ""

    def add(self, text: str) -> None:
        """Count one line."""
        self.first = self.first or text.strip()[:200]
        self.n += 1


@dataclass
class Source:
    """A folder of other people's files.

    Attributes:
        preset: whose they are, for messages.
        folder: where they lie.
        torn: torn lines by file name, filled while reading.
    """

    preset: str
    folder: Path
    torn: dict[str, Torn] = field(default_factory=dict)

    def find(self, *patterns: str) -> Path | None:
        """The one file whose name fits a pattern, the first pattern first; None without one.

        Raises:
            InputError: the folder is missing, or several files fit one pattern.
        """
        if not self.folder.is_dir():
            message = f"{self.preset}: {self.folder} is no folder; --from names the folder of files"
            raise InputError(message)
        files = sorted(path for path in self.folder.iterdir() if path.is_file())
        for pattern in patterns:
            fitting = [path for path in files if fnmatchcase(path.name.lower(), pattern)]
            if len(fitting) > 1:
                names = ", ".join(path.name for path in fitting)
                message = f"{self.preset}: {len(fitting)} files are {pattern} ({names}); keep one"
                raise InputError(message)
            if fitting:
                return fitting[0]
        return None

    def need(self, *patterns: str) -> Path:
        """Like `find`, but there must be one.

        Raises:
            InputError: there is none; the message says what lies there instead.
        """
        found = self.find(*patterns)
        if found is None:
            names = sorted(path.name for path in self.folder.iterdir())
            shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
            message = (
                f"{self.preset}: no {' or '.join(patterns)} in {self.folder} "
                f"(found {shown or 'nothing'}); name the folder that holds it"
            )
            raise InputError(message)
        return found

    def read(
        self,
        path: Path,
        *,
        needs: Sequence[str],
        knows: Sequence[str] | None = (),
        **options: Any,
    ) -> Iterator[pd.DataFrame]:
        """Read a csv, parquet or jsonl file in chunks of rows.

        Args:
            path: the file.
            needs: columns that must be there.
            knows: columns that are used where they are there; others are named in the log. None:
                the caller checks.
            options: how text is separated, as `read_text` takes it.

        Raises:
            InputError: the file cannot be read or lacks a column.
        """
        checked = False
        for rows in self._rows(path, **options):
            if not checked and knows is not None:
                self.check(path, list(rows.columns), needs=needs, knows=knows)
            checked = True
            yield rows

    def check(
        self, path: Path, names: Sequence[str], *, needs: Sequence[str], knows: Sequence[str]
    ) -> None:
        """Refuse a file that lacks a column; name those that are not used.

        Raises:
            InputError: names the column, what was found and the nearest name.
        """
        missing = [name for name in needs if name not in names]
        if missing:
            near = get_close_matches(missing[0].lower(), [name.lower() for name in names], n=1)
            hint = f"; rename '{next(n for n in names if n.lower() == near[0])}'?" if near else ""
            message = (
                f"{self.preset}: {path.name} lacks {len(missing)} of {len(needs)} columns (first: "
                f"{missing[0]}); found {', '.join(map(repr, names)) or 'none'}{hint}"
            )
            raise InputError(message)
        ignored = [name for name in names if name not in {*needs, *knows, ROW_NUM}]
        if ignored:
            log.info("%s: not used of %s: %s", self.preset, path.name, ", ".join(ignored))

    def _rows(self, path: Path, **options: Any) -> Iterator[pd.DataFrame]:
        torn = self.torn.setdefault(path.name, Torn())
        if path.suffix.lower() in (".parquet", ".jsonl"):
            for chunk in read_chunks([UPath(path)], table=self.preset):
                for _, _, sample in chunk.torn:
                    torn.add(sample)
                yield chunk.rows
            return
        try:
            with path.open("rb") as file:
                yield from read_text(file, path.name, torn, **options)
        except OSError as error:
            message = f"{self.preset}: {path.name} cannot be read ({error}); check its rights"
            raise InputError(message) from error


def read_text(
    file: IO[bytes], name: str, torn: Torn, *, separator: str = ",", has_quotes: bool = True
) -> Iterator[pd.DataFrame]:
    """Read separated text with a header in chunks; every value is text, an empty one is None.

    Args:
        file: opened for bytes, at its beginning, able to go back there.
        name: for messages.
        torn: told of lines with too many or too few fields.
        separator: between fields.
        has_quotes: whether a field may be quoted (and then hold line breaks).

    Raises:
        InputError: there is no header, or a row is longer than a block.
    """
    first = file.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    if not first:
        message = f"{name} is empty: not even a header; export it again"
        raise InputError(message)
    header = (
        next(csv.reader([first], delimiter=separator)) if has_quotes else first.split(separator)
    )
    file.seek(0)
    try:
        with pa_csv.open_csv(file, **_options(header, torn, separator, has_quotes)) as batches:
            n_batches = 0
            for batch in batches:
                n_batches += 1
                yield _as_frame(batch)
            if not n_batches:
                yield pd.DataFrame({column: pd.Series(dtype=str) for column in header})
    except pa.ArrowInvalid as error:
        message = f"{name} cannot be read ({str(error).splitlines()[0]}); export it again"
        raise InputError(message) from error


def _options(header: list[str], torn: Torn, separator: str, has_quotes: bool) -> dict[str, Any]:
    def count(row: Any) -> str:
        torn.add(row.text or "")
        return "skip"

    return {
        "read_options": pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        "parse_options": pa_csv.ParseOptions(
            delimiter=separator,
            quote_char='"' if has_quotes else False,
            newlines_in_values=has_quotes,
            invalid_row_handler=count,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.binary()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
        ),
    }


def _as_frame(batch: pa.RecordBatch) -> pd.DataFrame:
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = column.cast(pa.string()).to_pandas()
        except pa.ArrowInvalid:  # not UTF-8: shown with replacement characters
            values = [
                None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()
            ]
            columns[name] = pd.Series(values, dtype=object)
    return pd.DataFrame(columns)
