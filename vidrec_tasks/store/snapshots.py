"""Snapshots: the catalogue as it was read, so that a later backfill can see it as it was."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from vidrec_tasks.store.codecs import decode, encode
from vidrec_tasks.store.place import Place


class Snapshots:
    """Catalogues as they were read, newest last."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._folder = place.path("snapshots", "videos")

    def keep(self, videos: pd.DataFrame, fingerprint: str) -> None:
        """Keep a catalogue, unless the newest snapshot is of the same bytes."""
        paths = self._paths()
        if paths and paths[-1].name.endswith(f"-{fingerprint[:16]}.parquet"):
            return
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        path = self._folder / f"{moment}-{fingerprint[:16]}.parquet"
        self.place.write(path, encode(videos)[1])

    def newest_first(self) -> list[pd.DataFrame]:
        """All snapshots, the newest first."""
        return [decode("parquet", self.place.read(path)) for path in reversed(self._paths())]

    def _paths(self) -> list[Any]:
        if not self._folder.exists():
            return []
        return sorted(self._folder.glob("*.parquet"), key=lambda path: path.name)
