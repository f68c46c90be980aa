"""Events: which interactions exist for the night, a chunk of the log at a time."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from vidrec_tasks.columns import EVENT_AT, REASON, ROW_NUM, USER_ID, VIDEO_ID
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.inputs import INTERACTIONS
from vidrec_tasks.contracts.plausibility import UnknownVideos, WatchedUnits
from vidrec_tasks.contracts.rejects import FEWEST_KEPT, Rejects
from vidrec_tasks.jobs.inputs.reading import Read, read_table, refuse_bad
from vidrec_tasks.jobs.inputs.results import StepResult, join_rejects
from vidrec_tasks.settings import InputSettings
from vidrec_tasks.store.table_files import TableFile


@dataclass(frozen=True)
class Known:
    """What decides whether an event exists for the night.

    Attributes:
        videos: the catalogue of the night.
        opted_out: users who want no profile.
        is_forgotten: says of user ids whether they were erased.
        moment: 00:00 UTC of the night.
        videos_before: gives the ids of the catalogue that was read before tonight's.
        keeps_later: whether events that may exist for a later night are kept for it.
    """

    videos: pd.DataFrame
    opted_out: frozenset[str]
    is_forgotten: Callable[[pd.Series], pd.Series]
    moment: pd.Timestamp
    videos_before: Callable[[], Collection[str]] = frozenset
    keeps_later: bool = False


@dataclass(frozen=True)
class AdmittedEvents(StepResult):
    """Events that exist for the night; rejects and counts hold those of reading too.

    Attributes:
        later: events that may exist for a later night: after this one, or of videos that are not
            there; kept where files are increments.
        unknown: the video id of each event that names no known video.
        n_judged: events before the night that nobody's wish leaves out.
    """

    later: pd.DataFrame = field(default_factory=pd.DataFrame)
    unknown: tuple[str, ...] = ()
    n_judged: int = 0


def admit_before(rows: pd.DataFrame, known: Known) -> AdmittedEvents:
    """Events that an earlier night read, seen by this one; what does not fit waits on."""
    admitted, later = _admit_rows(rows, known)
    counts = {"before": len(admitted.rows), "waiting": len(admitted.rejects)}
    return AdmittedEvents(admitted.rows, counts=counts, later=later)


def admit_log(
    files: Sequence[TableFile], known: Known, inputs: InputSettings
) -> Iterator[AdmittedEvents]:
    """Yield tonight's events, a chunk at a time; after the last one judge the log as a whole.

    Raises:
        ContractError: too many rows are wrong or name no known video, or the whole is not
            plausible.
        InputError: a file cannot be read.
    """
    units, unknown = WatchedUnits(known.videos), UnknownVideos()
    rejects = Rejects(INTERACTIONS.name, FEWEST_KEPT)
    n_read = 0
    for read in read_table(files, INTERACTIONS, inputs):
        admitted = admit_events(read, known)
        units.note(admitted.rows)
        unknown.note(admitted.n_judged, admitted.unknown)
        rejects = rejects.plus(admitted.rejects)
        n_read += admitted.counts["read"]
        yield admitted
    if files:
        refuse_bad(rejects, n_read, files, INTERACTIONS, inputs)
    unknown.check(
        known.videos[VIDEO_ID].tolist(), max_share=inputs.max_unknown_share,
        before=known.videos_before,
    )  # fmt: skip
    units.check()


def admit_events(read: Read, known: Known) -> AdmittedEvents:
    """The events of a chunk that exist for the night."""
    admitted, later = _admit_rows(read.rows, known)
    strangers = admitted.rejects[admitted.rejects[REASON] == admission.UNKNOWN_VIDEO]
    is_stranger = read.rows[ROW_NUM].isin(strangers[ROW_NUM])
    unknown = tuple(read.rows.loc[is_stranger, VIDEO_ID])
    rejects = join_rejects((read.rejects, admitted.rejects))
    left_out = {"rejected": len(rejects), "of_unknown_videos": len(unknown)}
    return AdmittedEvents(
        admitted.rows,
        rejects,
        {**read.counts, **admitted.counts, **left_out},
        later=later,
        unknown=unknown,
        n_judged=len(admitted.rows) + len(admitted.rejects),
    )


def _admit_rows(rows: pd.DataFrame, known: Known) -> tuple[admission.Admitted, pd.DataFrame]:
    """The events that exist for the night, and those that may for a later one."""
    admitted = admission.admit_interactions(
        rows, known.videos, moment=known.moment, is_forgotten=known.is_forgotten,
        opted_out=known.opted_out,
    )  # fmt: skip
    if not known.keeps_later:
        return admitted, rows.iloc[:0]
    is_left = rows[ROW_NUM].isin(admitted.rejects[ROW_NUM])
    later = rows[(rows[EVENT_AT] >= known.moment) | is_left]
    return admitted, later[~known.is_forgotten(later[USER_ID])]
