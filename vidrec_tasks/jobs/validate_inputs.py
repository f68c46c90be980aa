"""validate_inputs: read the inputs once, pin what the night sees of them, and open the run.

The steps are in `jobs.inputs`: read, admit, bucket, pin. Each returns rows, rejects and counts;
only this joins them.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd

from vidrec_tasks.columns import N_ROWS, OPTED_OUT, TRANSCRIPT, USER_ID, VIDEO_ID
from vidrec_tasks.contracts.inputs import DELETIONS, INPUTS, INTERACTIONS, QUERIES, USERS, VIDEOS
from vidrec_tasks.contracts.rejects import LEFT_OUT, Rejects
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.errors import EmptyNight, InputError
from vidrec_tasks.jobs.inputs.admitting import admit_queries, admit_users
from vidrec_tasks.jobs.inputs.bucketing import Bucketed, bucket
from vidrec_tasks.jobs.inputs.catalogue import read_catalogue, videos_before
from vidrec_tasks.jobs.inputs.deletions import note_deletions
from vidrec_tasks.jobs.inputs.events import AdmittedEvents, Known, admit_before, admit_log
from vidrec_tasks.jobs.inputs.increments import LATER, events_before, run_before
from vidrec_tasks.jobs.inputs.opening import LOG, choose_parents, record_of
from vidrec_tasks.jobs.inputs.pinning import (
    Pinned,
    PinnedEvents,
    is_pinned,
    key_of_inputs,
    pin_events,
    pin_tables,
    read_pinned,
    write_pinned,
)
from vidrec_tasks.jobs.inputs.reading import Read, read_whole
from vidrec_tasks.jobs.inputs.results import (
    Account,
    Accounted,
    StepResult,
    join_rejects,
    name_counts,
    sum_counts,
)
from vidrec_tasks.running.job import Made, midnight
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Artefacts, Ref
from vidrec_tasks.store.inputs import fingerprint
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.spill import Spill
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import READ, TableFile, input_files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    """Which inputs are read, and for which night.

    Attributes:
        files: table -> its files.
        before: the run that has the events before tonight's files, where these are an increment.
    """

    store: Store
    settings: Settings
    night: date
    files: Mapping[str, Sequence[TableFile]]
    before: Run | None

    @property
    def ledger(self) -> Ledger:
        """Who is forgotten."""
        return Ledger(self.store)


def open_run(
    store: Store, settings: Settings, night: date, *, refresh: bool, is_cold: bool
) -> tuple[Run, Made, list[Ref]]:
    """Open the night's run over pinned inputs, reading them if they are not pinned yet.

    Args:
        store: the store.
        settings: all settings.
        night: the night.
        refresh: read the inputs again even if they are pinned.
        is_cold: take nothing from earlier runs.

    Raises:
        InputError: a table is missing, unreadable, wrong or empty before the night.
    """
    newest = Runs(store).pinned(night)
    if newest is None or refresh or not is_pinned(Artefacts(store), newest["inputs"]):
        before = _before(store, settings, night)
        key, parents = _pin(store, settings, night, before), choose_parents(store, night)
        parents |= {} if before is None else {LOG: before.run_id}
    else:
        key, parents = newest["inputs"], newest["parents"]
        log.info("night %s: inputs are pinned; refresh to take later rows in", night)
    parents = {role: run_id for role, run_id in parents.items() if not is_cold or role == LOG}
    pinned = read_pinned(Artefacts(store), key)
    run = Runs(store).open(record_of(settings, night, key, parents, pinned))
    for ref in pinned.refs:
        run.remember(ref)
    n_shards = {"user_shards": pinned.users.n_shards, "video_shards": pinned.videos.n_shards}
    window = pinned.window
    held = {} if window is None else {"holdout_days": window.days, "holdout_users": window.n_users}
    return run, Made(counts={**pinned.counts, **n_shards, **held}), list(pinned.refs)


def _before(store: Store, settings: Settings, night: date) -> Run | None:
    """The run that has the events before tonight's files, where these are an increment."""
    if settings.inputs.interactions_are == "whole":
        return None
    before = run_before(store, night)
    log.info(
        "interactions are an increment: what came before is %s",
        "nothing" if before is None else f"of run {before.run_id}",
    )
    return before


def _pin(store: Store, settings: Settings, night: date, before: Run | None) -> str:
    """Read, check and keep what the night sees of the inputs; returns its key."""
    files = {table.name: input_files(store, table.name) for table in INPUTS}
    asked = _Asked(store, settings, night, files, before)
    _refuse_missing(asked)
    deletions = note_deletions(files[DELETIONS.name], asked.ledger, settings.inputs)
    prints = {name: fingerprint(paths) for name, paths in files.items()}
    key = key_of_inputs(prints, asked.ledger, settings, night, before)
    artefacts = Artefacts(store)
    if not is_pinned(artefacts, key):
        write_pinned(artefacts, key, _read_all(asked, key, prints[VIDEOS.name], deletions))
    return key


def _refuse_missing(asked: _Asked) -> None:
    needed = [VIDEOS.name] + [INTERACTIONS.name] * asked.settings.inputs.need_interactions
    missing = [name for name in needed if not asked.files[name]]
    if missing:
        message = (
            f"inputs: {len(missing)} of {len(needed)} tables are missing (first: {missing[0]}); "
            f"put a file {missing[0]} ({READ}), or a folder {missing[0]}/ of those, into "
            f"{asked.store.path('inputs')}"
        )
        raise InputError(message)


def _read_all(asked: _Asked, key: str, print_of_videos: str, deletions: Account) -> Pinned:
    """Take every table through its steps."""
    inputs, artefacts = asked.settings.inputs, Artefacts(asked.store)
    catalogue = read_catalogue(
        asked.files[VIDEOS.name], print_of_videos, asked.store, inputs, asked.night
    )
    users = _without_forgotten(admit_users(_read(asked, USERS)), asked.ledger)
    queries = admit_queries(_read(asked, QUERIES))
    events = _pin_events(asked, key, catalogue.rows, users.rows)
    results: dict[Table, Accounted] = {
        DELETIONS: deletions,
        **{
            table: Account(Rejects(table.name, inputs.kept_rejects).plus(step.rejects), step.counts)
            for table, step in ((VIDEOS, catalogue), (USERS, users), (QUERIES, queries))
        },
        INTERACTIONS: events,
    }
    rejects = _joined(result.rejects for result in results.values())
    videos, transcripts = _without_transcripts(catalogue.rows)
    tables = {
        "videos": videos,
        "transcripts": transcripts,
        "users": users.rows,
        "queries": queries.rows,
        "watch_statistics": events.statistics,
        **({LATER: events.later} if inputs.interactions_are == "increment" else {}),
    }
    return Pinned(
        (*events.refs, *pin_tables(artefacts, key, {**_alone(tables), "rejects": rejects})),
        _counted(results),
        events.split,
        Split.of(len(catalogue.rows), inputs.videos_per_shard),
        catalogue.as_of,
        events.window,
    )


def _read(asked: _Asked, table: Table) -> Read:
    return read_whole(asked.files[table.name], table, asked.settings.inputs)


def _without_transcripts(videos: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The catalogue, which most jobs read whole, and the transcripts, which one job reads."""
    has_one = videos[TRANSCRIPT] != ""
    transcripts = videos.loc[has_one, [VIDEO_ID, TRANSCRIPT]].reset_index(drop=True)
    return videos.drop(columns=TRANSCRIPT), transcripts


def _without_forgotten(users: StepResult, ledger: Ledger) -> StepResult:
    rows = users.rows[~ledger.holds(users.rows[USER_ID])].reset_index(drop=True)
    return replace(users, rows=rows)


def _pin_events(asked: _Asked, key: str, videos: pd.DataFrame, users: pd.DataFrame) -> PinnedEvents:
    """Take the log through its steps: a chunk at a time to scratch disk, from there by shard."""
    inputs = asked.settings.inputs
    with Spill(USER_ID) as spill:
        bucketed = bucket(
            _admitted(asked, _known(asked, videos, users)), spill,
            rejects=Rejects(INTERACTIONS.name, inputs.kept_rejects),
            user_ids=users[USER_ID], users_per_shard=inputs.users_per_shard,
        )  # fmt: skip
        _refuse_empty(bucketed, asked)
        return pin_events(
            Artefacts(asked.store), key, bucketed, videos,
            night=asked.night, settings=asked.settings.evaluation,
        )  # fmt: skip


def _known(asked: _Asked, videos: pd.DataFrame, users: pd.DataFrame) -> Known:
    inputs = asked.settings.inputs
    return Known(
        videos,
        frozenset(users.loc[users[OPTED_OUT], USER_ID]),
        asked.ledger.holds,
        pd.Timestamp(midnight(asked.night)),
        videos_before=lambda: videos_before(asked.store, inputs, videos),
        keeps_later=inputs.interactions_are == "increment",
    )


def _admitted(asked: _Asked, known: Known) -> Iterator[AdmittedEvents]:
    """What came before tonight's files, then these."""
    if asked.before is not None:
        for rows in events_before(asked.before):
            yield admit_before(rows, known)
    yield from admit_log(asked.files[INTERACTIONS.name], known, asked.settings.inputs)


def _joined(rejects: Iterable[Rejects]) -> dict[str, pd.DataFrame]:
    """The rejects of all tables by table and row, which no chunk and no shard decides."""
    of_tables = sorted(rejects, key=lambda one: one.table)
    parts = {"table": join_rejects(one.rows for one in of_tables)}
    left_out = pd.concat([one.left_out for one in of_tables], ignore_index=True)
    for table, reason, n in left_out.itertuples(index=False):
        log.warning("%s: %d more rows were rejected than are kept: %s", table, n, reason)
    return parts if left_out.empty else {**parts, LEFT_OUT: left_out}


def _alone(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, pd.DataFrame]]:
    return {name: {"table": table} for name, table in tables.items()}


def _counted(results: Mapping[Table, Accounted]) -> dict[str, int]:
    """For the receipt: what each table counted, and how many rejects are not kept."""
    counts = sum_counts(name_counts(table.name, of.counts) for table, of in results.items())
    n_left_out = sum(int(of.rejects.left_out[N_ROWS].sum()) for of in results.values())
    return {**counts, "rejects_left_out": n_left_out}


def _refuse_empty(bucketed: Bucketed, asked: _Asked) -> None:
    """A night without an event is none, unless all are of people who want no profile.

    Their wish is published.
    """
    counts = bucketed.counts
    is_unwanted = counts.get("opted_out", 0) + counts.get("forgotten", 0) > 0
    if bucketed.n_events or is_unwanted or not asked.settings.inputs.need_interactions:
        return
    names = {
        "after_night": "are at or after the night",
        "opted_out": "are of users who opted out",
        "forgotten": "are of users who were forgotten",
        "rejected": "were rejected",
    }
    counted = {words: counts.get(name, 0) for name, words in names.items()}
    parts = [f"{n:,} {words}" for words, n in counted.items() if n] or ["the table has no rows"]
    message = (
        f"night {asked.night}: none of {counts.get('read', 0):,} interactions can be "
        f"used ({', '.join(parts)}); choose a later night, or check the log export"
    )
    raise EmptyNight(message)
