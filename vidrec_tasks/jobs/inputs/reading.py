"""Reading: an input table through its contract, a chunk at a time or, if it is small, whole."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    DURATION_S,
    REASON,
    ROW_NUM,
    SAMPLE,
    TABLE,
    WATCHED_S,
)
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.absence import filled
from vidrec_tasks.contracts.inputs import VIDEOS
from vidrec_tasks.contracts.parsing import check_columns, parse, with_plain_names
from vidrec_tasks.contracts.rejects import Rejects
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.errors import InputError
from vidrec_tasks.jobs.inputs.results import StepResult, join_rejects, sum_counts
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.inputs import Chunk, read_chunks
from vidrec_tasks.store.table_files import TableFile

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Read(StepResult):
    """Rows of a table in the types of its contract; counts ``read`` and ``rejected``.

    Attributes:
        lost: key, row_num and updated_at (where the table has it) of rejected rows whose key could
            be read.
        torn: row_num and text of lines that are no row at all; of a table with a key alone.
        null_words: column -> values that are a word for nothing.
        n_unrated: videos without an age rating, where the column is there.
    """

    lost: pd.DataFrame = field(default_factory=pd.DataFrame)
    torn: tuple[tuple[int, str], ...] = ()
    null_words: Mapping[str, int] = field(default_factory=dict)
    n_unrated: int = 0


def read_table(files: Sequence[TableFile], table: Table, inputs: InputSettings) -> Iterator[Read]:
    """Yield the rows of a table in chunks; none if it is not there.

    Raises:
        ContractError: a required column is missing or one stands there twice.
        InputError: a file cannot be read; the message names it.
    """
    if not files:
        return
    known = [column.name for column in table.columns]
    null_words: Counter[str] = Counter()
    n_read = 0
    for chunk in read_chunks(files, table=table.name, known=known, encoding=inputs.encoding):
        read = _read_chunk(chunk, table, inputs)
        null_words.update(read.null_words)
        n_read += read.counts["read"]
        yield read
    for name, n in null_words.items():
        log.info(
            "%s: %d of %d values of %s mean a missing value (such as NULL) and are read as missing",
            _origin(files, table), n, n_read, name,
        )  # fmt: skip


def read_whole(files: Sequence[TableFile], table: Table, inputs: InputSettings) -> Read:
    """A small table at once; without rows and counts if it is not there.

    Raises:
        ContractError: as of `read_table`, or too many of its rows are wrong.
        InputError: as of `read_table`.
    """
    if not files:
        return Read(no_rows(table))
    chunks = list(read_table(files, table, inputs))
    whole = Read(
        pd.concat([chunk.rows for chunk in chunks], ignore_index=True),
        join_rejects(chunk.rejects for chunk in chunks),
        sum_counts(chunk.counts for chunk in chunks),
        lost=pd.concat([chunk.lost for chunk in chunks], ignore_index=True),
        torn=tuple(line for chunk in chunks for line in chunk.torn),
        n_unrated=sum(chunk.n_unrated for chunk in chunks),
    )
    rejects = Rejects(table.name, inputs.kept_rejects).plus(whole.rejects)
    refuse_bad(rejects, whole.counts["read"], files, table, inputs)
    return whole


def no_rows(table: Table) -> pd.DataFrame:
    """A table without rows, in the types of its contract."""
    return parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), table).rows


def refuse_bad(
    rejects: Rejects,
    n_read: int,
    files: Sequence[TableFile],
    table: Table,
    inputs: InputSettings,
) -> None:
    """Stop the night when too many rows of a table that was read to its end are wrong.

    Raises:
        ContractError: see `admission.refuse_bad_table`.
    """
    admission.refuse_bad_table(
        rejects, n_read, origin=_origin(files, table), max_share=inputs.max_reject_share
    )


def refuse_torn(torn: Sequence[tuple[int, str]], table: Table) -> None:
    """What restricts or forgets somebody may not be lost in a line that is no row.

    Raises:
        InputError: there is such a line.
    """
    if torn:
        message = (
            f"{table.name}: {len(torn)} lines cannot be read as rows (first: {torn[0][1]}); "
            "it is unknown which users they are about, so fix the export"
        )
        raise InputError(message)


def _origin(files: Sequence[TableFile], table: Table) -> str:
    return f"{table.name}/" if len(files) > 1 else files[0].name


def _read_chunk(chunk: Chunk, table: Table, inputs: InputSettings) -> Read:
    rows = with_plain_names(chunk.rows, table, origin=chunk.origin)
    if len(rows) or len(rows.columns) > 1:
        check_columns(list(rows.columns.drop(ROW_NUM)), table, origin=chunk.origin)
    defaults = {AGE_RATING: inputs.unrated_age}
    parsed = parse(rows, table, scales=_scales(inputs), defaults=defaults)
    torn = pd.DataFrame(chunk.torn, columns=[ROW_NUM, REASON, SAMPLE])
    torn.insert(0, TABLE, table.name)
    rejects = join_rejects((parsed.rejects, torn))
    is_rated = table is VIDEOS and AGE_RATING in rows
    return Read(
        parsed.rows,
        rejects,
        {"read": len(rows) + len(torn), "rejected": len(rejects)},
        lost=parsed.lost if table.key else pd.DataFrame(),
        torn=tuple(chunk.texts) if table.key else (),
        null_words=parsed.null_words,
        n_unrated=int((~filled(rows[AGE_RATING])).sum()) if is_rated else 0,
    )


def _scales(inputs: InputSettings) -> dict[str, float]:
    """Column -> what its numbers are multiplied with to be seconds."""
    units = {WATCHED_S: inputs.watched_unit, DURATION_S: inputs.duration_unit}
    return {name: 0.001 for name, unit in units.items() if unit == "ms"}
