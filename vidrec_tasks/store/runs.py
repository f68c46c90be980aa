"""Runs: what a night's run is, which artefacts it names, and the receipts of its jobs.

``nights/<night>.json`` pins the inputs and names the night's newest run; ``runs/<run_id>/`` holds
``run.json`` (what the run is), ``refs/`` (artefacts) and ``receipts/`` (a job and shard each).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.contracts.parts import TABLE, Parts, refuse_other_kind
from vidrec_tasks.contracts.shapes import Table
from vidrec_tasks.errors import MissingArtefact
from vidrec_tasks.store.artefacts import Artefacts, Ref
from vidrec_tasks.store.remote import LOCAL
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.store import Store


@dataclass(frozen=True)
class RunRecord:
    """What a run is; the same record means the same answers.

    Attributes:
        run_id: ``<night>-<8 hex digits of the rest>``.
        night: the day it stands for.
        inputs: key of the pinned inputs.
        settings_digest, code: hashes of the settings and of the library's files, all of them.
        parents: earlier runs that this one takes something from, by role.
        n_user_shards, n_video_shards: how users and videos were split.
        n_user_buckets, n_video_buckets: 0: of a run of version 0.1, whose shards were its buckets.
        holdout_days: days that are held out from the evaluation fit; 0: of a run of a version that
            held out as many as its settings said.
        catalogue_as_of: ``snapshot``, ``current`` or ``unproven`` (see DESIGN, the catalogue).
    """

    run_id: str
    night: str
    inputs: str
    settings_digest: str
    code: str
    n_user_shards: int
    n_video_shards: int
    catalogue_as_of: str
    parents: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    n_user_buckets: int = 0
    n_video_buckets: int = 0
    holdout_days: int = 0

    @property
    def user_split(self) -> Split:
        """How users were split."""
        return Split(self.n_user_shards, self.n_user_buckets or self.n_user_shards)

    @property
    def video_split(self) -> Split:
        """How videos were split."""
        return Split(self.n_video_shards, self.n_video_buckets or self.n_video_shards)


class Run:
    """One opened run: names to artefacts, and receipts."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self.store = store
        self.record = record
        self.artefacts = Artefacts(store)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.record.run_id

    @property
    def night(self) -> date:
        """The day it stands for."""
        return date.fromisoformat(self.record.night)

    def remember(self, ref: Ref) -> None:
        """Let the run name an artefact."""
        self.store.write_json(self._path("refs", ref.name), ref.to_json())

    def forget(self, name: str) -> None:
        """Let the run no longer name an artefact that was erased."""
        self._path("refs", name).unlink(missing_ok=True)

    def find(self, name: str) -> Ref | None:
        """The artefact of that name, if the run has it."""
        path = self._path("refs", name)
        return Ref(**self.store.read_json(path)) if self.store.exists(path) else None

    def ref(self, name: str) -> Ref:
        """The artefact of that name.

        Raises:
            MissingArtefact: no job of this run has made it yet.
        """
        found = self.find(name)
        if found is None:
            message = (
                f"run {self.run_id}: {name} does not exist yet; run the job that makes it first"
            )
            raise MissingArtefact(message)
        return found

    def refs(self) -> list[Ref]:
        """All artefacts that the run names, by name."""
        folder = self.store.path("runs", self.run_id, "refs")
        return [Ref(**self.store.read_json(path)) for path in self.store.json_files(folder)]

    def parts(self, name: str) -> Parts:
        """One of the run's artefacts, to be read a part at a time."""
        ref = self.ref(name)
        return Parts(name, partial(self.artefacts.read, ref), partial(self.artefacts.open, ref))

    def read_table(self, name: str, part: str = TABLE) -> pd.DataFrame:
        """A table of one of the run's artefacts (for all kinds of part, see `Parts`)."""
        return self.parts(name).table(part)

    def read_array(self, name: str, part: str) -> npt.NDArray[np.float32]:
        """An array of one of the run's artefacts."""
        return self.parts(name).array(part)

    def read_json(self, name: str, part: str) -> dict[str, object]:
        """What one of the run's artefacts says in JSON."""
        return self.parts(name).json(part)

    def read_rows(
        self,
        name: str,
        part: str = TABLE,
        *,
        column: str | None = None,
        values: Collection[str] = (),
        columns: Sequence[str] | None = None,
        as_text: bool = False,
    ) -> pd.DataFrame:
        """The rows of a frame whose column holds one of the values (see `codecs.decode_rows`)."""
        refuse_other_kind(name, part, Table)
        return self.artefacts.read_rows(
            self.ref(name), part, column=column, values=values, columns=columns, as_text=as_text
        )

    def write_receipt(self, job: str, shard: str, receipt: dict[str, Any]) -> None:
        """Keep a job's receipt; a later one of the same job and shard replaces it."""
        self.store.write_json(self._path("receipts", f"{job}.{shard}" if shard else job), receipt)

    def receipts(self) -> list[dict[str, Any]]:
        """All receipts of the run, oldest first."""
        folder = self.store.path("runs", self.run_id, "receipts")
        found = [self.store.read_json(path) for path in self.store.json_files(folder)]
        return sorted(found, key=lambda receipt: (receipt["started_at"], receipt["job"]))

    def _path(self, folder: str, name: str) -> Any:
        return self.store.path("runs", self.run_id, folder, f"{name}.json")


class Runs:
    """The runs of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def open(self, record: RunRecord) -> Run:
        """Open a run: from now on it is its night's newest."""
        self.store.write_json(self.store.path("runs", record.run_id, "run.json"), asdict(record))
        night = {"run_id": record.run_id, "inputs": record.inputs, "parents": record.parents}
        self.store.write_json(self._night_path(record.night), night)
        return Run(self.store, record)

    def get(self, run_id: str) -> Run:
        """A run by its id.

        Raises:
            MissingArtefact: the store has no such run.
        """
        run = self.find(run_id)
        if run is None:
            message = f"run {run_id}: not in the store; it was never opened or is past retention"
            raise MissingArtefact(message)
        return run

    def find(self, run_id: str) -> Run | None:
        """A run by its id, if the store has it."""
        path = self.store.path("runs", run_id, "run.json")
        if not self.store.exists(path):
            return None
        return Run(self.store, RunRecord(**self.store.read_json(path)))

    def of_night(self, night: date) -> Run:
        """The newest run of a night.

        Raises:
            MissingArtefact: no run of that night was opened.
        """
        pinned = self.pinned(night)
        if pinned is None:
            message = f"night {night}: no run is open; run validate_inputs first"
            raise MissingArtefact(message)
        return self.get(pinned["run_id"])

    def pinned(self, night: date) -> dict[str, Any] | None:
        """What the night's newest run was made of, if there was one."""
        path = self._night_path(night.isoformat())
        return self.store.read_json(path) if self.store.exists(path) else None

    def drop(self, run: Run) -> None:
        """Remove a run's record, its names and its receipts; its artefacts are left."""
        pinned = self.pinned(run.night)
        if pinned is not None and pinned["run_id"] == run.run_id:
            self._night_path(run.record.night).unlink()
        folder = self.store.path("runs", run.run_id)
        for inner in ("refs", "receipts"):
            for path in list((folder / inner).iterdir()) if (folder / inner).exists() else []:
                path.unlink()
        (folder / "run.json").unlink()  # last: until then the next attempt finds the rest
        for path in (folder / "refs", folder / "receipts", folder):
            if path.protocol in LOCAL and path.exists():  # an object store has no folders
                path.rmdir()

    def ids(self) -> list[str]:
        """The ids of all runs, so by night; none of them is opened."""
        folder = self.store.path("runs")
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def __iter__(self) -> Iterator[Run]:
        """All runs, by run id (so by night)."""
        for name in self.ids():
            run = self.find(name)
            if run is not None:
                yield run

    def _night_path(self, night: str) -> Any:
        return self.store.path("nights", f"{night}.json")
