"""Reading: other people's files as chunks of text rows, torn lines counted, nothing guessed.

Values stay the text they were; what they mean is judged later, by the contracts.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from upath import UPath

from vidrec_tasks.columns import ROW_NUM
from vidrec_tasks.errors import InputError
from vidrec_tasks.store.decoding import AUTO
from vidrec_tasks.store.delimited import read_delimited
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.table_files import TableFile, as_table_file

log = logging.getLogger(__name__)


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
        unused: columns by file name that the preset leaves where they are, filled while reading.
    """

    preset: str
    folder: Path
    torn: dict[str, Torn] = field(default_factory=dict)
    unused: dict[str, list[str]] = field(default_factory=dict)

    def find(self, *patterns: str) -> Path | None:
        """The one file whose name fits a pattern, the first pattern first; None without one.

        Raises:
            InputError: the folder is missing, or several files fit one pattern.
        """
        files = self._files()
        for pattern in patterns:
            fitting = [path for path in files if fnmatchcase(path.name.lower(), pattern)]
            if len(fitting) > 1:
                names = ", ".join(path.name for path in fitting)
                message = f"{self.preset}: {len(fitting)} files are {pattern} ({names}); keep one"
                raise InputError(message)
            if fitting:
                return fitting[0]
        return None

    def every(self, *patterns: str) -> list[Path]:
        """All files whose name fits the first pattern that any fits, by name.

        Raises:
            InputError: there is none.
        """
        for pattern in patterns:
            fitting = [path for path in self._files() if fnmatchcase(path.name.lower(), pattern)]
            if fitting:
                return fitting
        return [self.need(*patterns)]

    def parts(self, pattern: str) -> list[Path]:
        """The one file whose name fits, or the parts that it was split into, by name.

        Raises:
            InputError: there is none, there are files of several sets, or a whole beside its parts.
        """
        files = sorted(path for path in self._files() if fnmatchcase(path.name.lower(), pattern))
        sets = {path.name.split(".")[0] for path in files}
        is_whole = [path.name.count(".") == pattern.count(".") for path in files]
        if len(files) > 1 and (len(sets) > 1 or any(is_whole)):
            names = ", ".join(path.name for path in files)
            message = (
                f"{self.preset}: {len(files)} files are {pattern} ({names}); keep one, or the "
                "parts of one"
            )
            raise InputError(message)
        return files or [self.need(pattern)]

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            message = (
                f"{self.preset}: {self.folder} is not a folder; --from names the folder of files"
            )
            raise InputError(message)
        return sorted(path for path in self.folder.iterdir() if path.is_file())

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
        for rows in self._rows(path, known=(*needs, *(knows or ())), **options):
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
        names = [name for name in names if name != ROW_NUM]
        missing = [name for name in needs if name not in names]
        if missing:
            near = get_close_matches(missing[0].lower(), [name.lower() for name in names], n=1)
            hint = f"; rename '{next(n for n in names if n.lower() == near[0])}'?" if near else ""
            message = (
                f"{self.preset}: {path.name} lacks {len(missing)} of {len(needs)} columns (first: "
                f"{missing[0]}); found {', '.join(map(repr, names)) or 'none'}{hint}"
            )
            raise InputError(message)
        ignored = [name for name in names if name not in {*needs, *knows}]
        self.unused[path.name] = ignored
        if ignored:
            log.info(
                "%s: %d of %d columns of %s are not used: %s",
                self.preset, len(ignored), len(names), path.name, ", ".join(ignored),
            )  # fmt: skip

    def _rows(self, path: Path, **options: Any) -> Iterator[pd.DataFrame]:
        torn = self.torn.setdefault(path.name, Torn())
        file = as_table_file(UPath(path))
        if file is not None and file.form != "csv":
            for chunk in read_chunks([file], table=self.preset):
                for _, _, sample in chunk.torn:
                    torn.add(sample)
                yield chunk.rows
            return
        try:
            with _opened(path, file) as opened:
                yield from read_text(opened, path.name, torn, **options)
        except (OSError, EOFError) as error:
            message = f"{self.preset}: {path.name} cannot be read ({error}); check its rights"
            raise InputError(message) from error


@contextmanager
def _opened(path: Path, file: TableFile | None) -> Iterator[Any]:
    """A text file, decompressed; one whose ending says nothing is read as it is."""
    if file is not None:
        with file.opened() as opened:
            yield opened
    else:
        with path.open("rb") as opened:
            yield opened


def read_text(
    file: Any,
    name: str,
    torn: Torn,
    *,
    separator: str = AUTO,
    has_quotes: bool = True,
    known: Collection[str] = (),
) -> Iterator[pd.DataFrame]:
    """Read separated text with a header in chunks; every value is text, an empty one is None.

    Args:
        file: opened for bytes, at its beginning.
        name: for messages.
        torn: told of lines with too many or too few fields.
        separator: between fields; ``auto``: as the header tells.
        has_quotes: whether a field may be quoted (and then hold line breaks).
        known: column names by which the separator is told.

    Raises:
        InputError: there is no header, a column is there twice, or a row is longer than a block.
    """
    try:
        for rows, lines in read_delimited(
            file, name, known=known, separator=separator, has_quotes=has_quotes
        ):
            for _, _, line in lines:
                torn.add(line)
            yield rows
    except pa.ArrowInvalid as error:
        message = f"{name} cannot be read ({str(error).splitlines()[0]}); export it again"
        raise InputError(message) from error
