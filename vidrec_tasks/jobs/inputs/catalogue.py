"""Catalogue: the videos that the night sees, as they were at its beginning."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import pandas as pd

from vidrec_tasks.columns import ROW_NUM, VIDEO_ID
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.inputs import VIDEOS
from vidrec_tasks.errors import EmptyNight
from vidrec_tasks.jobs.inputs.admitting import admit_catalogue
from vidrec_tasks.jobs.inputs.reading import read_whole
from vidrec_tasks.jobs.inputs.results import StepResult
from vidrec_tasks.running.job import midnight
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.codecs import encode
from vidrec_tasks.store.snapshots import Snapshots
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import TableFile


@dataclass(frozen=True)
class Catalogue(StepResult):
    """The videos that the night sees, by video_id.

    Attributes:
        as_of: ``current``, ``snapshot`` or ``unproven``: how well it is known how they were then.
    """

    as_of: str = "current"


def read_catalogue(
    files: Sequence[TableFile],
    fingerprint: str,
    store: Store,
    inputs: InputSettings,
    night: date,
) -> Catalogue:
    """Read the catalogue, keep a snapshot of it, and go back to the beginning of the night.

    Args:
        files: of the table.
        fingerprint: of these files.
        store: the store, which has the snapshots.
        inputs: how tables are read.
        night: the night.

    Raises:
        ContractError: the table does not fit its contract, or too many rows are wrong.
        EmptyNight: no video was published before the night.
        InputError: a file cannot be read.
    """
    snapshots = Snapshots(store, n_kept=inputs.kept_snapshots)
    is_whole = inputs.videos_are == "whole"
    earlier = None if is_whole else next(snapshots.newest_first(), None)
    read = read_whole(files, VIDEOS, inputs)
    current = admit_catalogue(read, earlier, unrated_age=inputs.unrated_age)
    checksum = fingerprint if is_whole else sha256(encode(current.rows)[1]).hexdigest()
    snapshots.keep(current.rows, checksum)
    moment = pd.Timestamp(midnight(night))
    seen, as_of = admission.admit_videos(current.rows, snapshots.newest_first, moment=moment)
    if seen.rows.empty:
        raise EmptyNight(_why_empty(current, night))
    rows = seen.rows.drop(columns=ROW_NUM)
    return Catalogue(rows, current.rejects, {**current.counts, **seen.counts}, as_of)


def videos_before(store: Store, inputs: InputSettings, videos: pd.DataFrame) -> set[str]:
    """The ids of the newest snapshot that holds another catalogue than these videos."""
    tonight = set(videos[VIDEO_ID])
    snapshots = Snapshots(store, n_kept=inputs.kept_snapshots)
    others = (set(snapshot[VIDEO_ID]) - tonight for snapshot in snapshots.newest_first())
    return next((gone for gone in others if gone), set())


def _why_empty(current: StepResult, night: date) -> str:
    n_read, n_rejected = (current.counts.get(name, 0) for name in ("read", "rejected"))
    return (
        f"night {night}: none of {n_read:,} videos was published before it; choose a "
        f"later night or check published_at ({n_rejected:,} were rejected)"
    )
