"""Compare: two runs beside each other: metrics, rows, and whose lists changed, by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import RANK, USER_ID
from vidrec_tasks.evaluation.measures import Measure, main_metrics
from vidrec_tasks.evaluation.plots import histogram
from vidrec_ui.nights import all_runs, row_counts, run_line
from vidrec_ui.shaping import Page
from vidrec_ui.sources import Sources, table_of

SAMPLED_USERS: Final = 400
"""Users whose lists are compared: the mean share kept is then right to ±0.03 or so."""

SHOWN_USERS: Final = 50
SHOWN_METRICS: Final = 24


def compare_page(sources: Sources, a: str, b: str, user_id: str = "") -> Page | None:
    """Run a against run b; by default the current run against the published one before it.

    Returns:
        None when the tables do not know one of the runs.
    """
    runs = [run for run in all_runs(sources) if run["state"] == "published"]
    b = b or next((run["run_id"] for run in runs if run["is_current"]), "")
    a = a or next((run["run_id"] for run in runs if run["run_id"] < b and run["run_id"] != b), "")
    page: Page = {"runs": runs, "a": a, "b": b, "user_id": user_id, "pair": None}
    if not a or not b:
        return page
    rows = [sources.reader.run(run_id) for run_id in (a, b)]
    if rows[0] is None or rows[1] is None:
        return None
    lines = [run_line(row) for row in rows if row is not None]
    users = [user_id] if user_id else _sample(sources, a, b)
    lists = [sources.reader.lists(run_id, users) for run_id in (a, b)]
    changes = _changes(lists[0], lists[1])
    counts = [row_counts(sources, sources.run(run_id), run_id) for run_id in (a, b)]
    page |= {
        "pair": lines,
        "metrics": _metrics(lines[0]["measures"], lines[1]["measures"]),
        "counts": [(name, counts[0].get(name, 0), n) for name, n in counts[1].items()],
        "n_sampled": len(changes),
        "n_same": sum(change["kept"] == 100 and not change["moved"] for change in changes),
        "kept": sum(change["kept"] for change in changes) / len(changes) if changes else None,
        "kept_chart": histogram(
            [change["kept"] for change in changes],
            name="Percent of a list that was kept",
            n_bins=10,
        ),
        "changes": changes[:SHOWN_USERS],
        "side_by_side": _side_by_side(sources, b, lists, user_id) if user_id else [],
    }
    return page


def _sample(sources: Sources, a: str, b: str) -> list[str]:
    """Users by hash where the store has a shard of lists (a fair sample), else the first by id."""
    for run_id in (b, a):
        run, users = sources.run(run_id), set[str]()
        for shard in range(run.record.n_user_shards if run is not None else 0):
            table = table_of(run, f"user_vectors.{shard}")
            users |= set() if table is None else set(table[USER_ID].astype(str))
            if len(users) >= SAMPLED_USERS:
                break
        if users:
            return sorted(users)[:: max(1, len(users) // SAMPLED_USERS)][:SAMPLED_USERS]
    first = [*sources.reader.users_of(a, SAMPLED_USERS), *sources.reader.users_of(b, SAMPLED_USERS)]
    return sorted(set(first))[:SAMPLED_USERS]


def _changes(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    """Who changed and by how much, most first."""
    found = []
    for user in sorted({*before, *after}):
        old, new = before.get(user, []), after.get(user, [])
        both = [video for video in new if video in old]
        longest = max(len(old), len(new), 1)
        found.append(
            {
                "user_id": user,
                "kept": round(100 * len(both) / longest),
                "came": len(new) - len(both),
                "went": len(old) - len(both),
                "moved": sum(old.index(video) != new.index(video) for video in both),
                "first_changed": old[:1] != new[:1],
            }
        )
    return sorted(found, key=lambda row: (row["kept"], -row["moved"], row["user_id"]))


def _metrics(before: Mapping[str, Measure], after: Mapping[str, Measure]) -> list[dict[str, Any]]:
    """Metrics that both runs have, with the difference, and whether their intervals part."""
    shared = [measure for name, measure in after.items() if name in before]
    return [
        {
            "name": name,
            "before": before[name],
            "after": after[name],
            "change": after[name].value - before[name].value,
            "is_clear": _apart(before[name], after[name]),
        }
        for name in main_metrics(shared, SHOWN_METRICS)
    ]


def _apart(a: Measure, b: Measure) -> bool | None:
    """Whether two intervals do not touch; None where one has none."""
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return None
    return a.high < b.low or b.high < a.low


def _side_by_side(
    sources: Sources, run_id: str, lists: list[dict[str, list[str]]], user_id: str
) -> list[dict[str, Any]]:
    """The two lists of one user, row by row, each with the rank it has in the other."""
    catalogue = sources.catalogue(run_id)
    old, new = (found.get(user_id, []) for found in lists)
    rows = pd.RangeIndex(max(len(old), len(new)))
    return [
        {
            RANK: position + 1,
            "before": _cell(old, new, position, catalogue),
            "after": _cell(new, old, position, catalogue),
        }
        for position in rows
    ]


def _cell(
    mine: list[str], other: list[str], position: int, catalogue: Any
) -> dict[str, Any] | None:
    if position >= len(mine):
        return None
    video = mine[position]
    rank = other.index(video) + 1 if video in other else None
    return {"video_id": video, "title": catalogue.title(video), "other_rank": rank}
