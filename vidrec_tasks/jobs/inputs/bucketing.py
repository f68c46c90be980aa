"""Bucketing: the night's events by user shard.

A log of any length passes through memory in chunks and shards; between them it is on scratch disk
(docs/decisions/0021).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import EVENT_ID, ROW_NUM
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.inputs import INTERACTIONS
from vidrec_tasks.contracts.rejects import Rejects
from vidrec_tasks.jobs.inputs.events import AdmittedEvents
from vidrec_tasks.jobs.inputs.reading import no_rows
from vidrec_tasks.jobs.inputs.results import StepResult, sum_counts
from vidrec_tasks.store.shards import Split, hashes_of
from vidrec_tasks.store.spill import Repeats, Spill

_NONE_YET: Final = {"of_unknown_videos": 0}
"""Said of a night without a log too."""


@dataclass(frozen=True)
class Bucketed:
    """Events divided by user shard; their rows are on scratch disk.

    Attributes:
        rows: gives the rows of a shard.
        rejects: of all chunks.
        counts: as of `StepResult`, and ``users``.
        split: how users are split.
        n_events: events that exist for the night, repeated ones too.
        repeated: ``(n,)`` row_num of the events whose event_id an earlier row has.
        later: events that wait for a later night.
    """

    rows: Spill
    rejects: Rejects
    counts: Mapping[str, int]
    split: Split
    n_events: int
    repeated: npt.NDArray[np.int64]
    later: pd.DataFrame


@dataclass(frozen=True)
class Shard(StepResult):
    """The events of a shard's users, each once, sorted by user_id, event_at, row_num."""

    num: int = 0


def bucket(
    events: Iterable[AdmittedEvents],
    spill: Spill,
    *,
    rejects: Rejects,
    user_ids: pd.Series,
    users_per_shard: int,
) -> Bucketed:
    """Put events on scratch disk as they come, and divide them when all users are counted.

    Args:
        events: chunks; each is gone from memory before the next one comes.
        spill: where they go; open as long as the answer is used.
        rejects: none yet.
        user_ids: users who count without an event too.
        users_per_shard: how many a shard aims at.

    Raises:
        StoreError: the scratch disk is full.
    """
    repeats = Repeats(EVENT_ID, ROW_NUM)
    counts: list[Mapping[str, int]] = [_NONE_YET]
    later, n_events = [no_rows(INTERACTIONS)], 0
    for chunk in events:
        repeats.note(chunk.rows)
        spill.put(chunk.rows)
        rejects = rejects.plus(chunk.rejects)
        counts.append(chunk.counts)
        later.append(chunk.later)
        n_events += len(chunk.rows)
    split = _split_of(spill.key_hashes, user_ids, users_per_shard)
    repeated = repeats.find(spill.chunks())
    spill.split(split)
    return Bucketed(
        spill,
        rejects,
        {**sum_counts(counts), "users": len(spill.key_hashes)},
        split,
        n_events,
        repeated,
        pd.concat(later, ignore_index=True),
    )


def shards(bucketed: Bucketed) -> Iterator[Shard]:
    """Yield each shard's events, each once."""
    for num in range(bucketed.split.n_shards):
        rows = bucketed.rows.shard(num)
        rows = no_rows(INTERACTIONS) if rows.empty else rows
        once = admission.admit_once(rows, bucketed.repeated)
        ends = {"rejected": len(once.rejects), "accepted": len(once.rows)}
        yield Shard(once.rows, once.rejects, {**once.counts, **ends}, num=num)


def _split_of(in_log: npt.NDArray[np.uint64], user_ids: pd.Series, users_per_shard: int) -> Split:
    return Split.of(len(np.union1d(in_log, hashes_of(user_ids))), users_per_shard)
