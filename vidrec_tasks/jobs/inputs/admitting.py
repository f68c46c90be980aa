"""Admitting: which rows of each table count, of several about one video or user which.

The rules are `contracts.admission`; here they meet what was read.
"""

import logging
import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import QUERY, ROW_NUM
from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.admission import Admitted
from vidrec_tasks.contracts.inputs import QUERIES, USERS, VIDEOS
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.jobs.inputs.reading import Read, refuse_torn
from vidrec_tasks.jobs.inputs.results import StepResult, join_rejects

log = logging.getLogger(__name__)

_WORDS: Final = re.compile(r"[^,;|\t\"'{}\[\]:\n]+")
"""What stands between the marks that separate or quote."""


def admit_catalogue(
    read: Read, before: pd.DataFrame | None = None, *, unrated_age: int
) -> StepResult:
    """The catalogue as it is now: the newest row of each video.

    Args:
        read: of tonight.
        before: the catalogue that tonight's rows are changes of; None: they are the whole.
        unrated_age: what a video without an age rating counts as, for the log.
    """

    def newest(rows: pd.DataFrame, lost: pd.DataFrame) -> Admitted:
        if before is not None:
            earlier = before.assign(**{ROW_NUM: np.arange(-len(before), 0)})
            earlier = admission.complete(earlier, rows)
            rows = pd.concat([earlier[rows.columns], rows], ignore_index=True)
        return admission.admit_newest(rows, lost)

    admitted = _admit(read, VIDEOS, newest)
    if read.n_unrated and read.n_unrated < read.counts["read"]:
        log.warning(
            "videos: %d of %d rows have no age_rating and count as %d; set "
            "VIDREC_INPUTS__UNRATED_AGE to change this",
            read.n_unrated, read.counts["read"], unrated_age,
        )  # fmt: skip
    return admitted


def admit_users(read: Read) -> StepResult:
    """The users, each with whatever any row forbids.

    Raises:
        InputError: a line is no row, so that a wish might be missed.
    """
    admitted = _admit(read, USERS, admission.admit_strictest)
    refuse_torn(read.torn, USERS)
    n_unread = admitted.counts.get("opted_out_unread", 0)
    if n_unread:
        log.warning(
            "users: %d of %d have a row that cannot be read and count as opted out; see rejects",
            n_unread, len(admitted.rows),
        )  # fmt: skip
    return admitted


def admit_queries(read: Read) -> StepResult:
    """The queries, each once."""
    return _admit(
        read, QUERIES, lambda rows, lost: admission.admit_first(rows, QUERIES.name, QUERY)
    )


def _admit(
    read: Read, table: Table, rule: Callable[[pd.DataFrame, pd.DataFrame], Admitted]
) -> StepResult:
    """A whole small table, unique by its key; as it was read if it is not there."""
    if not read.counts:
        return read
    about = _torn_about(read, table)
    admitted = rule(read.rows, pd.concat([read.lost, about], ignore_index=True))
    rejects = join_rejects((read.rejects, admitted.rejects))
    ends = {"rejected": len(rejects), "accepted": len(admitted.rows)}
    return StepResult(admitted.rows, rejects, {**read.counts, **admitted.counts, **ends})


def _torn_about(read: Read, table: Table) -> pd.DataFrame:
    """The keys that stand in lines that are no row: what the line says of them is not known."""
    (key,) = table.key
    known = set(read.rows[key])
    found = [
        (name, row_num)
        for row_num, text in read.torn
        for name in known.intersection(word.strip() for word in _WORDS.findall(text))
    ]
    lost = pd.DataFrame(found, columns=[key, ROW_NUM])
    return lost.astype({key: "str", ROW_NUM: "int64"})
