"""Spill: rows that memory cannot hold at once, kept on scratch disk and given back by shard.

Rows come in chunks before the number of shards is known, because it follows from the users that
are counted on the way. A scratch folder lives as long as the block that opened it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.shards import Split, hashes_of

_HASH: Final = "_spill_hash"


class Spill:
    """Rows by chunk, then by shard of an id.

    Use it as a context manager; what it wrote is removed at the end.

    Args:
        key: the column whose shard a row belongs to.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self._folder = tempfile.TemporaryDirectory(prefix="vidrec-spill-")
        self._chunks: list[Path] = []
        self._places: list[dict[int, int]] = []
        self._hashes = np.zeros(0, dtype=np.uint64)

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def key_hashes(self) -> npt.NDArray[np.uint64]:
        """``(n,)`` the hashes of all ids so far, each once, rising."""
        return self._hashes

    def put(self, rows: pd.DataFrame) -> None:
        """Keep a chunk.

        Raises:
            StoreError: the scratch disk is full or may not be written.
        """
        if rows.empty:
            return
        hashes = hashes_of(rows[self.key])
        self._hashes = np.union1d(self._hashes, hashes)
        table = pa.Table.from_pandas(rows.assign(**{_HASH: hashes}), preserve_index=False)
        path = Path(self._folder.name) / f"{len(self._chunks):06d}.parquet"
        self._write(path, [table])
        self._chunks.append(path)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the chunks as they came."""
        for path in self._chunks:
            yield pq.read_table(path).drop_columns([_HASH]).to_pandas()

    def split(self, split: Split) -> None:
        """Order every chunk by shard, so that a shard can be read alone; once, after the last put.

        Raises:
            StoreError: the scratch disk is full or may not be written.
        """
        for path in self._chunks:
            table = pq.read_table(path)
            shards = split.shards_of_hashes(table[_HASH].to_numpy())
            order = np.argsort(shards, kind="stable")
            found, starts = np.unique(shards[order], return_index=True)
            ends = [*starts[1:].tolist(), len(order)]
            table = table.drop_columns([_HASH]).take(order)
            self._write(path, [table[first:last] for first, last in zip(starts, ends, strict=True)])
            self._places.append({int(shard): group for group, shard in enumerate(found)})

    def shard(self, num: int) -> pd.DataFrame:
        """The rows of a shard in the order they came in; without a column if it has none."""
        parts = [
            pq.ParquetFile(path).read_row_group(places[num])
            for path, places in zip(self._chunks, self._places, strict=True)
            if num in places
        ]
        return pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame()

    def _write(self, path: Path, groups: list[pa.Table]) -> None:
        beside = path.with_suffix(".new")
        try:
            with pq.ParquetWriter(beside, groups[0].schema, compression="zstd") as writer:
                for group in groups:
                    writer.write_table(group, row_group_size=max(1, len(group)))
            beside.replace(path)
        except OSError as error:
            message = (
                f"scratch folder {path.parent}: cannot write {path.name} ({error}); free space "
                "there, or set TMPDIR to a folder with room for the interactions"
            )
            raise StoreError(message) from error


class Repeats:
    """Finds the rows whose id came before, over many chunks.

    Holds 8 bytes for a row with an id; at the end the few suspects are compared by their ids.
    """

    def __init__(self, key: str, order: str) -> None:
        self.key = key
        self.order = order
        self._hashes: list[npt.NDArray[np.uint64]] = []

    def note(self, rows: pd.DataFrame) -> None:
        """Take note of a chunk's ids; an empty id is none."""
        ids = rows.loc[rows[self.key] != "", self.key]
        self._hashes.append(_quick_hashes(ids))

    def find(self, chunks: Iterator[pd.DataFrame]) -> npt.NDArray[np.int64]:
        """``(n,)`` the order number of each row whose id an earlier row has; rising.

        Args:
            chunks: the same rows once more.
        """
        hashes = np.sort(np.concatenate([np.zeros(0, dtype=np.uint64), *self._hashes]))
        twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        if not len(twice):
            return np.zeros(0, dtype=np.int64)
        suspects: list[Any] = []
        for rows in chunks:
            ids = rows.loc[rows[self.key] != "", [self.key, self.order]]
            found = _quick_hashes(ids[self.key])
            suspects.append(ids[np.isin(found, twice)])
        every = pd.concat(suspects, ignore_index=True).sort_values(self.order)
        return every.loc[every[self.key].duplicated(), self.order].to_numpy(np.int64)


def _quick_hashes(ids: pd.Series) -> npt.NDArray[np.uint64]:
    hashes = pd.util.hash_pandas_object(ids, index=False)
    return np.asarray(hashes, dtype=np.uint64)
