"""Admission: which parsed rows exist for a night, and why the others do not.

A night sees events before its 00:00 UTC only, and the catalogue as it was then. Leaves parsing to
`parsing`, files to the store.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    EVENT_AT,
    EVENT_ID,
    PUBLISHED_AT,
    REASON,
    ROW_NUM,
    UPDATED_AT,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts.rejects import no_rejects, reject
from vidrec_tasks.errors import ContractError

UNKNOWN_VIDEO = "video is not in the catalogue of the night"


@dataclass
class Admitted:
    """The rows that exist for a night.

    Attributes:
        rows: what the night sees.
        rejects: what does not fit.
        counts: rows left out without being wrong, by reason.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=no_rejects)
    counts: dict[str, int] = field(default_factory=dict)


def admit_unique(rows: pd.DataFrame, table: str, key: str) -> Admitted:
    """Keep the first row of each key; later ones are rejected."""
    twice = rows[key].duplicated()
    reasons = pd.Series("", index=rows.index, dtype=object).mask(twice, f"{key} appears twice")
    kept = rows[~twice].sort_values(key).reset_index(drop=True)
    return Admitted(kept, reject(rows, table, reasons))


def admit_videos(
    current: pd.DataFrame, snapshots: Callable[[], Iterable[pd.DataFrame]], *, moment: pd.Timestamp
) -> tuple[Admitted, str]:
    """The catalogue as of a moment.

    Args:
        current: the catalogue as read now, unique by video_id.
        snapshots: gives earlier catalogues, newest first; called only if one is needed.
        moment: 00:00 UTC of the night.

    Returns:
        The videos visible then, and how well that is known: ``current``,
        ``snapshot`` or ``unproven``.
    """
    later = current[UPDATED_AT] >= moment
    rows, as_of = current, "current"
    n_unproven = 0
    if later.any():
        earlier = _versions_before(set(current.loc[later, VIDEO_ID]), snapshots(), moment)
        found = current[VIDEO_ID].isin(earlier[VIDEO_ID])
        n_unproven = int((later & ~found).sum())
        rows = pd.concat([current[~(later & found)], earlier], ignore_index=True)
        as_of = "unproven" if n_unproven else "snapshot"
    unborn = rows[PUBLISHED_AT] >= moment
    rows = rows[~unborn].sort_values(VIDEO_ID).reset_index(drop=True)
    counts = {"not_yet_published": int(unborn.sum()), "unproven_versions": n_unproven}
    return Admitted(rows, counts=counts), as_of


def _versions_before(
    needed: set[str], snapshots: Iterable[pd.DataFrame], moment: pd.Timestamp
) -> pd.DataFrame:
    """For each needed video its newest version that was updated before the moment."""
    found: list[pd.DataFrame] = []
    for snapshot in snapshots:  # each is read when its turn comes
        hits = snapshot[snapshot[VIDEO_ID].isin(needed) & (snapshot[UPDATED_AT] < moment)]
        found.append(hits)
        needed = needed - set(hits[VIDEO_ID])
        if not needed:
            break
    columns = {VIDEO_ID: pd.Series(dtype=str)}
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns)


def admit_interactions(
    rows: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    moment: pd.Timestamp,
    is_forgotten: Callable[[pd.Series], pd.Series],
    opted_out: set[str],
) -> Admitted:
    """The events that exist for a night.

    Args:
        rows: parsed interactions with row_num.
        videos: the catalogue of the night.
        moment: 00:00 UTC of the night; later events do not exist.
        is_forgotten: says of user ids whether they were erased.
        opted_out: users who want no profile; their events are not used.

    Returns:
        Events kept; rejects for unknown videos and events before their video was published; counts
        of ``after_night``, ``forgotten`` and ``opted_out`` rows.
    """
    after = rows[EVENT_AT] >= moment
    forgotten = ~after & is_forgotten(rows[USER_ID])
    out = ~after & ~forgotten & rows[USER_ID].isin(opted_out)
    rest = rows[~after & ~forgotten & ~out]
    published = rest[VIDEO_ID].map(videos.set_index(VIDEO_ID)[PUBLISHED_AT])
    known = rest[VIDEO_ID].isin(videos[VIDEO_ID])
    early = known & (rest[EVENT_AT] < published)
    reasons = pd.Series("", index=rest.index, dtype=object)
    reasons = reasons.mask(~known, UNKNOWN_VIDEO)
    reasons = reasons.mask(early, "event is before its video was published")
    counts = {
        "after_night": int(after.sum()),
        "forgotten": int(forgotten.sum()),
        "opted_out": int(out.sum()),
    }
    kept = rest[reasons == ""].reset_index(drop=True)
    return Admitted(kept, reject(rest, "interactions", reasons), counts)


def admit_once(rows: pd.DataFrame, repeated: npt.NDArray[np.int64] | None = None) -> Admitted:
    """Sort events by (user_id, event_at, row_num) and keep the first of each event_id.

    Args:
        rows: events of some users.
        repeated: row_num of the events whose event_id an earlier row has; None: to be found in
            these rows alone.
    """
    if repeated is None:
        with_id = rows[rows[EVENT_ID] != ""].sort_values(ROW_NUM)
        repeated = with_id.loc[with_id[EVENT_ID].duplicated(), ROW_NUM].to_numpy(np.int64)
    rows = rows.sort_values([USER_ID, EVENT_AT, ROW_NUM], ignore_index=True)
    twice = rows[ROW_NUM].isin(repeated)
    reasons = pd.Series("", index=rows.index, dtype=object).mask(twice, "event_id appears twice")
    kept = rows[~twice].reset_index(drop=True)
    return Admitted(kept, reject(rows, "interactions", reasons))


def refuse_bad_table(
    rejects: pd.DataFrame, n_read: int, *, table: str, origin: str, max_share: float
) -> None:
    """Stop the night when too many rows of a table are wrong.

    Raises:
        ContractError: names the table, how many, the first reason and the next step.
    """
    wrong = rejects[rejects[REASON] != UNKNOWN_VIDEO]
    if n_read and len(wrong) / n_read > max_share:
        first = wrong.iloc[0]
        message = (
            f"{table} {origin}: {len(wrong):,} of {n_read:,} rows are wrong, more than "
            f"{max_share:.0%} (first: row {first[ROW_NUM]}, {first[REASON]}: {first['sample']}); "
            "fix the export, or raise VIDREC_INPUTS__MAX_REJECT_SHARE"
        )
        raise ContractError(message)
