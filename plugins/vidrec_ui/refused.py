"""Refused: the page of rows and films that a night could not use, each with its reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from vidrec_tasks.columns import N_ROWS, NAME, REASON, ROW_NUM, SAMPLE, TABLE, VIDEO_ID
from vidrec_tasks.contracts.rejects import LEFT_OUT
from vidrec_tasks.evaluation.report_facts import is_unread
from vidrec_tasks.store.runs import Run
from vidrec_ui.shaping import PER_PAGE, Page
from vidrec_ui.sources import Sources, rows_of

MEDIA = "media"
TEXTS = "texts"
"""What stands for the table where a film, or its captions or speech, is refused."""

Reasons = list[tuple[tuple[str, str], int]]


def counts(sources: Sources, run: Run | None) -> Reasons:
    """((table, reason), how many), most first; films stand under the table `MEDIA`.

    Rejects that were counted and not kept are among them.
    """
    rejects = rows_of(run, "rejects", columns=[TABLE, REASON])
    found = Counter(
        {
            (where, str(reason)): int(n)
            for where in (MEDIA, TEXTS)
            for reason, n in _files(sources, run, where)[REASON].value_counts().items()
        }
    )
    if rejects is not None:
        by_reason = rejects.groupby([TABLE, REASON], sort=False).size().rename(N_ROWS)
        for rows in (by_reason.reset_index(), _left_out(run)):
            for table, reason, n in rows.itertuples(index=False):
                found[str(table), str(reason)] += int(n)
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def quarantine(sources: Sources, run: Run | None) -> pd.DataFrame:
    """The films in quarantine, of all shards."""
    shards = range(run.record.n_video_shards) if run is not None else ()
    parts = [sources.kept_table(run, f"keyframes.{shard}", "quarantine") for shard in shards]
    there = [part for part in parts if part is not None and len(part)]
    empty = pd.DataFrame({VIDEO_ID: [], "uri": [], REASON: []})
    return pd.concat(there, ignore_index=True) if there else empty


def unread(sources: Sources, run: Run | None) -> pd.DataFrame:
    """Captions that could not be read and films that could not be heard, of all shards."""
    shards = range(run.record.n_video_shards) if run is not None else ()
    parts = [sources.kept_table(run, f"texts.{shard}", "tracks") for shard in shards]
    there = [part[is_unread(part)] for part in parts if part is not None and len(part)]
    empty = pd.DataFrame({VIDEO_ID: [], NAME: [], REASON: []})
    return pd.concat([empty, *there], ignore_index=True) if there else empty


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
    rejects = _rejects(run, table, reason)
    films = pd.concat(
        [_refused(sources, run, where, table, reason) for where in (MEDIA, TEXTS)],
        ignore_index=True,
    )
    n_rows, first = len(rejects) + len(films), (page - 1) * PER_PAGE
    shown = rejects.iloc[first : first + PER_PAGE].to_dict("records")
    left_out = _left_out(run, table, reason)
    more = max(0, first - len(rejects)), max(0, first + PER_PAGE - len(rejects))
    return {
        "run_id": run_id,
        "night": run.record.night,
        "reasons": counts(sources, run),
        "table": table,
        "reason": reason,
        "page": page,
        "n_rows": n_rows,
        "n_left_out": int(left_out[N_ROWS].sum()),
        "n_pages": max(1, -(-n_rows // PER_PAGE)),
        "rows": [
            *({**row, "what": f"row {row[ROW_NUM]}"} for row in shown),
            *films.iloc[slice(*more)].to_dict("records"),
        ],
    }


def _rejects(run: Run, table: str, reason: str) -> pd.DataFrame:
    """The rejected rows of a table and for a reason; '' is any."""
    by: dict[str, Any] = {"column": REASON, "values": [reason]} if reason else {}
    found = rows_of(run, "rejects", **by)
    if found is None:
        return pd.DataFrame({TABLE: [], ROW_NUM: [], REASON: [], SAMPLE: []})
    return found[found[TABLE] == table] if table else found


def _left_out(run: Run | None, table: str = "", reason: str = "") -> pd.DataFrame:
    """table, reason and n_rows of rejects that were counted and not kept; '' is any."""
    found = rows_of(run, "rejects", LEFT_OUT)
    if found is None:
        return pd.DataFrame({TABLE: [], REASON: [], N_ROWS: []})
    of_table = (found[TABLE] == table) | (table == "")
    return found[of_table & ((found[REASON] == reason) | (reason == ""))]


def _files(sources: Sources, run: Run | None, where: str) -> pd.DataFrame:
    """video_id, reason and sample of the files that are refused."""
    if where == MEDIA:
        return quarantine(sources, run).rename(columns={"uri": SAMPLE})
    return unread(sources, run).rename(columns={NAME: SAMPLE})


def _refused(sources: Sources, run: Run, where: str, table: str, reason: str) -> pd.DataFrame:
    """The files that are refused for a reason, as rows like those of rejects."""
    files = _files(sources, run, where)
    if table not in ("", where):
        files = files[:0]
    if reason:
        files = files[files[REASON] == reason]
    words = {"what": files[VIDEO_ID], REASON: files[REASON], SAMPLE: files[SAMPLE]}
    return pd.DataFrame({TABLE: where, **words})
