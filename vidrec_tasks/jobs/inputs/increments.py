"""Increments: what came before, where the input files hold only what is new.

Events are taken from the newest run before the night that read its inputs, published or not, so
that nothing is lost by a night that was rejected; the catalogue is the one that was read last.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import ROW_NUM
from vidrec_tasks.running.job import shards_of
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

LATER: Final = "interactions_later"
"""Events that a night read and that wait for a later one: after it, or of videos not there yet."""


def run_before(store: Store, night: date) -> Run | None:
    """The newest run of the last earlier night whose events are all there; None without one."""
    runs = Runs(store)
    for earlier in sorted({run.night for run in runs if run.night < night}, reverse=True):
        if runs.pinned(earlier) is None:
            continue
        run = runs.of_night(earlier)
        if all(run.find(name) is not None for name in shards_of(run, "interactions")):
            return run
    return None


def events_before(run: Run) -> Iterator[pd.DataFrame]:
    """Yield the events of a run a shard at a time, in an order that its shards do not decide.

    Rows are numbered below 0: they stand before every row that is read tonight.
    """
    names = [*shards_of(run, "interactions"), *([LATER] if run.find(LATER) else [])]
    first = -sum(run.ref(name).rows for name in names)
    for name in names:
        rows = run.read_table(name)
        yield rows.assign(**{ROW_NUM: np.arange(first, first + len(rows))})
        first += len(rows)
