"""A store with an opened run and small jobs of our own, for the runner to run."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from tests.stores import record_of
from vidrec_tasks.night import LISTS, JobPlan
from vidrec_tasks.running.job import Context, Job, Made, job
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.settings import Settings, read_settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

NIGHT = date(2026, 9, 1)


class World:
    """A store with an opened run, and the jobs it knows."""

    def __init__(self, folder: Path) -> None:
        self.settings = read_settings({}, store_url=str(folder))
        self.store = Store(str(folder))
        self.jobs: dict[str, Job] = {}
        self.calls: list[str] = []
        self.open()

    @property
    def run(self) -> Run:
        return Runs(self.store).of_night(NIGHT)

    def open(self, run_id: str = "2026-09-01-aaaaaaaa", **more: Any) -> Run:
        shards = {"n_user_shards": 2, "n_video_shards": 3}
        return Runs(self.store).open(record_of(run_id, **shards, **more))

    def declare(self, run: Callable[[Context], Made] | None = None, **words: Any) -> None:
        """Add the job ``rank_candidates``; by default it makes what it promises."""

        def rank_candidates(context: Context) -> Made:
            self.calls.append(context.shard)
            return run(context) if run else made(1)

        how = {name: words.pop(name) for name in ("state", "is_pure") if name in words}
        plan = JobPlan("rank_candidates", LISTS, **{"makes": ("ranked",), **words})
        self.jobs["rank_candidates"] = job(plan=plan, **how)(rank_candidates)

    def go(self, shard: str = "", *, settings: Settings | None = None, **more: Any) -> Any:
        order = Order("rank_candidates", NIGHT, shard, **more)
        return run_job(order, settings or self.settings)


def finish(run: Run) -> None:
    """Let a night count as published, so that the next one builds on it."""
    run.remember(run.artefacts.write("publication", "0" * 20, {"said": {}}))


def made(*values: int, name: str = "ranked") -> Made:
    return Made({name: {"table": pd.DataFrame({"a": values})}}, {"rows": len(values)})


def remember(world: World, name: str, *values: int) -> None:
    table = pd.DataFrame({"a": values})
    key = "-".join(map(str, values))
    world.run.remember(world.run.artefacts.write(name, key, {"table": table}))


def assert_nothing_is_left(world: World) -> None:
    """No name, no receipt, no committed artefact and no file beside one."""
    assert world.run.refs() == []
    assert world.run.receipts() == []
    artefacts = Path(str(world.store.path("artefacts")))
    assert [path for path in artefacts.rglob("_artefact.json") if "lists" in path.parts] == []
    assert [path for path in artefacts.rglob(".*") if path.is_file()] == []
