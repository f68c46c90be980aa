"""Publisher: loads a run's rows out of sight, then shows them in one transaction.

Killed anywhere, it leaves readers on the run they had, and the next attempt begins by removing what
was half-loaded. Leaves reading to `reader`, erasing users to `erasure`.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from vidrec_tasks.publishing.engine import grant_reading, in_words
from vidrec_tasks.publishing.loading import load_rows, remove_rows
from vidrec_tasks.publishing.migrating import migrate, relations
from vidrec_tasks.publishing.partitions import drop, runs_with_partitions
from vidrec_tasks.publishing.rows import plain, rows_of
from vidrec_tasks.publishing.run_rows import (
    LOADING,
    PUBLISHED,
    REJECTED,
    clear,
    count_rows,
    find_run,
    loaded_run,
    lock_pointer,
    must_find,
    old_runs,
    point_at,
    published_runs,
    rollback_target,
    update_run,
)
from vidrec_tasks.publishing.tables import (
    adhoc_search_results,
    pointer,
    runs,
)

log = logging.getLogger(__name__)

_SCHEMA_LOCK: Final = 7_302_517
"""Any number, the same for all who create the tables of one PostgreSQL database."""


class Publisher:
    """Writes the result tables.

    Args:
        engine: from `engine.make_engine`.
        n_connections: connections that load a run which nobody sees yet, on PostgreSQL.
    """

    def __init__(self, engine: sa.Engine, *, n_connections: int = 1) -> None:
        self.engine = engine
        self.n_connections = n_connections

    def prepare(self) -> tuple[str | None, str]:
        """Bring tables, views and the pointer's row to the present schema.

        Returns:
            The version of the schema before and now.

        Raises:
            PublishError: the database cannot be reached or written, or is of a later version.
        """
        with self._transaction("prepare the tables") as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
            versions = migrate(connection)
            if connection.dialect.name == "postgresql":
                grant_reading(connection, relations())
            return versions

    def open_run(
        self,
        run_id: str,
        *,
        night: date,
        started_at: datetime,
        manifest: Mapping[str, Any],
        metrics: Mapping[str, Any],
        gates: Mapping[str, Any],
        state: str = LOADING,
    ) -> None:
        """Write down what a run is; one that is published already keeps its state.

        Raises:
            PublishError: the database cannot be reached or written.
        """
        documents = {"manifest": plain(manifest), "metrics": plain(metrics), "gates": plain(gates)}
        row = {"night": night, "state": state, "started_at": started_at, **documents}
        with self._transaction(f"open run {run_id}") as connection:
            found = find_run(connection, run_id)
            if found is None:
                connection.execute(sa.insert(runs).values(run_id=run_id, **row))
            elif found.state == PUBLISHED:
                connection.execute(update_run(run_id).values(**documents))
            else:
                connection.execute(update_run(run_id).values(**row))

    def load(self, run_id: str, tables: Mapping[str, Iterable[pd.DataFrame]]) -> dict[str, int]:
        """Load the rows of an opened run, in place of those that it has.

        Rows of a run that readers may see are replaced in one transaction; others out of
        their sight.

        Args:
            run_id: an opened run.
            tables: result table -> its frames, taken one at a time; columns that the table does
                not have are left out.

        Returns:
            Rows loaded a table.

        Raises:
            PublishError: the run is not open, a frame does not fit its table, a key is there
                twice, or the database cannot be written.
        """
        with in_words(self.engine, f"load run {run_id}"):
            with self.engine.begin() as connection:
                is_visible = must_find(connection, run_id).state == PUBLISHED
            return load_rows(
                self.engine, run_id, tables,
                is_visible=is_visible, n_connections=self.n_connections,
            )  # fmt: skip

    def publish(
        self, run_id: str, published_at: datetime, *, rows: Mapping[str, int] | None = None
    ) -> bool:
        """Show a loaded run: its state and the pointer change in one transaction.

        Args:
            run_id: an opened and loaded run.
            published_at: now (UTC); a run that was published before keeps its first moment.
            rows: what `load` returned; other counts mean that another program wrote too.

        Returns:
            Whether the pointer is on it now: it is never moved to an older night than readers see,
            unless they see one that lies in the future.

        Raises:
            PublishError: the run is not open, was rejected, or lacks rows.
        """
        with self._transaction(f"publish run {run_id}") as connection:
            current_id = lock_pointer(connection)
            run = loaded_run(connection, run_id, rows)
            first = run.published_at or published_at
            shown = update_run(run_id).values(state=PUBLISHED, published_at=first)
            connection.execute(shown)
            current = find_run(connection, current_id) if current_id else None
            moves = (
                current is None
                or run.night >= current.night
                or current.night > published_at.astimezone(UTC).date() >= run.night
            )
            if moves:
                point_at(connection, run_id, published_at)
        if moves:
            log.info("run %s is published; readers see it", run_id)
        else:
            log.info(
                "run %s is published; readers stay on %s, a later night (they are moved by "
                "rollback --run-id %s)", run_id, current_id, run_id,
            )  # fmt: skip
        return moves

    def reject(
        self,
        run_id: str,
        *,
        night: date,
        started_at: datetime,
        manifest: Mapping[str, Any],
        metrics: Mapping[str, Any],
        gates: Mapping[str, Any],
    ) -> None:
        """Keep a run that did not pass its gates, without rows; readers keep what they have.

        A run that readers could see before stays published.
        """
        self.open_run(
            run_id, night=night, started_at=started_at, manifest=manifest, metrics=metrics,
            gates=gates, state=REJECTED,
        )  # fmt: skip
        with in_words(self.engine, f"reject run {run_id}"):
            with self.engine.begin() as connection:
                is_rejected = must_find(connection, run_id).state == REJECTED
            if is_rejected:
                remove_rows(self.engine, run_id)

    def newest_published(self) -> str | None:
        """The published run of the latest night, of these the last; None before the first."""
        with self._transaction("look for the newest run") as connection:
            published = published_runs(connection)
        return str(published[0].run_id) if published else None

    def rollback_target(self, run_id: str | None = None) -> str:
        """The published run to go back to.

        Args:
            run_id: the run asked for; None: the one before the current by night, then publication.

        Raises:
            PublishError: there is no such published run; the message names those there are.
        """
        with self._transaction("look for an earlier run") as connection:
            current_id = lock_pointer(connection)
            target = rollback_target(published_runs(connection), current_id, run_id)
        return str(target.run_id)

    def roll_back(
        self, run_id: str | None = None, moved_at: datetime | None = None
    ) -> dict[str, Any]:
        """Point the readers at a published run.

        Whoever was erased since must be erased from it first: see `erasure.erase_again`.

        Args:
            run_id: where to; None: as `rollback_target` says.
            moved_at: when (UTC); None: now.

        Returns:
            run_id, night, and the run that readers saw before.

        Raises:
            PublishError: there is no such published run; the message names those there are.
        """
        with self._transaction("roll back") as connection:
            current_id = lock_pointer(connection)
            target = rollback_target(published_runs(connection), current_id, run_id)
            point_at(connection, target.run_id, moved_at or datetime.now(UTC))
        return {"run_id": target.run_id, "night": target.night.isoformat(), "before": current_id}

    def prune(self, retained_runs: int, *, keep: Collection[str] = ()) -> list[str]:
        """Drop published and rejected runs beyond the newest, never the current one.

        A run that was left half-loaded goes when another run of its night was published.

        Args:
            retained_runs: how many stay, by night, of the published and of the rejected.
            keep: runs that stay in any case.

        Returns:
            The runs that were dropped.
        """
        with self._transaction("look for old runs") as connection:
            current_id = connection.execute(sa.select(pointer.c.run_id)).scalar()
            kept = {current_id, *keep}
            old = [run_id for run_id in old_runs(connection, retained_runs) if run_id not in kept]
        for run_id in old:
            with self._transaction(f"drop run {run_id}") as connection:
                if lock_pointer(connection) != run_id:
                    if not self._has_partitions:
                        clear(connection, run_id)
                    connection.execute(sa.delete(runs).where(runs.c.run_id == run_id))
        answers = adhoc_search_results
        with self._transaction("drop answers of runs that are gone") as connection:
            there = sa.select(runs.c.run_id)
            connection.execute(sa.delete(answers).where(answers.c.run_id.not_in(there)))
        if self._has_partitions:
            self._drop_partitions()
        return old

    def write_answers(self, request_id: str, answers: pd.DataFrame) -> int:
        """Write answers to a request by hand, in place of those that it has.

        Args:
            request_id: who asked.
            answers: the columns of ``adhoc_search_results`` but request_id.

        Returns:
            Rows written.
        """
        table = adhoc_search_results
        fixed = {table.c.request_id.name: request_id}
        with self._transaction(f"answer request {request_id}") as connection:
            connection.execute(sa.delete(table).where(table.c.request_id == request_id))
            for rows in rows_of(table, answers, fixed):
                connection.execute(sa.insert(table), rows)
        return len(answers)

    def known(self) -> set[str]:
        """The runs that are written down, whatever their state."""
        with self._transaction("look for the runs there are") as connection:
            return set(connection.execute(sa.select(runs.c.run_id)).scalars())

    def count(self, run_id: str) -> dict[str, int]:
        """Rows of a run a table."""
        with self._transaction(f"count run {run_id}") as connection:
            return count_rows(connection, run_id)

    def find(self, run_id: str) -> dict[str, Any] | None:
        """What is written of a run, if it was opened."""
        with self._transaction(f"find run {run_id}") as connection:
            found = find_run(connection, run_id)
        return None if found is None else dict(found._mapping)

    @property
    def _has_partitions(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def _drop_partitions(self) -> None:
        """Drop the partitions of runs that are not written down, also those left by a kill."""
        with in_words(self.engine, "drop old partitions"):
            there = runs_with_partitions(self.engine)
            # Runs are read last: one that is opened meanwhile is written down before it loads.
            with self.engine.begin() as connection:
                known = set(connection.execute(sa.select(runs.c.run_id)).scalars())
            for run_id in sorted(there - known):
                drop(self.engine, run_id)

    @contextmanager
    def _transaction(self, action: str) -> Iterator[sa.Connection]:
        with in_words(self.engine, action), self.engine.begin() as connection:
            yield connection
