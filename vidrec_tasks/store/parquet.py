"""Parquet: the rows of a file in batches of a bounded size, whatever its cells unpack to.

A cell that a file keeps once (in a dictionary) may stand in each of its rows, and pages are
compressed: the size of a file says nothing of what it holds. What it says of its row groups, and
the dictionaries themselves, are looked at first. Leaves values to `inputs`.
"""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vidrec_tasks.errors import InputError
from vidrec_tasks.store import decoding
from vidrec_tasks.store.decoding import too_long

CHUNK_BYTES: Final = 4 * decoding.BLOCK_BYTES
"""Unpacked bytes of the rows that are handed on together."""
GROUP_BYTES: Final = 4 << 30
"""Unpacked bytes of a row group at most: where one row is far longer than the others, as much may
be in memory at once before its length is known."""

_TEXTS: Final = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def read_tables(file: Any, name: str, *, n_rows: int) -> Iterator[pa.Table]:
    """Read a Parquet file in tables of some `CHUNK_BYTES` at most.

    Args:
        file: opened for bytes.
        name: for messages.
        n_rows: rows of a table at most.

    Raises:
        InputError: a row group or a row is too large; names the file, the row, size and limit.
    """
    parquet = pq.ParquetFile(file)
    _refuse_large_groups(parquet.metadata, name)
    waiting: list[pa.RecordBatch] = []
    n_before = n_waiting = n_bytes = 0
    schema = pa.schema([(inner.name, _plain(inner.type)) for inner in parquet.schema_arrow])
    for batch in parquet.iter_batches(batch_size=rows_at_once(file, n_rows=n_rows)):
        plain = batch.cast(schema)
        _refuse_long(plain, name, n_before)
        n_before += len(plain)
        n_waiting, n_bytes = n_waiting + len(plain), n_bytes + plain.nbytes
        if waiting and (n_waiting > n_rows or n_bytes > CHUNK_BYTES):
            yield pa.Table.from_batches(waiting)
            waiting, n_waiting, n_bytes = [], len(plain), plain.nbytes
        waiting.append(plain)
    if waiting:
        yield pa.Table.from_batches(waiting)


def rows_at_once(file: Any, *, n_rows: int) -> int:
    """How many rows of a Parquet file unpack to some `CHUNK_BYTES`: from 1 to ``n_rows``.

    Args:
        file: opened for bytes.
        n_rows: the most.
    """
    metadata = pq.ParquetFile(file).metadata
    paths = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
    # small reads, as only the dictionaries and one row of each group are wanted
    parquet = pq.ParquetFile(file, metadata=metadata, read_dictionary=paths, buffer_size=1 << 16)
    for num in range(metadata.num_row_groups):
        group = metadata.row_group(num)
        one = next(parquet.iter_batches(batch_size=1, row_groups=[num]), None)
        if one is None:
            continue
        # only now: asking for a column whose description is damaged would end the process
        counts = [group.column(place).num_values for place in range(group.num_columns)]
        leaves = [leaf for column in one.columns for leaf in _leaves(column)]
        shared = sum(n * _longest_shared(leaf) for n, leaf in zip(counts, leaves, strict=True))
        row_bytes = max(group.total_byte_size, shared) / max(1, group.num_rows)
        n_rows = min(n_rows, int(CHUNK_BYTES / max(1.0, row_bytes)))
    return max(1, n_rows)


def _refuse_large_groups(metadata: Any, name: str) -> None:
    for num in range(metadata.num_row_groups):
        group = metadata.row_group(num)
        if group.total_byte_size > GROUP_BYTES:
            message = (
                f"{name}: row group {num} of {metadata.num_row_groups} unpacks to "
                f"{group.total_byte_size / (1 << 30):.3g} GiB ({group.num_rows:,} rows; the limit "
                f"is {GROUP_BYTES / (1 << 30):.3g} GiB); write smaller row groups, or cut its texts"
            )
            raise InputError(message)


def _leaves(column: pa.Array) -> Iterator[pa.Array]:
    """What a file keeps as columns of their own: the innermost arrays, in order."""
    if pa.types.is_struct(column.type):
        for place in range(column.type.num_fields):
            yield from _leaves(column.field(place))
    elif pa.types.is_nested(column.type):
        yield from _leaves(column.values)
    else:
        yield column


def _longest_shared(leaf: pa.Array) -> int:
    """Bytes of the longest text of a dictionary; 0 without one."""
    if not pa.types.is_dictionary(leaf.type):
        return 0
    texts = leaf.dictionary
    return (pc.max(pc.binary_length(texts)).as_py() or 0) if texts.type in _TEXTS else 0


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type whose texts are kept row by row."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(inner.name, _plain(inner.type)) for inner in kind])
    return kind


def _refuse_long(batch: pa.RecordBatch, name: str, n_before: int) -> None:
    """Refuse a row that is longer than a line of text may be: halves that are short are skipped."""
    n = len(batch)
    if batch.nbytes <= decoding.BLOCK_BYTES:
        return
    if n > 1:
        _refuse_long(batch.slice(0, n // 2), name, n_before)
        _refuse_long(batch.slice(n // 2), name, n_before + n // 2)
        return
    sizes = dict(zip(batch.schema.names, (c.nbytes for c in batch.columns), strict=True))
    longest = max(sizes, key=lambda column: sizes[column])
    raise too_long(
        name, n_before, found=f" ({batch.nbytes / (1 << 20):.3g} MiB, most in {longest})"
    )
