"""Pages: what each page shows, as plain values; knows no HTML and no Airflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    DESCRIPTION,
    EVIDENCE,
    GROUP_ID,
    QUERY,
    REASON,
    REQUEST_ID,
    SCORE_COMPONENTS,
    SIMILAR_VIDEO_ID,
    TABLE,
    VIDEO_ID,
)
from vidrec_tasks.evaluation.measures import by_scorer, main_metrics, measures_of, segments_of
from vidrec_tasks.evaluation.plots import Point, line_chart
from vidrec_tasks.evaluation.report_facts import sum_timings
from vidrec_tasks.jobs import NIGHT
from vidrec_tasks.store.runs import Run
from vidrec_ui.sources import Catalogue, Sources, part_of

SHOWN_RUNS: Final = 30
SHOWN_METRICS: Final = 3
SHOWN_USERS: Final = 12
LIST_LENGTH: Final = 200  # the longest list that settings allow

_VIDEO_FACTS: Final = {
    "creator_id": "Creator", "published_at": "Published", "expires_at": "Expires",
    "duration_s": "Seconds", "tags": "Tags", "categories": "Categories", "language": "Language",
    "status": "Status", "age_rating": "From age", "regions": "Regions",
}  # fmt: skip

Page = dict[str, Any]


def overview(sources: Sources) -> Page:
    """The nights: those in the tables, and those that stopped before they got there."""
    rows = sources.reader.runs()[:SHOWN_RUNS]
    known = {row["run_id"] for row in rows}
    unfinished = [_unfinished(run) for run in sources.runs() if run.run_id not in known]
    runs = sorted([*map(_run_line, rows), *unfinished], key=_newest_first, reverse=True)
    runs = runs[:SHOWN_RUNS]
    names = _main_metrics(runs)
    for run in runs:
        run["has_report"] = sources.has_report(run["run_id"])
    current = next((run for run in runs if run["is_current"]), None)
    return {
        "runs": runs,
        "current": current,
        "metric_names": names,
        "charts": [(name, _trend(name, runs)) for name in names],
        "counts": sources.reader.row_counts() if current else {},
        "sample_users": sources.reader.sample_users(SHOWN_USERS) if current else [],
    }


def user_page(sources: Sources, user_id: str) -> Page:
    """One user: portrait and list, or the list that strangers get."""
    catalogue = _current_catalogue(sources)
    listing = sources.reader.list_for(user_id, n=LIST_LENGTH)
    return {
        "user_id": user_id,
        "profile": sources.reader.profile(user_id),
        "segment": listing.segment,
        "is_fallback": listing.is_fallback,
        "rows": [_card(row, catalogue) for row in listing.rows],
    }


def video_page(sources: Sources, video_id: str) -> Page | None:
    """One video: keyframes, what it shows, what is like it; None when the run has it not."""
    run_id = sources.reader.current_run_id()
    catalogue, run = sources.catalogue(run_id), sources.run(run_id)
    video = catalogue.videos.get(video_id)
    if video is None:
        return None
    similar = sources.reader.similar(video_id, n=LIST_LENGTH)
    return {
        "video_id": video_id,
        "title": catalogue.title(video_id),
        "description": video.get(DESCRIPTION) or "",
        "facts": [
            (word, _spelled(video[name]))
            for name, word in _VIDEO_FACTS.items()
            if name in video and _is_said(video[name])
        ],
        "frames": catalogue.frames.get(video_id, []),
        "concepts": _concepts(run, video_id),
        "quarantine": _quarantine_reason(run, video_id),
        "duplicates": [(twin, catalogue.title(twin)) for twin in _twins(run, video_id)],
        "similar": [_card(row, catalogue, key=SIMILAR_VIDEO_ID) for row in similar],
    }


def search_page(sources: Sources, query: str) -> Page:
    """The answers to a query: the night's, else those of the last request by hand."""
    catalogue = _current_catalogue(sources)
    rows = sources.reader.search(query, n=LIST_LENGTH) if query else []
    request_id, by_hand = ("", []) if rows or not query else _answered_by_hand(sources, query)
    asked = sources.reader.table("search_results")[QUERY]
    return {
        "query": query,
        "request_id": request_id,
        "rows": [_card(row, catalogue, at_s=row[AT_S]) for row in rows or by_hand],
        "queries": sorted(asked.unique()),
    }


def run_page(sources: Sources, run_id: str) -> Page | None:
    """One run: gates, metrics, seconds, rejects, quarantine; None when nobody knows it."""
    row, run = sources.reader.run(run_id), sources.run(run_id)
    if row is not None:
        line = _run_line(row)
    elif run is not None:
        line = _unfinished(run)
    else:
        return None
    receipts = run.receipts() if run is not None else []
    metrics = (row or {}).get("metrics") or part_of(run, "metrics", "metrics") or {}
    scorers, scored, measures = by_scorer(measures_of(metrics))
    return {
        "run": line,
        "gates": line["gates"] or (part_of(run, "gates", "gates") or {}).get("gates", []),
        "scorers": scorers,
        "scored": scored,
        "measures": measures,
        "segments": segments_of(metrics),
        "counts": sources.reader.row_counts(run_id) if row is not None else {},
        "timings": sum_timings(receipts),
        "jobs_left": _jobs_left(receipts),
        "rejects": _counted(part_of(run, "rejects"), [TABLE, REASON]),
        "quarantine": _counted(_quarantine(run), [REASON]),
        "record": run.record if run is not None else None,
        "has_report": sources.has_report(run_id),
    }


def _current_catalogue(sources: Sources) -> Catalogue:
    return sources.catalogue(sources.reader.current_run_id())


def _answered_by_hand(sources: Sources, query: str) -> tuple[str, list[Any]]:
    """The last request that asked for a query (their ids begin with the time), and its answers."""
    table = sources.reader.table("adhoc_search_results")
    mine = table[table[QUERY] == query]
    if mine.empty:
        return "", []
    request_id = str(mine[REQUEST_ID].max())
    return request_id, mine[mine[REQUEST_ID] == request_id].to_dict("records")


def _run_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run of the tables, for a line and for its own page."""
    said = row["gates"] or {}
    gates = said.get("gates", []) if isinstance(said, Mapping) else said
    return {
        **{name: row[name] for name in ("run_id", "state", "is_current")},
        "night": str(row["night"]),
        "published_at": _minute(row["published_at"]),
        "started_at": _minute(row["started_at"]),
        "gates": gates,
        "failed_gates": [gate["name"] for gate in gates if not gate["passed"]],
        "measures": {measure.name: measure for measure in measures_of(row["metrics"] or {})},
    }


def _unfinished(run: Run) -> dict[str, Any]:
    """A run that the tables do not know: under way, stopped, or past retention."""
    receipts = run.receipts()
    left = _jobs_left(receipts)
    return {
        "run_id": run.run_id,
        "state": "unfinished" if left else "removed",
        "is_current": False,
        "night": run.record.night,
        "published_at": "",
        "started_at": receipts[0]["started_at"][:16].replace("T", " ") if receipts else "",
        "gates": [],
        "failed_gates": [],
        "next_job": left[0] if left else "",
        "measures": {},
    }


def _jobs_left(receipts: Iterable[Mapping[str, Any]]) -> list[str]:
    """The jobs of the night without a receipt, in order; the report may be written before."""
    done = {receipt["job"] for receipt in receipts}
    return [name for name in NIGHT[:-1] if name not in done]


def _newest_first(run: Mapping[str, Any]) -> tuple[str, str]:
    return run["night"], run["started_at"]


def _main_metrics(runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The metrics to look at first, of the newest run that has any."""
    measured = [list(run["measures"].values()) for run in runs if run["measures"]]
    return main_metrics(measured[0], SHOWN_METRICS) if measured else []


def _trend(name: str, runs: list[dict[str, Any]]) -> Any:
    """A metric over the nights, oldest first, the newest run of each."""
    nights: dict[str, Point] = {}
    for run in runs:
        measure = run["measures"].get(name)
        if measure is not None and run["night"] not in nights:
            nights[run["night"]] = Point(run["night"], measure.value, measure.low, measure.high)
    points = [nights[night] for night in sorted(nights)]
    return line_chart(points, name=f"{name} over the nights") if len(points) > 1 else ""


def _card(
    row: Mapping[str, Any], catalogue: Catalogue, *, key: str = VIDEO_ID, at_s: float | None = None
) -> dict[str, Any]:
    video_id = row[key]
    second = None if at_s is None or pd.isna(at_s) else float(at_s)
    return {
        **row,
        "video_id": video_id,
        "title": catalogue.title(video_id),
        "thumbnail": catalogue.thumbnail(video_id, second),
        "at_s": second,
        "components": _components(row.get(SCORE_COMPONENTS) or {}),
        "evidence": [(name, _spelled(value)) for name, value in (row.get(EVIDENCE) or {}).items()],
    }


def _components(components: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parts of a score, largest first, with their share of all that was added or taken."""
    total = sum(abs(value) for value in components.values()) or 1.0
    ordered = sorted(components.items(), key=lambda item: -abs(item[1]))
    return [
        {"name": name, "value": value, "percent": round(100 * abs(value) / total, 1)}
        for name, value in ordered
    ]


def _spelled(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_spelled(inner) for inner in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_spelled(inner)}" for name, inner in value.items())
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _concepts(run: Run | None, video_id: str) -> list[tuple[str, float]]:
    content = part_of(run, "content")
    if content is None or "concepts" not in content:
        return []
    mine = content.loc[content[VIDEO_ID] == video_id, "concepts"]
    pairs = mine.iloc[0] if len(mine) and mine.iloc[0] is not None else []
    return [(str(name), float(share)) for name, share in pairs][:8]


def _twins(run: Run | None, video_id: str) -> list[str]:
    """The near-duplicates of a video."""
    table = part_of(run, "duplicates")
    if table is None or not len(table):
        return []
    groups = table.loc[table[VIDEO_ID] == video_id, GROUP_ID]
    twins = table[table[GROUP_ID].isin(groups) & (table[VIDEO_ID] != video_id)]
    return sorted(twins[VIDEO_ID])


def _quarantine(run: Run | None) -> pd.DataFrame | None:
    shards = range(run.record.n_video_shards) if run is not None else ()
    parts = [part_of(run, f"keyframes.{shard}", "quarantine") for shard in shards]
    there = [part for part in parts if part is not None]
    return pd.concat(there, ignore_index=True) if there else None


def _quarantine_reason(run: Run | None, video_id: str) -> str:
    table = _quarantine(run)
    mine = [] if table is None else table.loc[table[VIDEO_ID] == video_id, REASON].tolist()
    return mine[0] if mine else ""


def _counted(table: pd.DataFrame | None, by: list[str]) -> list[tuple[tuple[str, ...], int]]:
    """How many rows a reason has, most first."""
    if table is None or not len(table):
        return []
    counts = Counter(zip(*(table[name].astype(str) for name in by), strict=True))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _is_said(value: Any) -> bool:
    """Whether a cell says anything."""
    if isinstance(value, list | tuple):
        return bool(value)
    return value is not None and value is not pd.NaT and not pd.isna(value) and value != ""


def _minute(moment: Any) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
