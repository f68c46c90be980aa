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

_NUMBER_BYTES: Final = 8


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
    # small reads, as only the dictionary and one row of a column are wanted
    parquet = pq.ParquetFile(file, metadata=metadata, read_dictionary=paths, buffer_size=1 << 16)
    for num in range(metadata.num_row_groups):
        group = metadata.row_group(num)
        columns = _columns_of(group)
        shared = sum(c.num_values * _longest_shared(parquet, num, c) for c in columns)
        row_bytes = max(_unpacked(columns), shared) / max(1, group.num_rows)
        n_rows = min(n_rows, int(CHUNK_BYTES / max(1.0, row_bytes)))
    return max(1, n_rows)


def _refuse_large_groups(metadata: Any, name: str) -> None:
    for num in range(metadata.num_row_groups):
        group = metadata.row_group(num)
        n_bytes = _unpacked(_columns_of(group))
        if n_bytes > GROUP_BYTES:
            message = (
                f"{name}: row group {num} of {metadata.num_row_groups} unpacks to "
                f"{n_bytes / (1 << 30):.3g} GiB ({group.num_rows:,} rows; the limit is "
                f"{GROUP_BYTES / (1 << 30):.3g} GiB); write smaller row groups, or cut its texts"
            )
            raise InputError(message)


def _columns_of(group: Any) -> list[Any]:
    return [group.column(place) for place in range(group.num_columns)]


def _unpacked(columns: list[Any]) -> int:
    """Bytes of columns without compression, texts that stand in several rows counted once."""
    return sum(max(c.total_uncompressed_size, _NUMBER_BYTES * c.num_values) for c in columns)


def _longest_shared(parquet: pq.ParquetFile, group: int, column: Any) -> int:
    """Bytes of the longest text that a column's dictionary holds; 0 without one."""
    is_shared = column.has_dictionary_page and column.physical_type == "BYTE_ARRAY"
    if not is_shared or not column.num_values:
        return 0
    path = column.path_in_schema
    batch = next(parquet.iter_batches(batch_size=1, row_groups=[group], columns=[path]))
    found = batch.column(0)
    while pa.types.is_nested(found.type):
        found = found.field(0) if pa.types.is_struct(found.type) else found.values
    if not pa.types.is_dictionary(found.type):  # a decimal, say
        return 0
    return pc.max(pc.binary_length(found.dictionary)).as_py() or 0


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
