"""Parquet: the rows of a file in batches of a bounded size, whatever its cells unpack to.

A cell that a file keeps once (in a dictionary, as a run, or as the beginning of the one before) may
stand in each of its rows, and pages are compressed: the size of a file says nothing of what it
holds. What it says of its columns, and the dictionaries themselves, are looked at first. Leaves
values to `inputs`.
"""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vidrec_tasks.errors import InputError
from vidrec_tasks.hardware import room_for
from vidrec_tasks.store import decoding
from vidrec_tasks.store.decoding import too_long

CHUNK_BYTES: Final = 4 * decoding.BLOCK_BYTES
"""Unpacked bytes of the rows that are handed on together."""
ROOM_BYTES: Final = 4 << 30
"""What a batch may take of memory at most: where one row is far longer than the others, nothing
that a file says of itself tells its length."""
BEGINNINGS: Final = "DELTA_BYTE_ARRAY"
"""The encoding that keeps of a text what differs from the one before."""

_TEXTS: Final = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def read_tables(file: Any, name: str, *, n_rows: int) -> Iterator[pa.Table]:
    """Read a Parquet file in tables of some `CHUNK_BYTES` at most.

    Args:
        file: opened for bytes.
        name: for messages.
        n_rows: rows of a table at most.

    Raises:
        InputError: a row is too large; names the file, the row, size and limit.
    """
    parquet = open_parquet(file)
    waiting: list[pa.RecordBatch] = []
    n_before = n_waiting = n_bytes = 0
    schema = pa.schema([(inner.name, _plain(inner.type)) for inner in parquet.schema_arrow])
    for batch in read_batches(parquet, file, name, n_rows=n_rows):
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


def open_parquet(file: Any, **how: Any) -> pq.ParquetFile:
    """A Parquet file that is read a page at a time; what was read is not kept.

    Args:
        file: opened for bytes.
        how: further arguments of `pyarrow.parquet.ParquetFile`.
    """
    # by default whole row groups are fetched before the first row is there, and stay in memory
    return pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20, **how)


def read_batches(
    parquet: pq.ParquetFile, file: Any, name: str, *, n_rows: int
) -> Iterator[pa.RecordBatch]:
    """Read the rows of a Parquet file as it keeps them, as many at once as there is room for.

    Args:
        parquet: of the file.
        file: opened for bytes.
        name: for messages.
        n_rows: rows of a batch at most.

    Raises:
        InputError: a few rows are too large; names the file and the limit.
    """
    batch_size = rows_at_once(file, name, n_rows=n_rows)
    yield from _in_room(parquet.iter_batches(batch_size=batch_size), name)


def rows_at_once(file: Any, name: str, *, n_rows: int) -> int:
    """How many rows of a Parquet file unpack to some `CHUNK_BYTES`: from 1 to ``n_rows``.

    Of a column that keeps beginnings it is not known what its texts unpack to: as many of its rows
    are taken as are a quarter of `ROOM_BYTES` if each text were as long as all of them.

    Args:
        file: opened for bytes.
        name: for messages.
        n_rows: the most.

    Raises:
        InputError: a first row is too large; names the file and the limit.
    """
    parquet = open_parquet(file)
    metadata = parquet.metadata
    for num in range(metadata.num_row_groups):
        batches = parquet.iter_batches(batch_size=1, row_groups=[num])
        one = next(_in_room(batches, name), None)
        if one is None:
            continue
        # only now: asking for a column whose description is damaged would end the process
        group = metadata.row_group(num)
        chunks = [group.column(place) for place in range(group.num_columns)]
        kinds = [_plain(leaf.type) for column in one.columns for leaf in _leaves(column)]
        shared = _longest_shared(file, metadata, num)
        n_bytes = 0
        for chunk, kind in zip(chunks, kinds, strict=True):
            width = _fixed_width(kind) or shared.get(chunk.path_in_schema, 0)
            n_bytes += max(chunk.total_uncompressed_size, chunk.num_values * width)
            if BEGINNINGS in chunk.encodings:
                n_rows = min(n_rows, ROOM_BYTES // 4 // max(1, chunk.total_uncompressed_size))
        n_rows = min(n_rows, int(CHUNK_BYTES / max(1.0, n_bytes / max(1, group.num_rows))))
    return max(1, n_rows)


def _in_room(batches: Iterator[pa.RecordBatch], name: str) -> Iterator[pa.RecordBatch]:
    """Batches, none of which may take more than `ROOM_BYTES` while it is unpacked."""
    while True:
        try:
            with room_for(ROOM_BYTES):
                batch = next(batches, None)
        except MemoryError as error:
            message = (
                f"{name}: a few rows unpack to more than {ROOM_BYTES / (1 << 30):.3g} GiB; cut the "
                "longest texts and lists"
            )
            raise InputError(message) from error
        if batch is None:
            return
        yield batch


def _fixed_width(kind: pa.DataType) -> int:
    """Bytes of each value; 0 where they differ."""
    is_fixed = pa.types.is_primitive(kind) or pa.types.is_fixed_size_binary(kind)
    return max(1, kind.bit_width // 8) if is_fixed else 0


def _longest_shared(file: Any, metadata: Any, num: int) -> dict[str, int]:
    """Column of a row group -> bytes of the longest text that is kept once for many rows."""
    group = metadata.row_group(num)
    chunks = [group.column(place) for place in range(group.num_columns)]
    paths = [
        chunk.path_in_schema for chunk in chunks
        if not {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}.isdisjoint(chunk.encodings)
    ]  # fmt: skip
    if not paths:
        return {}
    parquet = open_parquet(
        file, metadata=metadata, read_dictionary=paths, arrow_extensions_enabled=False
    )
    one = next(parquet.iter_batches(batch_size=1, row_groups=[num], columns=paths))
    leaves = [leaf for column in one.columns for leaf in _leaves(column)]
    return {path: _longest_text(leaf) for path, leaf in zip(paths, leaves, strict=True)}


def _leaves(column: pa.Array) -> Iterator[pa.Array]:
    """What a file keeps as columns of their own: the innermost arrays, in order."""
    if isinstance(column, pa.ExtensionArray):
        yield from _leaves(column.storage)
    elif pa.types.is_struct(column.type):
        for place in range(column.type.num_fields):
            yield from _leaves(column.field(place))
    elif pa.types.is_nested(column.type):
        yield from _leaves(column.values)
    else:
        yield column


def _longest_text(leaf: pa.Array) -> int:
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
