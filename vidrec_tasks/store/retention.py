"""Retention: runs that nobody can go back to leave the store with the artefacts only they name.

Keyframes of a film go with the last run that looked at it: what was withdrawn must not stay to be
seen. What else lies outside of runs stays: inputs, weights, reports, the newest `snapshots`. Leaves
the result tables to `publishing`.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vidrec_tasks.columns import CHECKSUM
from vidrec_tasks.store.artefacts import Ref, kind_of
from vidrec_tasks.store.keyframe_folders import keyframes_of
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.rewriting import remove
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

FILMS: Final = "keyframes"
"""The kind of the artefacts that name films."""

PUBLICATION: Final = "publication"
"""The artefact that a run has when it is finished."""

LEFT_BEHIND_AFTER: Final = timedelta(days=7)
"""A run that is not finished may wait for a person or a worker; after a week without a job it is
left behind."""


@dataclass(frozen=True)
class Dropped:
    """What left the store."""

    runs: tuple[str, ...] = ()
    artefacts: int = 0
    bytes: int = 0
    films: int = 0


def drop_old_runs(
    store: Store, known: Collection[str], *, n_newest: int, now: datetime | None = None
) -> Dropped:
    """Drop the runs that no table knows and no night can need, oldest first.

    Kept are the runs of the result tables and those at work or not left behind, with the parents
    of all these: a night that is made again takes from the same parents. The newest finished ones
    are kept whatever the tables say: another database may be set since. Killed anywhere, it is
    finished by the next.

    Args:
        store: the store.
        known: runs that the result tables hold.
        n_newest: finished runs that stay, by night.
        now: the present moment (UTC).
    """
    runs = list(Runs(store))
    kept = _kept(store, runs, set(known), n_newest, now or datetime.now(UTC))
    doomed = [run for run in runs if run.run_id not in kept]
    if not doomed:
        return Dropped()
    sizes: list[int] = []
    stay = [run for run in runs if run.run_id in kept]
    films = _films_of(doomed) - _films_of(stay)
    n_films, left = _drop_films(store, films)
    if left:  # whoever names them stays, so that they are found the next time
        doomed = [run for run in doomed if not _films_of([run]) & left]
    leaving = {run.run_id for run in doomed}
    needed = {path for run in runs if run.run_id not in leaving for path in _folders(run)}
    gone = tuple(run.run_id for run in doomed if _drop(store, run, needed, sizes))
    log.info("%d of %d runs removed from the store: %s", len(gone), len(runs), ", ".join(gone))
    return Dropped(gone, len(sizes), sum(sizes), n_films)


def _kept(store: Store, runs: list[Run], known: set[str], n_newest: int, now: datetime) -> set[str]:
    finished = [run.run_id for run in runs if run.find(PUBLICATION) is not None]
    newest = set(finished[-n_newest:])
    oldest = min((known | newest) & set(finished), default="")
    needing = set(known)
    for run in runs:
        is_over = run.run_id in finished or (run.run_id < oldest and _is_left_behind(run, now))
        if not is_over or Lease.is_held(store, run.night):
            needing.add(run.run_id)
    parents = {
        parent for run in runs if run.run_id in needing for parent in run.record.parents.values()
    }
    return needing | newest | parents


def _is_left_behind(run: Run, now: datetime) -> bool:
    receipts = run.receipts()
    last = receipts[-1]["started_at"] if receipts else None
    return last is None or now - datetime.fromisoformat(last) > LEFT_BEHIND_AFTER


def _folders(run: Run) -> dict[str, Ref]:
    """Where everything lies that a run names, and the inputs that it is pinned to."""
    refs = [*run.refs(), Ref("pinned", run.record.inputs, "", 0, 0)]
    return {str(run.artefacts.folder(ref.name, ref.key)): ref for ref in refs}


def _films_of(runs: Iterable[Run]) -> set[str]:
    """The checksums of all films that runs looked at."""
    shards = [
        (run, ref.name)
        for run in runs
        for ref in run.refs()
        # of a run that was dropped halfway the films went before
        if kind_of(ref.name) == FILMS and run.artefacts.find(ref.name, ref.key) is not None
    ]
    tables = [run.read_table(name, "media")[CHECKSUM] for run, name in shards]
    return {str(checksum) for table in tables for checksum in table} - {""}


def _drop_films(store: Store, checksums: set[str]) -> tuple[int, set[str]]:
    """Drop the keyframes of films that left the catalogue or were replaced.

    Returns:
        Folders that are gone, and the films of those that cannot be removed now.
    """
    n, left = 0, set()
    for checksum in sorted(checksums):
        for folder in keyframes_of(store, checksum):
            try:
                remove(folder)
                n += 1
            except OSError as error:
                left.add(checksum)
                log.warning("keyframes %s: cannot be removed (%s); next time", folder, error)
    return n, left


def _drop(store: Store, run: Run, needed: set[str], sizes: list[int]) -> bool:
    """Drop one run; whether it is gone (what cannot be removed now goes the next time)."""
    try:
        mine = [ref for path, ref in _folders(run).items() if path not in needed]
        run.forget(PUBLICATION)  # from here on no night chooses it for a parent
        for ref in mine:
            folder = run.artefacts.folder(ref.name, ref.key)
            if folder.exists():
                remove(folder)
                sizes.append(ref.bytes)
        Runs(store).drop(run)
    except OSError as error:
        log.warning(
            "run %s: cannot be removed from the store (%s); it is removed next time",
            run.run_id,
            error,
        )
        return False
    return True
