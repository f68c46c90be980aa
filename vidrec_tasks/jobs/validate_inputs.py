"""validate_inputs: read the inputs once, pin what the night sees of them, and open the run."""

import logging
from datetime import date
from typing import Any

import pandas as pd

from vidrec_tasks.audience.interactions import duration_statistics
from vidrec_tasks.columns import (
    EVENT_AT,
    OPTED_OUT,
    QUERY,
    ROW_NUM,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.checking import check
from vidrec_tasks.contracts.inputs import DELETIONS, INTERACTIONS, QUERIES, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import check_columns, no_rejects, parse
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.errors import EmptyNight, InputError
from vidrec_tasks.jobs._job import Made, midnight
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Artefacts, Ref, key_of
from vidrec_tasks.store.inputs import fingerprint, input_files, read_chunks
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.shards import n_shards_for, shard_of
from vidrec_tasks.store.snapshots import Snapshots
from vidrec_tasks.store.source import source_digest

log = logging.getLogger(__name__)


def open_run(
    place: Place, settings: Settings, night: date, *, refresh: bool, is_cold: bool
) -> tuple[Run, Made, list[Ref]]:
    """Open the night's run over pinned inputs, reading them if they are not pinned yet.

    Args:
        place: the store.
        settings: all settings.
        night: the night.
        refresh: read the inputs again even if they are pinned.
        is_cold: take nothing from earlier runs.

    Raises:
        InputError: a table is missing, unreadable, wrong or empty before the night.
    """
    pinned = Runs(place).pinned(night)
    if pinned is None or refresh or Artefacts(place).find("pinned", pinned["inputs"]) is None:
        inputs, parents = _pin(place, settings, night), _choose_parents(place, night)
    else:
        inputs, parents = pinned["inputs"], pinned["parents"]
        log.info("night %s: inputs are pinned; refresh to take later rows in", night)
    parents = {} if is_cold else parents
    said = Artefacts(place).read(Ref("pinned", inputs, "", 0, 0), "said")
    run = Runs(place).open(_record(settings, night, inputs, parents, said))
    refs = [Ref(**ref) for ref in said["refs"]]
    for ref in refs:
        run.remember(ref)
    counts = {
        **said["counts"],
        "user_shards": said["n_user_shards"],
        "video_shards": said["n_video_shards"],
    }
    return run, Made(counts=counts), refs


def _record(
    settings: Settings, night: date, inputs: str, parents: dict[str, str], said: dict[str, Any]
) -> RunRecord:
    made_of = {
        "inputs": inputs,
        "parents": parents,
        "settings": settings.digest(),
        "code": source_digest(),
    }
    return RunRecord(
        run_id=f"{night.isoformat()}-{key_of(made_of)[:8]}",
        night=night.isoformat(),
        inputs=inputs,
        settings_digest=settings.digest(),
        code=source_digest(),
        n_user_shards=said["n_user_shards"],
        n_video_shards=said["n_video_shards"],
        catalogue_as_of=said["catalogue_as_of"],
        parents=parents,
        settings=settings.model_dump(
            mode="json",
            exclude={"language": {"endpoint_key"}, "results_url": True, "reader_url": True},
        ),
    )


def _choose_parents(place: Place, night: date) -> dict[str, str]:
    """The finished runs that tonight builds on.

    ``features`` may be any finished run (they do not depend on the night); ``previous`` must be of
    an earlier night, so that no model or list can know the future.
    """
    finished = [run for run in Runs(place) if run.find("publication") is not None]
    earlier = [run for run in finished if run.night < night]
    parents = {}
    if finished:
        parents["features"] = (earlier or finished)[-1].run_id
    if earlier:
        parents["previous"] = earlier[-1].run_id
    return parents


def _pin(place: Place, settings: Settings, night: date) -> str:
    """Read, check and keep what the night sees of the inputs; returns its key."""
    files = {
        table.name: input_files(place, table.name)
        for table in (VIDEOS, INTERACTIONS, USERS, QUERIES, DELETIONS)
    }
    _refuse_missing(place, files, settings)
    reader = _Reader(settings, night)
    _note_deletions(reader, Ledger(place), files)
    prints = {name: fingerprint(paths) for name, paths in files.items()}
    key = key_of(
        {
            "prints": prints,
            "night": night.isoformat(),
            "settings": _reading_settings(settings),
            "code": source_digest(),
            "forgotten": Ledger(place).fingerprint(),
        }
    )
    artefacts = Artefacts(place)
    if artefacts.find("pinned", key) is None:
        said = _read_all(reader, place, files, prints, key)
        artefacts.write("pinned", key, {"said": said})
    return key


def _reading_settings(settings: Settings) -> dict[str, Any]:
    """The settings that decide what is read and how it is split."""
    return {
        "inputs": settings.inputs.model_dump(mode="json"),
        "holdout_days": settings.evaluation.holdout_days,
    }


def _refuse_missing(place: Place, files: dict[str, list[Any]], settings: Settings) -> None:
    needed = [VIDEOS.name] + [INTERACTIONS.name] * settings.inputs.need_interactions
    missing = [name for name in needed if not files[name]]
    if missing:
        message = (
            f"inputs: {len(missing)} of {len(needed)} tables are missing (first: {missing[0]}); "
            f"put {missing[0]}.parquet, .csv or .jsonl, or a folder {missing[0]}/ of those, into "
            f"{place.path('inputs')}"
        )
        raise InputError(message)


def _note_deletions(reader: "_Reader", ledger: Ledger, files: dict[str, list[Any]]) -> None:
    """Write whoever asked to be forgotten into the ledger, whatever the night.

    No event of theirs is used from now on; what earlier nights keep is erased by `forget_users`.
    """
    paths = files[DELETIONS.name]
    n_new = 0
    for rows, _ in reader.chunks(paths, DELETIONS) if paths else ():
        n_new += ledger.add(rows[USER_ID])
    if n_new:
        log.info("%d users of the deletions table are new to the ledger", n_new)


def _read_all(
    reader: "_Reader",
    place: Place,
    files: dict[str, list[Any]],
    prints: dict[str, str],
    key: str,
) -> dict[str, Any]:
    settings, night = reader.settings, reader.night
    moment = pd.Timestamp(midnight(night))
    ledger = Ledger(place)
    videos, as_of = _videos(reader, place, files, prints, moment)
    users = reader.unique(files[USERS.name], USERS, USER_ID)
    users = users[~ledger.holds(users[USER_ID])].reset_index(drop=True)
    queries = reader.unique(files[QUERIES.name], QUERIES, QUERY)
    events = _interactions(reader, ledger, files, videos, users, moment)
    if events.empty and settings.inputs.need_interactions:
        raise EmptyNight(_why_empty(night, reader))
    frames = {"videos": videos, "users": users, "queries": queries}
    shards = _shards(events, users, settings)
    window = events[events[EVENT_AT] < moment - pd.Timedelta(days=settings.evaluation.holdout_days)]
    statistics = duration_statistics(window if len(window) else events, videos, night=night)
    frames["watch_statistics"] = statistics
    frames["rejects"] = pd.concat(reader.rejects, ignore_index=True)
    check(videos, "videos", key=(VIDEO_ID,), columns=tuple(c.name for c in VIDEOS.columns))
    artefacts = Artefacts(place)
    refs = [artefacts.write(name, key, {"table": frame}) for name, frame in frames.items()]
    for shard, rows in enumerate(shards):
        refs.append(artefacts.write(f"interactions.{shard}", f"{key}-{shard}", {"table": rows}))
    return {
        "refs": [ref.to_json() for ref in refs],
        "counts": reader.counts,
        "n_user_shards": len(shards),
        "n_video_shards": n_shards_for(len(videos), settings.inputs.videos_per_shard),
        "catalogue_as_of": as_of,
    }


class _Reader:
    """Reads tables, and keeps rejects and counts on the way."""

    def __init__(self, settings: Settings, night: date) -> None:
        self.settings = settings
        self.night = night
        self.rejects = [no_rejects()]
        self.counts: dict[str, int] = {}

    def chunks(self, paths: list[Any], table: Table) -> Any:
        """Yield parsed rows of a table."""
        count = dict.fromkeys(("read", "rejected"), 0)
        origin = paths[0].parent.name if len(paths) > 1 else paths[0].name
        for chunk in read_chunks(paths, table=table.name):
            if len(chunk.rows) or len(chunk.rows.columns) > 1:
                check_columns(list(chunk.rows.columns), table, origin=chunk.origin)
            parsed = parse(chunk.rows, table)
            torn = pd.DataFrame(chunk.torn, columns=[ROW_NUM, "reason", "sample"])
            torn.insert(0, "table", table.name)
            count["read"] += len(chunk.rows) + len(torn)
            yield parsed.rows, self.keep(table.name, parsed.rejects, torn)
        self.counts[f"{table.name}_read"] = count["read"]
        admission.refuse_bad_table(
            self.rejected(table.name),
            count["read"],
            table=table.name,
            origin=origin,
            max_share=self.settings.inputs.max_reject_share,
        )

    def keep(self, table: str, *rejects: pd.DataFrame) -> int:
        """Keep rejects; returns how many."""
        n_rejected = sum(len(frame) for frame in rejects)
        self.rejects += [frame for frame in rejects if len(frame)]
        name = f"{table}_rejected"
        self.counts[name] = self.counts.get(name, 0) + n_rejected
        return n_rejected

    def count(self, table: str, counts: dict[str, int]) -> None:
        """Add to the counts of a table."""
        for name, number in counts.items():
            full = f"{table}_{name}"
            self.counts[full] = self.counts.get(full, 0) + number

    def rejected(self, table: str) -> pd.DataFrame:
        """The rejects of a table so far."""
        mine = [frame[frame["table"] == table] for frame in self.rejects]
        return pd.concat(mine, ignore_index=True)

    def unique(self, paths: list[Any], table: Table, key: str) -> pd.DataFrame:
        """A whole small table, unique by its key; empty if it is not there."""
        if not paths:
            return parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), table).rows
        rows = pd.concat([rows for rows, _ in self.chunks(paths, table)], ignore_index=True)
        admitted = admission.admit_unique(rows, table.name, key)
        self.keep(table.name, admitted.rejects)
        self.counts[f"{table.name}_accepted"] = len(admitted.rows)
        return admitted.rows


def _videos(
    reader: _Reader,
    place: Place,
    files: dict[str, list[Any]],
    prints: dict[str, str],
    moment: pd.Timestamp,
) -> tuple[pd.DataFrame, str]:
    snapshots = Snapshots(place)
    current = reader.unique(files[VIDEOS.name], VIDEOS, VIDEO_ID)
    snapshots.keep(current, prints[VIDEOS.name])
    admitted, as_of = admission.admit_videos(current, snapshots.newest_first, moment=moment)
    reader.count(VIDEOS.name, admitted.counts)
    if admitted.rows.empty:
        message = (
            f"night {reader.night}: none of {len(current):,} videos was published before it; "
            "choose a later night or check published_at"
        )
        raise EmptyNight(message)
    return admitted.rows.drop(columns=ROW_NUM), as_of


def _interactions(
    reader: _Reader,
    ledger: Ledger,
    files: dict[str, list[Any]],
    videos: pd.DataFrame,
    users: pd.DataFrame,
    moment: pd.Timestamp,
) -> pd.DataFrame:
    opted_out = set(users.loc[users[OPTED_OUT], USER_ID])
    kept = [parse(pd.DataFrame({ROW_NUM: pd.Series(dtype="int64")}), INTERACTIONS).rows]
    paths = files[INTERACTIONS.name]
    for rows, _ in reader.chunks(paths, INTERACTIONS) if paths else ():
        admitted = admission.admit_interactions(
            rows, videos, moment=moment, is_forgotten=ledger.holds, opted_out=opted_out
        )
        reader.keep(INTERACTIONS.name, admitted.rejects)
        reader.count(INTERACTIONS.name, admitted.counts)
        kept.append(admitted.rows)
    once = admission.admit_once(pd.concat(kept, ignore_index=True))
    reader.keep(INTERACTIONS.name, once.rejects)
    reader.counts["interactions_accepted"] = len(once.rows)
    return once.rows


def _why_empty(night: date, reader: _Reader) -> str:
    counts = reader.counts
    return (
        f"night {night}: none of {counts.get('interactions_read', 0):,} interactions can be used "
        f"({counts.get('interactions_after_night', 0):,} are at or after the night, "
        f"{counts.get('interactions_rejected', 0):,} were rejected); choose a later night, "
        "or check the log export"
    )


def _shards(events: pd.DataFrame, users: pd.DataFrame, settings: Settings) -> list[pd.DataFrame]:
    n_users = len(set(events[USER_ID]) | set(users[USER_ID]))
    n_shards = n_shards_for(n_users, settings.inputs.users_per_shard)
    shards = shard_of(events[USER_ID], n_shards)
    return [events[shards == shard].reset_index(drop=True) for shard in range(n_shards)]
