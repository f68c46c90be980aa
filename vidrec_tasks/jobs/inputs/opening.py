"""Opening: the record of a run over pinned inputs, and the finished runs that it builds on."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from vidrec_tasks.jobs.inputs.pinning import Pinned
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Run, RunRecord, Runs
from vidrec_tasks.store.source import source_digest
from vidrec_tasks.store.store import Store

LOG: Final = "log"
"""The parent that earlier events come from, where the files are an increment."""


def choose_parents(store: Store, night: date) -> dict[str, str]:
    """The finished runs that tonight builds on.

    ``features`` may be any finished run (they do not depend on the night); ``previous`` must be of
    an earlier night, so that no model or list can know the future. Of several of one night it is
    the one that the night stands for, else the one that began last.
    """
    runs = Runs(store)
    finished = [run for run in runs if run.find("publication") is not None]
    earlier = [run for run in finished if run.night < night]
    parents = {}
    if finished:
        parents["features"] = _newest(runs, earlier or finished)
    if earlier:
        parents["previous"] = _newest(runs, earlier)
    return parents


def _newest(runs: Runs, finished: Sequence[Run]) -> str:
    """Which of some runs, sorted by night, is the newest."""
    last = [run for run in finished if run.night == finished[-1].night]
    pinned = runs.pinned(last[0].night) or {}
    ids = [run.run_id for run in last]
    return pinned["run_id"] if pinned.get("run_id") in ids else max(last, key=_began).run_id


def _began(run: Run) -> str:
    receipts = run.receipts()
    return str(receipts[0]["started_at"]) if receipts else ""


def record_of(
    settings: Settings, night: date, inputs: str, parents: Mapping[str, str], pinned: Pinned
) -> RunRecord:
    """What the run is that stands on pinned inputs.

    Args:
        settings: all settings.
        night: the night.
        inputs: the address of the inputs.
        parents: role -> run_id.
        pinned: what is at the address.
    """
    made_of = {
        "inputs": inputs,
        "parents": parents,
        "settings": settings.digest(),
        "code": source_digest(),
    }
    return RunRecord(
        run_id=f"{night.isoformat()}-{key_of(made_of)[:8]}",
        night=night.isoformat(),
        inputs=inputs,
        settings_digest=settings.digest(),
        code=source_digest(),
        **pinned.split,
        catalogue_as_of=pinned.catalogue_as_of,
        holdout_days=0 if pinned.window is None else pinned.window.days,
        parents=dict(parents),
        settings=settings.model_dump(
            mode="json",
            exclude={"language": {"endpoint_key"}, "results_url": True, "reader_url": True},
        ),
    )
