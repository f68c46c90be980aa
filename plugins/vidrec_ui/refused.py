"""Refused: the page of rows and films that a night could not use, each with its reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from vidrec_tasks.columns import REASON, ROW_NUM, SAMPLE, TABLE, VIDEO_ID
from vidrec_tasks.store.runs import Run
from vidrec_ui.shaping import PER_PAGE, Page
from vidrec_ui.sources import Sources, part_of

MEDIA = "media"
"""What stands for the table where a film is refused."""

Reasons = list[tuple[tuple[str, str], int]]


def counts(sources: Sources, run: Run | None) -> Reasons:
    """((table, reason), how many), most first; films stand under the table `MEDIA`."""
    rejects = part_of(run, "rejects")
    rows = [] if rejects is None else zip(rejects[TABLE], rejects[REASON], strict=True)
    found = Counter((str(table), str(reason)) for table, reason in rows)
    found.update((MEDIA, str(reason)) for reason in quarantine(sources, run)[REASON])
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def quarantine(sources: Sources, run: Run | None) -> pd.DataFrame:
    """The films in quarantine, of all shards."""
    shards = range(run.record.n_video_shards) if run is not None else ()
    parts = [sources.kept_part(run, f"keyframes.{shard}", "quarantine") for shard in shards]
    there = [part for part in parts if part is not None and len(part)]
    empty = pd.DataFrame({VIDEO_ID: [], "uri": [], REASON: []})
    return pd.concat(there, ignore_index=True) if there else empty


def quarantine_reason(sources: Sources, run: Run | None, video_id: str) -> str:
    """Why a video's film is in quarantine; '' when it is not."""
    table = quarantine(sources, run)
    mine = table.loc[table[VIDEO_ID] == video_id, REASON].tolist()
    return str(mine[0]) if mine else ""


def rejects_page(
    sources: Sources, run_id: str, *, table: str = "", reason: str = "", page: int = 1
) -> Page | None:
    """The refused rows of a run, page by page; None when the store has no such run."""
    run = sources.run(run_id)
    if run is None:
        return None
    rows = _rows(sources, run)
    if table:
        rows = rows[rows[TABLE] == table]
    if reason:
        rows = rows[rows[REASON] == reason]
    first = (page - 1) * PER_PAGE
    return {
        "run_id": run_id,
        "night": run.record.night,
        "reasons": counts(sources, run),
        "table": table,
        "reason": reason,
        "page": page,
        "n_rows": len(rows),
        "n_pages": max(1, -(-len(rows) // PER_PAGE)),
        "rows": rows.iloc[first : first + PER_PAGE].to_dict("records"),
    }


def _rows(sources: Sources, run: Run) -> pd.DataFrame:
    """Rejects and films in one table: table, what, reason, sample."""
    films = quarantine(sources, run)
    rejects: Any = part_of(run, "rejects")
    parts = [
        pd.DataFrame(
            {TABLE: MEDIA, "what": films[VIDEO_ID], REASON: films[REASON], SAMPLE: films["uri"]}
        )
    ]
    if rejects is not None:
        what = "row " + rejects[ROW_NUM].astype(str)
        parts.insert(0, rejects[[TABLE, REASON, SAMPLE]].assign(what=what))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
