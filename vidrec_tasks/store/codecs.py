"""Codecs: frames, arrays, tensors and JSON to bytes and back; the same value gives the same bytes.

Nothing is ever pickled: Parquet for frames, ``.npy`` without objects, safetensors for weights.
"""

import io
import json
from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.lib.format as npy
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vidrec_tasks.contracts.poured import Poured, Write
from vidrec_tasks.errors import StoreError
from vidrec_tasks.hardware import release_pages

Part: TypeAlias = pd.DataFrame | npt.NDArray[Any] | bytes | Poured | dict[str, Any] | list[Any]

ROWS_PER_GROUP: Final = 65_536
"""Rows that are read or left out together: one user of a shard of 2 million rows is found in 30 ms
where a single group takes 1 s."""

JSON_COLUMNS: Final = b"vidrec_json"
_PIECE: Final = 16 * 2**20
"""Bytes of a large array that are written at once, so that no more of a mapped one is resident."""
SUFFIXES: Final = {"frame": "parquet", "array": "npy", "bytes": "bin", "json": "json"}


def to_poured(part: Part) -> tuple[str, Poured]:
    """A value as (file suffix, its bytes as they are written); an array in a row is not copied.

    Raises:
        StoreError: an array holds objects, or a value inside JSON is of no known kind.
    """
    if isinstance(part, pd.DataFrame):
        return SUFFIXES["frame"], Poured.of(_frame_to_bytes(part))
    if isinstance(part, np.ndarray):
        return SUFFIXES["array"], _pour_array(part)
    if isinstance(part, Poured):
        return SUFFIXES["bytes"], part
    if isinstance(part, bytes):
        return SUFFIXES["bytes"], Poured.of(part)
    return SUFFIXES["json"], Poured.of(_JSON.encode(part).encode())


def encode(part: Part) -> tuple[str, bytes]:
    """A value as (file suffix, bytes).

    Raises:
        StoreError: as of `to_poured`.
    """
    suffix, made = to_poured(part)
    return suffix, made.collect()


def _pour_array(part: npt.NDArray[Any]) -> Poured:
    """An array as an ``.npy`` file; the pages of a mapped one are given back on the way."""
    if part.dtype.hasobject:
        message = f"store: an array of {part.dtype} cannot be stored; nothing is pickled"
        raise StoreError(message)
    array = np.ascontiguousarray(part)
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, npy.header_data_from_array_1_0(array))
    header = buffer.getvalue()
    data = array.reshape(-1).view(np.uint8)
    is_shared = getattr(part, "mode", "c") != "c"  # else what was written to it would be lost

    def pour(write: Write) -> None:
        write(header)
        for first in range(0, len(data), _PIECE):
            write(data[first : first + _PIECE].data)
            if is_shared:
                release_pages(array)

    return Poured(len(header) + len(data), pour)


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
