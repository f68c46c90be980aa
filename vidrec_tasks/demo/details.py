"""Details: what each job of a night did and how long it took, beside the night before."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from vidrec_tasks.night import NIGHT
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.store.runs import Run

SKIPPING: Final = (
    "extract_keyframes", "read_texts", "embed_videos", "write_portraits", "train_models",
)  # fmt: skip
"""The jobs whose work is proportional to change."""


def detail_parts(reader: Reader, run: Run, earlier: Run | None) -> list[tuple[str, Iterable[str]]]:
    """Title and lines: rows of the tables, seconds a task, what was skipped.

    Args:
        reader: of the tables that hold the run.
        run: what is told.
        earlier: the night before it, if there is one.
    """
    return [
        (f"rows of the published run {run.run_id}", _table_lines(reader)),
        ("seconds a task", _second_lines(run, earlier)),
        (f"what night {run.record.night} skipped", _skipped_lines(run, earlier)),
    ]


def _table_lines(reader: Reader) -> Iterator[str]:
    for name, n_rows in reader.row_counts().items():
        yield f"{name:<26} {n_rows:>8,}"


def _second_lines(run: Run, earlier: Run | None) -> Iterator[str]:
    nights = [night for night in (earlier, run) if night is not None]
    seconds = [_seconds(night) for night in nights]
    yield f"{'':<22}" + "".join(f"{night.record.night:>12}" for night in nights)
    for job in NIGHT:
        if any(job in of_run for of_run in seconds):
            yield f"{job:<22}" + "".join(f"{of_run.get(job, 0.0):>12.1f}" for of_run in seconds)
    yield f"{'all':<22}" + "".join(f"{sum(of_run.values()):>12.1f}" for of_run in seconds)


def _seconds(run: Run) -> dict[str, float]:
    """Seconds a job, summed over its shards."""
    total: dict[str, float] = defaultdict(float)
    for receipt in run.receipts():
        total[receipt["job"]] += receipt["seconds"]
    return dict(total)


def _skipped_lines(run: Run, earlier: Run | None) -> Iterator[str]:
    for job in SKIPPING:
        counts = _counts(run, job)
        before = _counts(earlier, job) if earlier is not None else {}
        changes = [f"{name} {_was(before, name)}{_number(value)}" for name, value in counts.items()]
        if changes:
            yield f"{job:<22} {', '.join(changes)}"
    receipts = run.receipts()
    n_reused = sum(bool(receipt["reused"]) for receipt in receipts)
    yield f"{n_reused} of {len(receipts)} tasks found their artefacts in the store"


def _counts(run: Run, job: str) -> dict[str, float]:
    """Counts of a job, summed over its shards."""
    total: dict[str, float] = defaultdict(float)
    for receipt in run.receipts():
        for name, value in receipt["counts"].items() if receipt["job"] == job else ():
            if isinstance(value, int | float) and not isinstance(value, bool):
                total[name] += value
    return dict(total)


def _was(before: Mapping[str, float], name: str) -> str:
    return f"{_number(before[name])} → " if name in before else ""


def _number(value: Any) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
