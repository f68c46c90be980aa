"""Snapshots: the catalogue as it was read, so that a later backfill can see it as it was.

The newest stay, as many as a setting says; a night before them knows only what the catalogue says
now.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from vidrec_tasks.store.codecs import decode, encode
from vidrec_tasks.store.store import Store


class Snapshots:
    """Catalogues as they were read, newest last.

    Args:
        store: the store.
        n_kept: how many stay.
    """

    def __init__(self, store: Store, *, n_kept: int) -> None:
        self.store = store
        self._n_kept = n_kept
        self._folder = store.path("snapshots", "videos")

    def keep(self, videos: pd.DataFrame, fingerprint: str) -> None:
        """Keep a catalogue, unless the newest snapshot is of the same bytes; the oldest leave."""
        paths = self._paths()
        if paths and paths[-1].name.endswith(f"-{fingerprint[:16]}.parquet"):
            return
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self._folder / f"{moment}-{fingerprint[:16]}.parquet"
        self.store.write(path, encode(videos)[1])
        for old in self._paths()[: -self._n_kept]:
            old.unlink(missing_ok=True)

    def newest_first(self) -> Iterator[pd.DataFrame]:
        """Yield all snapshots, the newest first; each is read when it is asked for."""
        for path in reversed(self._paths()):
            yield decode("parquet", self.store.read(path))

    def _paths(self) -> list[Any]:
        if not self._folder.exists():
            return []
        return sorted(self._folder.glob("*.parquet"), key=lambda path: path.name)
