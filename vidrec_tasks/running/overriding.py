"""Overriding: what a person is asked about a night that its gates rejected, and the answer."""

from datetime import UTC, date, datetime
from typing import Any

from vidrec_tasks.running.job import Approval
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store


def question_about(night: date, settings: Settings) -> dict[str, Any]:
    """What to ask a person of a night's newest run; empty where there is nothing to ask.

    Nothing is asked unless the setting allows it, and of no run that did not come to its gates: a
    check that broke down is no verdict.

    Returns:
        run_id, night, and the failed gates in words, or nothing.
    """
    runs = Runs(Store(settings.store_url))
    if not settings.publishing.allow_override or runs.pinned(night) is None:
        return {}
    run = runs.of_night(night)
    if run.find("gates") is None:
        return {}
    verdict: dict[str, Any] = run.read_json("gates", "gates")
    failed = [gate for gate in verdict["gates"] if not gate["passed"]]
    words = [f"{gate['name']} is {gate['value']} (bound {gate['bound']}): {gate['meaning']}"
             for gate in failed]  # fmt: skip
    return {"run_id": run.run_id, "night": night.isoformat(), "failed": words} if failed else {}


def approve(night: date, by: str, settings: Settings | None = None) -> Approval:
    """A person's word, given by hand, for the newest run of a night.

    Raises:
        MissingArtefact: no run of that night was opened.
    """
    store = Store((settings or read_settings()).store_url)
    return Approval(Runs(store).of_night(night).run_id, by, datetime.now(UTC).isoformat())
