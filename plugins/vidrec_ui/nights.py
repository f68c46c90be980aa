"""Nights: the pages of all runs and of one run, as plain values; knows no HTML and no Airflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from vidrec_tasks.evaluation.funnel import funnel_charts, funnel_of
from vidrec_tasks.evaluation.measures import by_scorer, main_metrics, measures_of, segments_of
from vidrec_tasks.evaluation.plots import Point, bar_chart, line_chart
from vidrec_tasks.evaluation.report_facts import model_seconds, sum_timings
from vidrec_tasks.evaluation.worth import say_night
from vidrec_tasks.night import GROUPS, NIGHT, jobs_in
from vidrec_tasks.store.runs import Run
from vidrec_ui import refused
from vidrec_ui.shaping import Page, minute
from vidrec_ui.sources import Sources, json_of

SHOWN_RUNS: Final = 30
SHOWN_METRICS: Final = 6
COLUMN_METRICS: Final = 3
SHOWN_USERS: Final = 12


def overview(sources: Sources) -> Page:
    """The nights: those in the tables, and those that stopped before they got there."""
    runs = all_runs(sources)
    names = _main_metrics(runs)
    for line in runs:
        line["has_report"] = sources.has_report(line["run_id"])
    current = next((line for line in runs if line["is_current"]), None)
    run = sources.run(current["run_id"]) if current else None
    receipts = run.receipts() if run is not None else []
    return {
        "runs": runs,
        "current": current,
        "metric_names": names[:COLUMN_METRICS],
        "charts": [(name, _trend(name, runs)) for name in names],
        "counts": row_counts(sources, run, None) if current else {},
        "funnels": funnel_charts(funnel_of(receipts)),
        "stage_chart": stage_chart(receipts),
        "sample_users": sources.reader.users(SHOWN_USERS) if current else [],
    }


def all_runs(sources: Sources) -> list[dict[str, Any]]:
    """The newest runs, of the tables and of the store."""
    rows = sources.reader.runs(SHOWN_RUNS)
    lines = {row["run_id"]: run_line(row) for row in rows}
    for run in sources.runs(SHOWN_RUNS):
        if run.run_id not in lines:
            row = sources.reader.run(run.run_id)
            lines[run.run_id] = run_line(row) if row else _unfinished(run)
    newest_first = sorted(lines.values(), key=_age, reverse=True)
    return newest_first[:SHOWN_RUNS]


def run_page(sources: Sources, run_id: str) -> Page | None:
    """One run: gates, metrics, funnel, seconds, rejects; None when nobody knows it."""
    row, run = sources.reader.run(run_id), sources.run(run_id)
    if row is not None:
        line = run_line(row)
    elif run is not None:
        line = _unfinished(run)
    else:
        return None
    receipts = run.receipts() if run is not None else []
    metrics = (row or {}).get("metrics") or json_of(run, "metrics", "metrics") or {}
    timed = [*measures_of(metrics), *model_seconds(receipts)]
    scorers, scored, measures = by_scorer(timed)
    segments = segments_of(metrics)
    return {
        "run": line,
        "gates": line["gates"] or (json_of(run, "gates", "gates") or {}).get("gates", []),
        "scorers": scorers,
        "scored": scored,
        "worth": say_night(metrics),
        "measures": measures,
        "segments": segments,
        "segment_metrics": list(dict.fromkeys(name for row in segments.values() for name in row)),
        "counts": row_counts(sources, run, run_id) if row is not None else {},
        "funnels": funnel_charts(funnel_of(receipts)),
        "timings": sum_timings(receipts),
        "stage_chart": stage_chart(receipts),
        "jobs_left": _jobs_left(receipts),
        "refused": refused.counts(sources, run),
        "record": run.record if run is not None else None,
        "has_report": sources.has_report(run_id),
    }


def run_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run of the tables, for a line and for its own page."""
    said = row["gates"] or {}
    gates = said.get("gates", []) if isinstance(said, Mapping) else said
    return {
        **{name: row[name] for name in ("run_id", "state", "is_current")},
        "night": str(row["night"]),
        "published_at": minute(row["published_at"]),
        "started_at": minute(row["started_at"]),
        "gates": gates,
        "failed_gates": [gate["name"] for gate in gates if not gate["passed"]],
        "measures": {measure.name: measure for measure in measures_of(row["metrics"] or {})},
    }


def row_counts(sources: Sources, run: Run | None, run_id: str | None) -> dict[str, int]:
    """Rows a table, as publish_lists counted them: counting a million users' takes a second."""
    said = json_of(run, "publication", "said")
    return dict(said["rows"]) if said else sources.reader.row_counts(run_id)


def stage_chart(receipts: Iterable[Mapping[str, Any]]) -> Any:
    """Seconds a stage, summed over jobs and shards."""
    seconds = {timing.job: timing.seconds for timing in sum_timings(receipts)}
    stages = [
        (group, sum(seconds.get(plan.name, 0.0) for plan in jobs_in(group)))
        for group in GROUPS
        if any(plan.name in seconds for plan in jobs_in(group))
    ]
    return bar_chart(stages, name="Seconds a stage", unit=" s")


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


def _age(run: Mapping[str, Any]) -> tuple[str, str]:
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
