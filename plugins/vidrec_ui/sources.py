"""Sources: what the pages read from, opened when first asked: result tables and the store."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

import pandas as pd

from vidrec_tasks.errors import StoreError
from vidrec_tasks.publishing.browsing import Browser
from vidrec_tasks.publishing.engine import reader_url
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store
from vidrec_ui.catalogue import Catalogue

JPEG: Final = b"\xff\xd8\xff"
_RUN_ID: Final = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")
_KEPT_CATALOGUES: Final = 2  # the current run's, and one that somebody compares with
_KEPT_PARTS: Final = 256


class Sources:
    """The result tables and the store of one configuration.

    Args:
        settings: read from the environment when None, at the first question: a page can then say
            what is wrong with them, and the API server starts all the same.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings
        self._catalogues: dict[str, Catalogue] = {}
        self._parts: dict[tuple[str, str, str], pd.DataFrame] = {}
        self._lock = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return self._given or read_settings()

    @cached_property
    def store(self) -> Store:
        """The store; nothing is written into it from here."""
        return Store(self.settings.store_url, is_read_only=True)

    @cached_property
    def reader(self) -> Browser:
        """The result tables, by a role that may only read where one is set."""
        return Browser(reader_url(self.settings, self.store))

    def run(self, run_id: str | None) -> Run | None:
        """A run of the store, if it is still there; what is no run's id is no run."""
        if run_id is None or not _RUN_ID.fullmatch(run_id):
            return None
        return Runs(self.store).find(run_id)

    def runs(self, n: int) -> Iterator[Run]:
        """The newest n runs of the store, newest night first; older ones are not opened."""
        runs = Runs(self.store)
        for run_id in runs.ids()[: -n - 1 : -1]:
            found = runs.find(run_id)
            if found is not None:
                yield found

    def run_id_of_night(self, night: Any) -> str | None:
        """The newest run of a night."""
        pinned = Runs(self.store).pinned(night)
        return pinned["run_id"] if pinned else None

    def catalogue(self, run_id: str | None) -> Catalogue:
        """The catalogue of a run, kept in memory: a run's catalogue never changes."""
        if run_id is None:
            return Catalogue()
        with self._lock:
            if run_id not in self._catalogues:
                run = self.run(run_id)
                videos, frames = table_of(run, "videos"), table_of(run, "frames")
                if videos is None or frames is None:  # not made yet, or not to be read just now
                    return Catalogue(videos, frames)
                while len(self._catalogues) >= _KEPT_CATALOGUES:
                    self._catalogues.pop(next(iter(self._catalogues)))
                self._catalogues[run_id] = Catalogue(videos, frames)
            return self._catalogues[run_id]

    def kept_table(self, run: Run | None, name: str, part: str = "table") -> pd.DataFrame | None:
        """A table of an artefact that tells of no user, kept in memory: its address never changes.

        Never ask for a table with users in it: who is erased has to be gone from here too.
        """
        ref = run.find(name) if run is not None else None
        if run is None or ref is None:
            return None
        key = (name, ref.key, part)
        if key not in self._parts:
            found = table_of(run, name, part)
            if found is None:
                return None
            while len(self._parts) >= _KEPT_PARTS:
                self._parts.pop(next(iter(self._parts)), None)
            self._parts[key] = found
        return self._parts[key]

    def picture(self, path: str) -> bytes | None:
        """The bytes of a keyframe; None when the path is none of a JPEG below the keyframes."""
        if not path.endswith(".jpg"):
            return None
        try:
            found = self.store.path("features", "keyframes", path)
            if not _lies_inside(found, self.store.path("features", "keyframes")):
                return None
            data = self.store.read(found)
        except (StoreError, OSError, ValueError):  # OSError: a name too long, a loop of links
            return None
        return data if data.startswith(JPEG) else None

    def has_report(self, run_id: str) -> bool:
        """Whether a run's report was written."""
        run = self.run(run_id)
        return run is not None and run.find("report") is not None

    def report(self, run: Run) -> bytes | None:
        """The run's report: the night's file, with seconds, when this is the night's newest run."""
        path = self.store.path("reports", f"{run.record.night}.html")
        if self.run_id_of_night(run.night) == run.run_id and path.exists():
            return self.store.read(path)
        with suppress(StoreError):
            return run.parts("report").binary("html") if run.find("report") else None
        return None


def table_of(run: Run | None, name: str, part: str = "table") -> pd.DataFrame | None:
    """A table of a run's artefact; None when it is not made or gone."""
    with suppress(StoreError):
        return run.read_table(name, part) if run is not None and run.find(name) else None
    return None


def json_of(run: Run | None, name: str, part: str) -> dict[str, Any] | None:
    """What a run's artefact says in JSON; None when it is not made or gone."""
    with suppress(StoreError):
        return run.read_json(name, part) if run is not None and run.find(name) else None
    return None


def rows_of(
    run: Run | None,
    name: str,
    part: str = "table",
    *,
    column: str | None = None,
    values: Collection[str] = (),
    columns: Sequence[str] | None = None,
) -> pd.DataFrame | None:
    """The rows of an artefact that hold one of the values; None when it is not made or gone."""
    with suppress(StoreError):
        if run is not None and run.find(name):
            return run.read_rows(name, part, column=column, values=values, columns=columns)
    return None


def rows_of_user(
    run: Run | None, kind: str, user_id: str, part: str = "table", columns: Sequence[str] = ()
) -> pd.DataFrame | None:
    """A user's rows, out of their shard; None when it is not made or gone."""
    shard = run.record.user_split.shard_of(user_id) if run is not None else 0
    wanted = columns or None
    return rows_of(run, f"{kind}.{shard}", part, column="user_id", values=[user_id], columns=wanted)


def first_row(table: pd.DataFrame | None) -> Mapping[str, Any] | None:
    """The first row of a table as a dict; None without one."""
    if table is None or table.empty:
        return None
    return {str(name): value for name, value in table.iloc[0].items()}


def _lies_inside(path: Any, root: Any) -> bool:
    """Whether a path, with its links followed, lies below a folder; a remote one has no links."""
    if path.protocol not in ("", "file"):
        return True
    return bool(path.resolve().is_relative_to(root.resolve()))
