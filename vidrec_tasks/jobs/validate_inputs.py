"""validate_inputs: read the inputs once, pin what the night sees of them, and open the run."""

import logging
from dataclasses import astuple
from datetime import date
from hashlib import sha256
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    ROW_NUM,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.artefacts import check_artefact
from vidrec_tasks.contracts.checking import check
from vidrec_tasks.contracts.inputs import DELETIONS, INTERACTIONS, QUERIES, USERS, VIDEOS
from vidrec_tasks.errors import EmptyNight, InputError
from vidrec_tasks.jobs.inputs.bucketing import Bucketed
from vidrec_tasks.jobs.inputs.increments import LATER, run_before
from vidrec_tasks.jobs.inputs.reader import InputReader
from vidrec_tasks.night import OPENS
from vidrec_tasks.running.job import Made, midnight
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import Artefacts, Ref, key_of
from vidrec_tasks.store.codecs import encode
from vidrec_tasks.store.inputs import fingerprint
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.place import Place
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.snapshots import Snapshots
from vidrec_tasks.store.source import job_digest, source_digest
from vidrec_tasks.store.table_files import READ, TableFile, input_files

log = logging.getLogger(__name__)

LOG: Final = "log"
"""The parent that earlier events come from, where the files are an increment."""
SPLIT: Final = ("n_user_shards", "n_user_buckets", "n_video_shards", "n_video_buckets")
"""How users and videos are split, as a run's record says it."""


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
        before = _before(place, settings, night)
        inputs, parents = _pin(place, settings, night, before), _choose_parents(place, night)
        parents |= {} if before is None else {LOG: before.run_id}
    else:
        inputs, parents = pinned["inputs"], pinned["parents"]
        log.info("night %s: inputs are pinned; refresh to take later rows in", night)
    parents = {role: run_id for role, run_id in parents.items() if not is_cold or role == LOG}
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
        **{name: said[name] for name in SPLIT},
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


def _before(place: Place, settings: Settings, night: date) -> Run | None:
    """The run that has the events before tonight's files, where these are an increment."""
    if settings.inputs.interactions_are == "whole":
        return None
    before = run_before(place, night)
    log.info(
        "interactions are an increment: what came before is %s",
        "nothing" if before is None else f"of run {before.run_id}",
    )
    return before


def _pin(place: Place, settings: Settings, night: date, before: Run | None) -> str:
    """Read, check and keep what the night sees of the inputs; returns its key."""
    files = {
        table.name: input_files(place, table.name)
        for table in (VIDEOS, INTERACTIONS, USERS, QUERIES, DELETIONS)
    }
    _refuse_missing(place, files, settings)
    reader = InputReader(settings, night)
    _note_deletions(reader, Ledger(place), files)
    prints = {name: fingerprint(paths) for name, paths in files.items()}
    key = key_of(
        {
            "prints": prints,
            "night": night.isoformat(),
            "settings": _reading_settings(settings),
            "code": job_digest(OPENS),
            "forgotten": Ledger(place).fingerprint(),
            "before": "" if before is None else before.record.inputs,
        }
    )
    artefacts = Artefacts(place)
    if artefacts.find("pinned", key) is None:
        said = _read_all(reader, place, files, prints, key, before)
        artefacts.write("pinned", key, {"said": said})
    return key


def _reading_settings(settings: Settings) -> dict[str, Any]:
    """The settings that decide what is read and how it is split."""
    return {
        "inputs": settings.inputs.model_dump(mode="json"),
        "holdout_days": settings.evaluation.holdout_days,
    }


def _refuse_missing(place: Place, files: dict[str, list[TableFile]], settings: Settings) -> None:
    needed = [VIDEOS.name] + [INTERACTIONS.name] * settings.inputs.need_interactions
    missing = [name for name in needed if not files[name]]
    if missing:
        message = (
            f"inputs: {len(missing)} of {len(needed)} tables are missing (first: {missing[0]}); "
            f"put a file {missing[0]} ({READ}), or a folder {missing[0]}/ of those, into "
            f"{place.path('inputs')}"
        )
        raise InputError(message)


def _note_deletions(reader: InputReader, ledger: Ledger, files: dict[str, list[TableFile]]) -> None:
    """Write whoever asked to be forgotten into the ledger, whatever the night.

    No event of theirs is used from now on; what earlier nights keep is erased by `forget_users`. A
    row whose id can be read counts, whatever else is wrong with it.
    """
    n_new = 0
    for user_ids in reader.deletions(files[DELETIONS.name]):
        n_new += ledger.add(user_ids)
    if n_new:
        log.info("%d users of the deletions table are new to the ledger", n_new)


def _read_all(
    reader: InputReader,
    place: Place,
    files: dict[str, list[TableFile]],
    prints: dict[str, str],
    key: str,
    before: Run | None,
) -> dict[str, Any]:
    settings, moment = reader.settings, pd.Timestamp(midnight(reader.night))
    ledger, artefacts = Ledger(place), Artefacts(place)
    videos, as_of = _videos(reader, place, files, prints, moment)
    check(videos, "videos", key=(VIDEO_ID,), columns=tuple(c.name for c in VIDEOS.columns))
    users = reader.users(files[USERS.name])
    users = users[~ledger.holds(users[USER_ID])].reset_index(drop=True)
    queries = reader.queries(files[QUERIES.name])
    refs = []
    with Bucketed(reader, ledger, videos, users) as events:
        events.videos_before = lambda: _videos_before(place, settings, videos)
        events.read(files[INTERACTIONS.name], before)
        if not events.n_events and settings.inputs.need_interactions and not _is_unwanted(reader):
            raise EmptyNight(_why_empty(reader.night, reader))
        for shard, rows in events.shards():
            check_artefact("interactions", {"table": rows})
            refs.append(artefacts.write(f"interactions.{shard}", f"{key}-{shard}", {"table": rows}))
        frames = {
            "videos": videos,
            "users": users,
            "queries": queries,
            "watch_statistics": events.statistics(),
            "rejects": reader.all_rejects(),
            **({LATER: events.later()} if events.keeps_later else {}),
        }
        users_split = events.split
    for name, frame in frames.items():
        check_artefact(name, {"table": frame})
        refs.append(artefacts.write(name, key, {"table": frame}))
    videos_split = Split.of(len(videos), settings.inputs.videos_per_shard)
    return {
        "refs": [ref.to_json() for ref in refs],
        "counts": reader.counts,
        **dict(zip(SPLIT, (*astuple(users_split), *astuple(videos_split)), strict=True)),
        "catalogue_as_of": as_of,
    }


def _videos(
    reader: InputReader,
    place: Place,
    files: dict[str, list[TableFile]],
    prints: dict[str, str],
    moment: pd.Timestamp,
) -> tuple[pd.DataFrame, str]:
    snapshots = Snapshots(place, n_kept=reader.settings.inputs.kept_snapshots)
    is_whole = reader.settings.inputs.videos_are == "whole"
    earlier = None if is_whole else next(snapshots.newest_first(), None)
    current = reader.videos(files[VIDEOS.name], earlier)
    said = prints[VIDEOS.name] if is_whole else sha256(encode(current)[1]).hexdigest()
    snapshots.keep(current, said)
    admitted, as_of = admission.admit_videos(current, snapshots.newest_first, moment=moment)
    reader.count(VIDEOS.name, admitted.counts)
    if admitted.rows.empty:
        n_read, n_rejected = (reader.counts.get(f"videos_{n}", 0) for n in ("read", "rejected"))
        message = (
            f"night {reader.night}: none of {n_read:,} videos was published before it; choose a "
            f"later night or check published_at ({n_rejected:,} were rejected)"
        )
        raise EmptyNight(message)
    return admitted.rows.drop(columns=ROW_NUM), as_of


def _videos_before(place: Place, settings: Settings, videos: pd.DataFrame) -> set[str]:
    """The ids of the newest snapshot that holds another catalogue."""
    tonight = set(videos[VIDEO_ID])
    snapshots = Snapshots(place, n_kept=settings.inputs.kept_snapshots)
    others = (set(snapshot[VIDEO_ID]) - tonight for snapshot in snapshots.newest_first())
    return next((gone for gone in others if gone), set())


def _is_unwanted(reader: InputReader) -> bool:
    """Whether there are events, and all of people who want no profile: their wish is published."""
    counts = reader.counts
    return bool(counts.get("interactions_opted_out", 0) + counts.get("interactions_forgotten", 0))


def _why_empty(night: date, reader: InputReader) -> str:
    names = {
        "after_night": "are at or after the night",
        "opted_out": "are of users who opted out",
        "forgotten": "are of users who were forgotten",
        "rejected": "were rejected",
    }
    counted = {said: reader.counts.get(f"interactions_{name}", 0) for name, said in names.items()}
    parts = [f"{n:,} {said}" for said, n in counted.items() if n] or ["the table has no rows"]
    return (
        f"night {night}: none of {reader.counts.get('interactions_read', 0):,} interactions can be "
        f"used ({', '.join(parts)}); choose a later night, or check the log export"
    )
