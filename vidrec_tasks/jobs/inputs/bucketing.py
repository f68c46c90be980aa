"""Bucketing: the night's interactions, read once in chunks and given back a user shard at a time.

A log of any length passes through memory in chunks and shards; between them it is on scratch disk.
"""

from collections.abc import Callable, Collection, Iterator

import numpy as np
import pandas as pd

from vidrec_tasks.audience.interactions import duration_statistics
from vidrec_tasks.audience.watch_statistics import merge_statistics
from vidrec_tasks.columns import (
    EVENT_AT,
    EVENT_ID,
    OPTED_OUT,
    REASON,
    ROW_NUM,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.inputs import INTERACTIONS
from vidrec_tasks.contracts.parsing import parse
from vidrec_tasks.contracts.plausibility import UnknownVideos, WatchedUnits
from vidrec_tasks.jobs.inputs.increments import events_before
from vidrec_tasks.jobs.inputs.reader import InputReader
from vidrec_tasks.running.job import midnight
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run
from vidrec_tasks.store.shards import Split, hashes_of
from vidrec_tasks.store.spill import Repeats, Spill
from vidrec_tasks.store.table_files import TableFile


class Bucketed:
    """Interactions by user shard; use as a context manager.

    Attributes:
        keeps_later: whether events after the night are kept for the next one.
        videos_before: gives the ids of the catalogue that was read before tonight's.
        n_events: events that exist for the night, repeated ones too until `shards` has run.
        split: how users are split, known when all was read.
    """

    def __init__(
        self, reader: InputReader, ledger: Ledger, videos: pd.DataFrame, users: pd.DataFrame
    ) -> None:
        self.keeps_later = reader.settings.inputs.interactions_are == "increment"
        self._opted_out = set(users.loc[users[OPTED_OUT], USER_ID])
        self._later: list[pd.DataFrame] = []
        self.videos_before: Callable[[], Collection[str]] = frozenset
        self.reader, self.ledger = reader, ledger
        self.videos, self.users = videos, users
        self.n_events = 0
        self.split = Split.of(1, 1)
        self._spill = Spill(USER_ID)
        self._repeats = Repeats(EVENT_ID, ROW_NUM)
        self._moment = pd.Timestamp(midnight(reader.night))
        self._n_before = 0
        self._counted: list[pd.DataFrame] = []
        self._counted_before: list[pd.DataFrame] = []

    def __enter__(self) -> "Bucketed":
        return self

    def __exit__(self, *_: object) -> None:
        self._spill.__exit__()

    def read(self, files: list[TableFile], before: Run | None = None) -> None:
        """Read and admit all interactions, in chunks.

        Args:
            files: of tonight.
            before: the run that has what came before them; None: they hold everything.

        Raises:
            ContractError: too many of them are wrong or name no known video, or the whole is not
                plausible.
            StoreError: the scratch disk is full.
        """
        units, unknown = WatchedUnits(self.videos), UnknownVideos()
        for rows in events_before(before) if before is not None else ():
            admitted = self._admit(rows)
            counts = {"before": len(admitted.rows), "waiting": len(admitted.rejects)}
            self.reader.count(INTERACTIONS.name, counts)
        for rows, _ in self.reader.chunks(files, INTERACTIONS) if files else ():
            admitted = self._admit(rows)
            units.note(admitted.rows)
            strangers = admitted.rejects[admitted.rejects[REASON] == admission.UNKNOWN_VIDEO]
            nameless = rows.loc[rows[ROW_NUM].isin(strangers[ROW_NUM]), VIDEO_ID].tolist()
            unknown.note(len(admitted.rows) + len(admitted.rejects), nameless)
            self.reader.keep(INTERACTIONS.name, admitted.rejects)
            self.reader.count(INTERACTIONS.name, admitted.counts)
        inputs = self.reader.settings.inputs
        self.reader.count(INTERACTIONS.name, {"of_unknown_videos": unknown.n})
        unknown.check(
            self.videos[VIDEO_ID].tolist(), max_share=inputs.max_unknown_share,
            before=self.videos_before,
        )  # fmt: skip
        units.check()
        in_log = self._spill.key_hashes
        self.reader.count(INTERACTIONS.name, {"users": len(in_log)})
        n_users = len(np.union1d(in_log, hashes_of(self.users[USER_ID])))
        self.split = Split.of(n_users, inputs.users_per_shard)

    def _admit(self, rows: pd.DataFrame) -> admission.Admitted:
        """Admit a chunk; what lies after the night waits for the next one."""
        admitted = admission.admit_interactions(
            rows, self.videos, moment=self._moment, is_forgotten=self.ledger.holds,
            opted_out=self._opted_out,
        )  # fmt: skip
        self._repeats.note(admitted.rows)
        self._spill.put(admitted.rows)
        self.n_events += len(admitted.rows)
        if self.keeps_later:
            # what lies after the night, and what names a video that is not there tonight
            is_left = rows[ROW_NUM].isin(admitted.rejects[ROW_NUM])
            later = rows[(rows[EVENT_AT] >= self._moment) | is_left]
            self._later.append(later[~self.ledger.holds(later[USER_ID])])
        return admitted

    def later(self) -> pd.DataFrame:
        """The events that wait for a later night: after it, or of videos that are not there."""
        return pd.concat([self._rows_of(-1), *self._later], ignore_index=True)

    def shards(self) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield each shard's number and its events, sorted by user_id, event_at, row_num."""
        repeated = self._repeats.find(self._spill.chunks())
        self._spill.split(self.split)
        self.n_events = 0
        for shard in range(self.split.n_shards):
            once = admission.admit_once(self._rows_of(shard), repeated)
            self.reader.keep(INTERACTIONS.name, once.rejects)
            self.reader.count(INTERACTIONS.name, once.counts)
            self._count(once.rows)
            self.n_events += len(once.rows)
            yield shard, once.rows
        self.reader.counts["interactions_accepted"] = self.n_events

    def statistics(self) -> pd.DataFrame:
        """How far videos were watched, before the held-out days where there is anything then."""
        return merge_statistics(self._counted_before if self._n_before else self._counted)

    def _rows_of(self, shard: int) -> pd.DataFrame:
        rows = self._spill.shard(shard) if shard >= 0 else pd.DataFrame()
        if rows.empty:
            return parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), INTERACTIONS).rows
        return rows

    def _count(self, events: pd.DataFrame) -> None:
        days = pd.Timedelta(days=self.reader.settings.evaluation.holdout_days)
        before = events[events[EVENT_AT] < self._moment - days]
        night = self.reader.night
        self._counted_before.append(duration_statistics(before, self.videos, night=night))
        self._n_before += len(before)
        if not self._n_before:
            self._counted.append(duration_statistics(events, self.videos, night=night))
