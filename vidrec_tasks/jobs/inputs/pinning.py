"""Pinning: what a night sees of the inputs, as artefacts at an address that tells what it is."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import pandas as pd

from vidrec_tasks.contracts.artefacts import check_artefact
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.contracts.rejects import Rejects
from vidrec_tasks.jobs.inputs.bucketing import Bucketed, shards
from vidrec_tasks.jobs.inputs.holding_out import Newest, Window, statistics_before
from vidrec_tasks.jobs.inputs.results import sum_counts
from vidrec_tasks.night import OPENS
from vidrec_tasks.settings import EvaluationSettings, Settings
from vidrec_tasks.store.artefacts import Artefacts, Ref, key_of
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Run
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.source import job_digest

_PINNED: Final = "pinned"
_SPLIT: Final = ("n_user_shards", "n_user_buckets", "n_video_shards", "n_video_buckets")


@dataclass(frozen=True)
class Pinned:
    """What a night sees of the inputs.

    Attributes:
        refs: the artefacts.
        counts: for the receipt.
        users, videos: how they are split.
        catalogue_as_of: see `Catalogue`.
        window: the held-out days; None: pinned by a version that held out as many as it was told.
    """

    refs: tuple[Ref, ...]
    counts: Mapping[str, int]
    users: Split
    videos: Split
    catalogue_as_of: str
    window: Window | None = None

    @property
    def split(self) -> dict[str, int]:
        """How users and videos are split, as a run's record says it."""
        return dict(zip(_SPLIT, (*astuple(self.users), *astuple(self.videos)), strict=True))


@dataclass(frozen=True)
class PinnedEvents:
    """The events as artefacts, an artefact a shard.

    Attributes:
        refs: the artefacts.
        rejects, counts: of all steps of the log.
        split: how users are split.
        later: events that wait for a later night.
        statistics: how far videos were watched.
        window: the held-out days.
    """

    refs: tuple[Ref, ...]
    rejects: Rejects
    counts: Mapping[str, int]
    split: Split
    later: pd.DataFrame
    statistics: pd.DataFrame
    window: Window


def key_of_inputs(
    prints: Mapping[str, str], ledger: Ledger, settings: Settings, night: date, before: Run | None
) -> str:
    """The address of what a night sees: of the files, and of all that decides how they are read.

    Args:
        prints: table -> fingerprint of its files.
        ledger: who is forgotten.
        settings: all settings.
        night: the night.
        before: the run that has what came before, where files are increments.
    """
    return key_of(
        {
            "prints": prints,
            "night": night.isoformat(),
            "settings": {
                "inputs": settings.inputs.model_dump(mode="json"),
                "holdout_days": settings.evaluation.holdout_days,
                "holdout_users": settings.evaluation.holdout_users,
            },
            "code": job_digest(OPENS),
            "forgotten": ledger.fingerprint(),
            "before": "" if before is None else before.record.inputs,
        }
    )


def pin_events(
    artefacts: Artefacts, key: str, bucketed: Bucketed, videos: pd.DataFrame, *,
    night: date, settings: EvaluationSettings,
) -> PinnedEvents:  # fmt: skip
    """Write the events, a shard at a time, and choose the held-out days when all are counted.

    Raises:
        ContractError: a shard is not what is declared.
    """
    refs, rejects, counts, newest = [], bucketed.rejects, [bucketed.counts], Newest()
    for shard in shards(bucketed):
        name, parts = f"interactions.{shard.num}", {"table": shard.rows}
        check_artefact("interactions", parts)
        refs.append(artefacts.write(name, f"{key}-{shard.num}", parts))
        newest = newest.plus(shard.rows, night=night)
        rejects = rejects.plus(shard.rejects)
        counts.append(shard.counts)
    window = newest.window(settings)
    again = (Parts(ref.name, partial(artefacts.read, ref)).table() for ref in refs)
    return PinnedEvents(
        tuple(refs), rejects, sum_counts(counts), bucketed.split, bucketed.later,
        statistics_before(again, videos, night=night, days=window.days), window,
    )  # fmt: skip


def pin_tables(
    artefacts: Artefacts, key: str, tables: Mapping[str, Mapping[str, pd.DataFrame]]
) -> tuple[Ref, ...]:
    """Write the tables that are not split, each with its parts.

    Raises:
        ContractError: one is not what is declared.
    """
    refs = []
    for name, parts in tables.items():
        check_artefact(name, parts)
        refs.append(artefacts.write(name, key, parts))
    return tuple(refs)


def is_pinned(artefacts: Artefacts, key: str) -> bool:
    """Whether everything at an address is written."""
    return artefacts.find(_PINNED, key) is not None


def write_pinned(artefacts: Artefacts, key: str, pinned: Pinned) -> None:
    """Say that everything at an address is written; the last step."""
    written: dict[str, Any] = {
        "refs": [ref.to_json() for ref in pinned.refs],
        "counts": dict(pinned.counts),
        **pinned.split,
        "catalogue_as_of": pinned.catalogue_as_of,
        "window": None if pinned.window is None else asdict(pinned.window),
    }
    artefacts.write(_PINNED, key, {"said": written})


def read_pinned(artefacts: Artefacts, key: str) -> Pinned:
    """What is at an address.

    Raises:
        StoreError: it is gone.
    """
    written: dict[str, Any] = artefacts.read_json(Ref(_PINNED, key, "", 0, 0), "said")
    return Pinned(
        tuple(Ref(**ref) for ref in written["refs"]),
        written["counts"],
        Split(written["n_user_shards"], written["n_user_buckets"]),
        Split(written["n_video_shards"], written["n_video_buckets"]),
        written["catalogue_as_of"],
        Window(**written["window"]) if written.get("window") else None,
    )
