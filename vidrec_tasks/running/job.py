"""What a job is: the artefacts it needs and makes, and the context it runs in."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.contracts.parts import TABLE, Parts
from vidrec_tasks.errors import ContractError, VidrecError
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.night import JobPlan, Per, is_by_video, maker_of, plan_of
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Ref
from vidrec_tasks.store.codecs import Part
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.store import Store


@dataclass(frozen=True)
class Approval:
    """A person's word that a run be published although its gates rejected it.

    Attributes:
        run_id: the run that the person was asked about; no other is meant.
        by: who answered.
        at: when (UTC, ISO 8601).
    """

    run_id: str
    by: str
    at: str


@dataclass
class Made:
    """What a job made.

    Attributes:
        artefacts: artefact name -> its parts (the first frame among them gives the row count).
        counts: numbers for the receipt, with the totals they are part of.
        error: raised once artefacts and receipt are kept: what a verdict says against a run.
    """

    artefacts: Mapping[str, Mapping[str, Part]] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    error: VidrecError | None = None


@dataclass(frozen=True)
class Context:
    """What a job may touch: its settings, its run, its shard, and what a person said of the run.

    Attributes:
        may_read: the artefacts that its plan declares; None: any (what is there, or by hand).
    """

    settings: Settings
    store: Store
    run: Run
    shard: str = ""
    approval: Approval | None = None
    may_read: frozenset[str] | None = None

    @property
    def night(self) -> date:
        """The night of the run."""
        return self.run.night

    @property
    def cut(self) -> int:
        """The night, 00:00 UTC, in seconds since 1970: nothing at or after it exists."""
        return int(midnight(self.night).timestamp())

    def own(self, kind: str) -> str:
        """The name of this shard's artefact of a kind."""
        return f"{kind}.{self.shard}"

    def parts(self, name: str) -> Parts:
        """An artefact of this run, to be read a part at a time.

        Raises:
            UndeclaredError: the job's plan does not say that it needs it.
        """
        self._refuse_undeclared(name)
        return self.run.parts(name)

    def read_table(self, name: str, part: str = TABLE) -> pd.DataFrame:
        """A table of an artefact of this run (for all kinds of part, see `Parts`).

        Raises:
            ContractError: the part is declared as another kind.
            UndeclaredError: the job's plan does not say that it needs it.
        """
        return self.parts(name).table(part)

    def read_array(self, name: str, part: str) -> npt.NDArray[np.float32]:
        """An array of an artefact of this run; raises what `read_table` does."""
        return self.parts(name).array(part)

    def read_json(self, name: str, part: str) -> dict[str, object]:
        """What an artefact of this run says in JSON; raises what `read_table` does."""
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
        """A frame of an artefact of this run, some rows or columns of it (see `Run.read_rows`).

        Raises:
            UndeclaredError: the job's plan does not say that it needs it.
        """
        self._refuse_undeclared(name)
        return self.run.read_rows(
            name, part, column=column, values=values, columns=columns, as_text=as_text
        )

    def _refuse_undeclared(self, name: str) -> None:
        if self.may_read is not None and name not in self.may_read:
            raise UndeclaredError(name, self.may_read)

    def read_tables(
        self, kind: str, part: str = TABLE, *, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The same table of every shard of a kind, one after the other; some columns of it."""
        names = shards_of(self.run, kind)
        if columns is None:
            tables = [self.read_table(name, part) for name in names]
        else:
            tables = [self.read_rows(name, part, columns=columns) for name in names]
        return pd.concat(tables, ignore_index=True)

    def read_arrays(self, kind: str, part: str) -> npt.NDArray[np.float32]:
        """The same array of every shard of a kind, one after the other."""
        return np.concatenate([self.read_array(name, part) for name in shards_of(self.run, kind)])

    def gather_arrays(
        self, kind: str, part: str, rows: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float32]:
        """Rows of the same array of every shard of a kind, in a mapped file that nobody else sees.

        Each shard is read once. What is looked at can be given back (`hardware.release_pages`).

        Args:
            kind: of the artefacts.
            part: the array, ``(n_of_shard, …)``.
            rows: ``(n,)`` which row of all shards, one after the other, each row is.

        Returns:
            ``(n, …)``.

        Raises:
            ContractError: two shards have arrays of other dtypes or widths.
            StoreError: a shard is gone, or there is no room for the file.
        """
        gathered: npt.NDArray[np.float32] | None = None
        first = 0
        for name in shards_of(self.run, kind):
            array = self.read_array(name, part)
            if gathered is None:
                gathered = self.store.scratch((len(rows), *array.shape[1:]), array.dtype)
            elif (array.dtype, array.shape[1:]) != (gathered.dtype, gathered.shape[1:]):
                message = (
                    f"{name}: {part} is {array.dtype} {array.shape[1:]}, that of the shards before "
                    f"{gathered.dtype} {gathered.shape[1:]}; run {maker_of(kind).name} for every "
                    "shard"
                )
                raise ContractError(message)
            places = np.flatnonzero((rows >= first) & (rows < first + len(array)))
            gathered[places] = array[rows[places] - first]
            first += len(array)
            release_pages(gathered)
        if gathered is None:
            message = f"{kind}: the run has no shards"
            raise ContractError(message)
        return gathered

    def parent(self, role: str) -> Run | None:
        """The earlier run that this one takes something from, if it is still in the store."""
        run_id = self.run.record.parents.get(role)
        return Runs(self.store).find(run_id) if run_id else None


class UndeclaredError(VidrecError):
    """A job reads an artefact that its plan does not name.

    Args:
        name: of the artefact.
        declared: what the plan names.
    """

    def __init__(self, name: str, declared: frozenset[str]) -> None:
        super().__init__(
            f"{name}: read without being declared; add it to what the job needs in "
            f"vidrec_tasks/night.py (declared: {', '.join(sorted(declared)) or 'nothing'})"
        )


@dataclass(frozen=True)
class Job:
    """A job: a function, and what `vidrec_tasks.night` declares of it.

    Attributes:
        plan: what it needs and makes.
        run: what carries it out.
        state: what else it depends on outside the store (media files), as JSON.
        is_pure: its artefacts follow from what it needs, so they can be taken from the store.
    """

    plan: JobPlan
    run: Callable[[Context], Made]
    state: Callable[[Context], Any]
    is_pure: bool


def job(
    *,
    plan: JobPlan | None = None,
    state: Callable[[Context], Any] = lambda context: None,
    is_pure: bool = True,
) -> Callable[[Callable[[Context], Made]], Job]:
    """Declare a function to be the job of its name.

    Args:
        plan: what it needs and makes; by default what the night declares under its name.
        state: see `Job`.
        is_pure: see `Job`.
    """

    def declare(run: Callable[[Context], Made]) -> Job:
        return Job(plan or plan_of(run.__name__), run, state, is_pure)

    return declare


def shards_of(run: Run, kind: str) -> list[str]:
    """The artefact names of all shards of a kind."""
    return [f"{kind}.{shard}" for shard in range(_split_of(run, kind).n_shards)]


def _split_of(run: Run, kind: str) -> Split:
    return run.record.video_split if is_by_video(kind) else run.record.user_split


def n_tasks(record: RunRecord, per: Per) -> int:
    """How often a job is done that is mapped so: once a shard, or once."""
    counts: dict[Per, int] = {
        "": 1,
        "video_shard": record.n_video_shards,
        "user_shard": record.n_user_shards,
    }
    return counts[per]


def shards_before(parent: Run, run: Run, kind: str, shard: str) -> list[str]:
    """The artefacts of an earlier run that hold what a shard of this run holds.

    One where both are split alike, else all of them; not all need to be there still.
    """
    is_alike = _split_of(parent, kind) == _split_of(run, kind)
    return [f"{kind}.{shard}"] if is_alike else shards_of(parent, kind)


def shards_left(parent: Run, run: Run, kind: str, shard: str) -> list[str]:
    """Of `shards_before` those that are still there."""
    names = shards_before(parent, run, kind, shard)
    return [name for name in names if parent.find(name) is not None]


def names_of(patterns: tuple[str, ...], run: Run, shard: str) -> list[str]:
    """Patterns of a plan as artefact names."""
    names: list[str] = []
    for pattern in patterns:
        if pattern.endswith(".*"):
            names += shards_of(run, pattern[:-2])
        else:
            names.append(pattern.replace("#", shard))
    return names


def refs_of(job: Job, run: Run, shard: str) -> dict[str, Ref]:
    """The artefacts that a job needs, by name.

    Raises:
        MissingArtefact: one is not made yet.
    """
    return {name: run.ref(name) for name in names_of(job.plan.needs, run, shard)}


def midnight(night: date) -> datetime:
    """The moment at which a night begins: 00:00 UTC of its day."""
    return datetime.combine(night, time(), tzinfo=UTC)
