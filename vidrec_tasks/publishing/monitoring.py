"""Monitoring: what somebody is woken up by, as numbers in Prometheus' text format.

Airflow has metrics of its own tasks and processes; these say whether readers get fresh lists.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from vidrec_tasks.errors import StoreError
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

PUBLISHED: Final = "published"
REJECTED: Final = "_rejected"
QUARANTINED: Final = "quarantined"


class Metric(NamedTuple):
    """A value, and what it means."""

    name: str
    value: float
    meaning: str


def metrics(reader: Reader, store: Store, now: datetime) -> list[Metric]:
    """The metrics of the run that readers see.

    Args:
        reader: of the result tables.
        store: where the run's receipts are.
        now: the present moment, UTC.

    Returns:
        Nights published, and, if there is one, seconds since, rejects and media in quarantine. The
        last two are left out where the store no longer has the run.
    """
    runs = reader.runs()
    published = [run for run in runs if run["state"] == PUBLISHED]
    nights = {run["night"] for run in published}
    found = [Metric("vidrec_nights_published", len(nights), "Nights kept in the result tables.")]
    current = next((run for run in runs if run["is_current"]), None)
    if current is None:
        return found
    age_s = (now - _utc(current["published_at"])).total_seconds()
    found.append(Metric("vidrec_seconds_since_publication", age_s,
                        "Seconds since the lists that readers see were published."))  # fmt: skip
    return found + list(_counts(store, current["run_id"]))


def as_text(found: list[Metric]) -> str:
    """The metrics as Prometheus reads them (text exposition format 0.0.4)."""
    lines = []
    for metric in found:
        lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} gauge"]
        lines.append(f"{metric.name} {metric.value:.15g}")
    return "\n".join(lines) + "\n"


def _counts(store: Store, run_id: str) -> Iterator[Metric]:
    try:
        receipts = Runs(store).get(run_id).receipts()
    except StoreError:
        return  # older than what the store keeps
    yield Metric("vidrec_rejects", _sum(receipts, "validate_inputs", REJECTED),
                 "Rows of the inputs that the published night left out.")  # fmt: skip
    yield Metric("vidrec_quarantined", _sum(receipts, "extract_keyframes", QUARANTINED),
                 "Media files that the published night could not decode.")  # fmt: skip


def _sum(receipts: list[dict[str, Any]], job: str, ending: str) -> int:
    return sum(
        int(value)
        for receipt in receipts
        if receipt["job"] == job
        for name, value in receipt["counts"].items()
        if name.endswith(ending)
    )


def _utc(moment: datetime) -> datetime:
    """SQLite gives moments without their zone, which is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
