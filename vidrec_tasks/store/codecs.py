"""Codecs: frames, arrays, tensors and JSON to bytes and back; the same value gives the same bytes.

Nothing is ever pickled: Parquet for frames, ``.npy`` without objects, safetensors for weights.
"""

import io
import json
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vidrec_tasks.contracts.poured import Gathered, Poured, Write
from vidrec_tasks.errors import StoreError

Value: TypeAlias = pd.DataFrame | npt.NDArray[Any] | bytes | dict[str, Any] | list[Any]
Part: TypeAlias = Value | Poured | Gathered

ROWS_PER_GROUP: Final = 65_536
"""Rows that are read or left out together: one user of a shard of 2 million rows is found in 30 ms
where a single group takes 1 s."""

JSON_COLUMNS: Final = b"vidrec_json"
SUFFIXES: Final = {"frame": "parquet", "array": "npy", "bytes": "bin", "json": "json"}


def poured(part: Part) -> tuple[str, Poured]:
    """A part as (file suffix, its bytes as they are written): those of `encode`.

    Arrays are not copied for it.

    Raises:
        StoreError: a value inside JSON is of no known kind.
    """
    if isinstance(part, Poured):
        return SUFFIXES["bytes"], part
    if isinstance(part, Gathered):
        return SUFFIXES["array"], _pour_array(part.dtype, part.shape, part.blocks)
    if isinstance(part, np.ndarray) and not part.dtype.hasobject:
        array = np.ascontiguousarray(part)
        return SUFFIXES["array"], _pour_array(array.dtype, array.shape, lambda: [array])
    suffix, data = encode(part)
    return suffix, Poured(len(data), lambda write: write(data))


def _pour_array(
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    blocks: Callable[[], Iterable[npt.NDArray[Any]]],
) -> Poured:
    """An ``.npy`` file of rows that come a block after the other."""
    buffer = io.BytesIO()
    said = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(buffer, said)
    header = buffer.getvalue()

    def pour(write: Write) -> None:
        write(header)
        for block in blocks():
            write(block.reshape(-1).view(np.uint8).data)

    return Poured(len(header) + dtype.itemsize * math.prod(shape), pour)


def encode(part: Value) -> tuple[str, bytes]:
    """A value as (file suffix, bytes).

    Raises:
        StoreError: a value inside JSON is of no known kind.
    """
    if isinstance(part, pd.DataFrame):
        return SUFFIXES["frame"], _frame_to_bytes(part)
    if isinstance(part, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(part), allow_pickle=False)
        return SUFFIXES["array"], buffer.getvalue()
    if isinstance(part, bytes):
        return SUFFIXES["bytes"], part
    return SUFFIXES["json"], _JSON.encode(part).encode()


def decode(suffix: str, data: bytes) -> Any:
    """The value that `encode` was given."""
    if suffix == SUFFIXES["frame"]:
        return _table_to_frame(pq.read_table(io.BytesIO(data)))
    if suffix == SUFFIXES["array"]:
        return np.load(io.BytesIO(data), allow_pickle=False)
    if suffix == SUFFIXES["json"]:
        return json.loads(data)
    return data


def decode_rows(
    data: bytes,
    column: str | None = None,
    values: Collection[str] = (),
    columns: Sequence[str] | None = None,
    *,
    as_text: bool = False,
) -> pd.DataFrame:
    """The rows of an encoded frame whose column holds one of the values; no others are decoded.

    Args:
        data: as from `encode`.
        column: a column of text; None: every row.
        values: what it shall hold.
        columns: which columns to read; None: all of them.
        as_text: lists and dicts stay the JSON texts that they are kept as.
    """
    wanted = None if columns is None else list(columns)
    filters: Any = None if column is None else [(column, "in", list(values))]
    if column is not None and not values:
        filters = pc.scalar(False)  # Arrow cannot tell of what type the values would be
    table = pq.read_table(io.BytesIO(data), columns=wanted, filters=filters)
    return table.to_pandas() if as_text else _table_to_frame(table)


def from_texts(texts: pd.Series) -> pd.Series:
    """A column of lists or dicts from the JSON texts that it is kept as."""
    return pd.Series([_from_json(text) for text in texts], index=texts.index, dtype=object)


def shared_from_texts(texts: pd.Series) -> list[Any]:
    """What `from_texts` says, where equal texts give one and the same object: only to be read."""
    codes, kinds = pd.factorize(texts)  # -1 where there is none
    values = [*(_from_json(text) for text in kinds), None]
    return [values[code] for code in codes]


def _frame_to_bytes(frame: pd.DataFrame) -> bytes:
    frame = frame.reset_index(drop=True)
    nested = [name for name in frame.columns if _is_nested(frame[name])]
    if nested:
        frame = frame.copy()
        for name in nested:
            frame[name] = [_to_json(value) for value in frame[name]]
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), JSON_COLUMNS: json.dumps(nested).encode()}
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata(metadata),
        buffer,
        compression="zstd",
        row_group_size=ROWS_PER_GROUP,
    )
    return buffer.getvalue()


def _table_to_frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    nested = json.loads((table.schema.metadata or {}).get(JSON_COLUMNS, b"[]"))
    for name in frame.columns.intersection(nested):
        frame[name] = from_texts(frame[name])
    return frame


def _is_nested(values: pd.Series) -> bool:
    """Whether a column holds lists or dicts; those are kept as JSON text."""
    if values.dtype != object:
        return False
    return any(isinstance(value, (dict, list, tuple)) for value in values)


def _to_json(value: Any) -> str | None:
    if value is None:
        return None
    return _JSON.encode(value)


def _from_json(text: str | None) -> Any:
    return json.loads(text) if isinstance(text, str) else None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    message = f"store: a {type(value).__name__} inside JSON cannot be stored"
    raise StoreError(message)


_JSON: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=_plain)
"""Made once: `json.dumps` makes one a call, a third of the time of a short dict."""
