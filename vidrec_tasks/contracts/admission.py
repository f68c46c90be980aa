"""Admission: which parsed rows exist for a night, and why the others do not.

A night sees events before its 00:00 UTC only, and the catalogue as it was then. Leaves parsing to
`parsing`, files to the store.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    AGE_RATING,
    EVENT_AT,
    EVENT_ID,
    EXPIRES_AT,
    LANGUAGE,
    MAX_AGE_RATING,
    OPTED_OUT,
    PUBLISHED_AT,
    REASON,
    REGION,
    REGIONS,
    ROW_NUM,
    STATUS,
    UPDATED_AT,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts.inputs import ACTIVE
from vidrec_tasks.contracts.rejects import Rejects, no_rejects, reject
from vidrec_tasks.errors import ContractError

UNKNOWN_VIDEO: Final = "video is not in the catalogue of the night"
NEWER_ROW: Final = "a newer row says otherwise"
WITHHELD: Final = "a later row of this video cannot be read, so it is withheld"
NOT_WRONG: Final = (UNKNOWN_VIDEO, NEWER_ROW)
"""Reasons that say nothing against the export."""


@dataclass(frozen=True)
class Admitted:
    """The rows that exist for a night.

    Attributes:
        rows: what the night sees.
        rejects: what does not fit.
        counts: rows left out without being wrong, by reason.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame = field(default_factory=no_rejects)
    counts: Mapping[str, int] = field(default_factory=dict)


def admit_first(rows: pd.DataFrame, table: str, key: str) -> Admitted:
    """Keep the first row of each key; later ones are rejected."""
    twice = rows[key].duplicated()
    reasons = pd.Series("", index=rows.index, dtype=object).mask(twice, f"{key} appears twice")
    kept = rows[~twice].sort_values(key).reset_index(drop=True)
    return Admitted(kept, reject(rows, table, reasons))


def admit_newest(rows: pd.DataFrame, lost: pd.DataFrame) -> Admitted:
    """Keep the newest row of each video: by ``updated_at`` if all its rows say it, else the last.

    What cannot be read may be what takes a video away, so a video of which a row was rejected that
    is not surely older is withheld.

    Args:
        rows: parsed rows of videos with row_num, in the order in which they were read.
        lost: video_id, row_num, updated_at (where known) of rejected rows that name one.
    """
    by_video = rows.groupby(VIDEO_ID)[UPDATED_AT]
    is_dated = by_video.transform("count") == by_video.transform("size")
    when = rows[UPDATED_AT].where(is_dated)
    ordered = rows.assign(_when=when).sort_values([VIDEO_ID, "_when", ROW_NUM], kind="stable")
    is_newest = ~ordered[VIDEO_ID].duplicated(keep="last")
    newest = ordered[is_newest].drop(columns="_when")
    withheld = _not_surely_newer(newest, lost)
    reasons = pd.Series("", index=rows.index, dtype=object)
    reasons[~rows[ROW_NUM].isin(newest[ROW_NUM])] = NEWER_ROW
    reasons[rows[ROW_NUM].isin(withheld)] = WITHHELD
    kept = newest[~newest[ROW_NUM].isin(withheld)].reset_index(drop=True)
    return Admitted(kept, reject(rows, "videos", reasons), {"withheld": len(withheld)})


def _not_surely_newer(newest: pd.DataFrame, lost: pd.DataFrame) -> pd.Series:
    """row_num of the newest rows that a row that was lost may overtake."""
    if UPDATED_AT not in lost:
        lost = lost.assign(**{UPDATED_AT: pd.Series(pd.NaT, index=lost.index)})
    both = lost.merge(newest, on=VIDEO_ID, suffixes=("_lost", ""))
    when_lost, when = (
        pd.to_datetime(both[name], utc=True) for name in (f"{UPDATED_AT}_lost", UPDATED_AT)
    )
    is_older = (when_lost < when) | (when.isna() & (both[f"{ROW_NUM}_lost"] < both[ROW_NUM]))
    return both.loc[~is_older, ROW_NUM].drop_duplicates()


def admit_strictest(rows: pd.DataFrame, lost: pd.DataFrame) -> Admitted:
    """One row of each user, the last, with whatever any of its rows forbids.

    A user whose row cannot be read counts as opted out: that may be what it said.

    Args:
        rows: parsed rows of users with row_num, in the order in which they were read.
        lost: user_id, row_num of rejected rows that name one.
    """
    last = ~rows[USER_ID].duplicated(keep="last")
    by_user = rows.groupby(USER_ID)
    kept = rows[last].copy()
    kept[OPTED_OUT] = kept[USER_ID].map(by_user[OPTED_OUT].any()).astype(bool)
    kept[MAX_AGE_RATING] = kept[USER_ID].map(by_user[MAX_AGE_RATING].min()).astype("float64")
    unreadable = lost[~lost[USER_ID].duplicated()]
    kept.loc[kept[USER_ID].isin(unreadable[USER_ID]), OPTED_OUT] = True
    strangers = unreadable[~unreadable[USER_ID].isin(kept[USER_ID])]
    strictest: dict[str, Any] = {REGION: "", LANGUAGE: "", OPTED_OUT: True, MAX_AGE_RATING: np.nan}
    added = strangers.assign(**strictest)
    if len(added):
        kept = pd.concat([kept, added[kept.columns].astype(kept.dtypes)], ignore_index=True)
    reasons = pd.Series("", index=rows.index, dtype=object).mask(~last, NEWER_ROW)
    kept = kept.sort_values(USER_ID).reset_index(drop=True)
    counts = {"opted_out_unread": len(unreadable)}
    return Admitted(kept, reject(rows, "users", reasons), counts)


def admit_videos(
    current: pd.DataFrame, snapshots: Callable[[], Iterable[pd.DataFrame]], *, moment: pd.Timestamp
) -> tuple[Admitted, str]:
    """The catalogue as of a moment.

    Args:
        current: the catalogue as read now, unique by video_id.
        snapshots: gives earlier catalogues, newest first; called only if one is needed.
        moment: 00:00 UTC of the night.

    Returns:
        The videos visible then, and how well that is known: ``current``, ``snapshot`` or
        ``unproven``. What takes away or restricts counts from the moment it is known, even after
        the night: a video that is withdrawn now is in no list.
    """
    later = current[UPDATED_AT] >= moment
    rows, as_of = current, "current"
    n_unproven = 0
    if later.any():
        earlier = _versions_before(set(current.loc[later, VIDEO_ID]), snapshots(), moment)
        earlier = complete(_restricted(earlier, current), current)
        found = current[VIDEO_ID].isin(earlier[VIDEO_ID])
        n_unproven = int((later & ~found).sum())
        rows = pd.concat([current[~(later & found)], earlier], ignore_index=True)
        as_of = "unproven" if n_unproven else "snapshot"
    unborn = rows[PUBLISHED_AT] >= moment
    rows = rows[~unborn].sort_values(VIDEO_ID).reset_index(drop=True)
    counts = {"not_yet_published": int(unborn.sum()), "unproven_versions": n_unproven}
    return Admitted(rows, counts=counts), as_of


def complete(earlier: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Earlier rows with the columns of newer ones: a snapshot may be older than a column."""
    missing = [name for name in rows.columns if name not in earlier]
    blank = {name: "" if rows[name].dtype == "str" else None for name in missing}
    return earlier.assign(**blank).astype({name: rows[name].dtype for name in missing})


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


def _restricted(earlier: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Earlier versions under what is forbidden now: the stricter of the two, column by column."""
    now = current.set_index(VIDEO_ID).reindex(earlier[VIDEO_ID])
    strict = earlier.copy()
    if STATUS in strict:
        inactive = (now[STATUS].str.casefold() != ACTIVE).to_numpy()
        strict[STATUS] = strict[STATUS].mask(inactive, now[STATUS].set_axis(strict.index))
    if EXPIRES_AT in strict:
        both = pd.concat([strict[EXPIRES_AT], now[EXPIRES_AT].set_axis(strict.index)], axis=1)
        strict[EXPIRES_AT] = both.min(axis=1).astype(strict[EXPIRES_AT].dtype)
    if AGE_RATING in strict:
        strict[AGE_RATING] = np.maximum(strict[AGE_RATING], now[AGE_RATING].to_numpy())
    if REGIONS in strict:
        pairs = list(zip(strict[REGIONS], now[REGIONS], strict=True))
        common = [[r for r in a if r in b] if len(a) and len(b) else [*a, *b] for a, b in pairs]
        nowhere = [
            bool(len(a) and len(b)) and not both for (a, b), both in zip(pairs, common, strict=True)
        ]
        strict[REGIONS] = pd.Series(common, index=strict.index, dtype=object)
        strict[STATUS] = strict[STATUS].mask(
            np.array(nowhere, dtype=bool), "no longer allowed in any region"
        )
    return strict


def admit_interactions(
    rows: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    moment: pd.Timestamp,
    is_forgotten: Callable[[pd.Series], pd.Series],
    opted_out: Set[str],
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
        of ``after_night``, ``forgotten`` and ``opted_out`` rows; the events after the night.
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

    An event that says all that an earlier one says, to the last column, was delivered again: it is
    counted and left out.

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
    once = rows[~twice]
    same = once.duplicated([name for name in once.columns if name != ROW_NUM])
    kept = once[~same].reset_index(drop=True)
    counts = {"delivered_again": int(same.sum())}
    return Admitted(kept, reject(rows, "interactions", reasons), counts)


def refuse_bad_table(rejects: Rejects, n_read: int, *, origin: str, max_share: float) -> None:
    """Stop the night when too many rows of a table are wrong.

    Raises:
        ContractError: names the table, how many, the first reason and the next step.
    """
    n_wrong = rejects.count(without=NOT_WRONG)
    if n_read and n_wrong / n_read > max_share:
        rows = rejects.rows
        first = rows[~rows[REASON].isin(NOT_WRONG)].iloc[0]
        message = (
            f"{rejects.table} {origin}: {n_wrong:,} of {n_read:,} rows are wrong, more than "
            f"{max_share:.0%} (first: row {first[ROW_NUM]}, {first[REASON]}: {first['sample']}); "
            "fix the export, or raise VIDREC_INPUTS__MAX_REJECT_SHARE"
        )
        raise ContractError(message)
