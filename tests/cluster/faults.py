"""Faults on a running cluster, each struck in the middle of a night, whose tables are compared.

``make faults`` prints the matrix. A night ends with the tables and artefacts of an undisturbed one,
or fails in words while readers keep the night before; anything else is a defect, and the exit code
says so. Until ``publish_lists`` begins, readers see the night before, whole.
"""

import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from tests.cluster.airflow_api import ENDED, Airflow
from tests.cluster.cluster import Cluster
from tests.cluster.worlds import (
    SMALL,
    copy_inputs,
    differing,
    render_world,
    run_vidrec,
    tables_of,
)
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger("faults")

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST_NIGHT_S: Final = 3_000.0
OUTAGE_S: Final = 15.0
INTO_THE_TASK_S: Final = 1.0
KILLED: Final = {
    "films": ("extract_keyframes", "embed_videos"),
    "words": ("read_texts", "learn_vocabulary", "write_cards"),
    "users": ("write_portraits", "train_models"),
    "lists": ("find_candidates", "explain_lists", "publish_lists"),
}
"""Jobs whose worker is killed, by the night in which it is: a kill costs a night two minutes."""
WRITING: Final = ("read_texts", "embed_videos", "write_cards")
SWITCHES: Final = "publish_lists"
MAY_DIFFER: Final = frozenset({"report", "publication"})
"""A report holds times of running, a publication what its database answered."""

Task = dict[str, Any]


@dataclass
class Fault:
    """Something that goes wrong while a task runs.

    Attributes:
        name: what goes wrong.
        during: the job whose task is running when it does.
        strike: does it, and mends what an engine or an operator would mend.
        struck: what was hit; None: not yet.
    """

    name: str
    during: str
    strike: Callable[[Cluster, Task], str]
    struck: str | None = None


def kill_worker(cluster: Cluster, task: Task) -> str:
    """kill -9 the worker that runs the task, with all below it; the engine starts it again."""
    for name in ("worker-1", "worker-2"):
        process = cluster.processes[name]
        if task["pid"] in process.all_pids():
            process.kill()
            cluster.start_service(name)
            return name
    message = f"no worker runs process {task['pid']} of {task['task_id']}"
    raise LookupError(message)


def stop_and_start(service: str) -> Callable[[Cluster, Task], str]:
    """Stop a service for a while."""

    def strike(cluster: Cluster, task: Task) -> str:
        cluster.processes[service].stop()
        time.sleep(OUTAGE_S)
        cluster.start_service(service)
        return f"{service} away for {OUTAGE_S:.0f} s"

    return strike


def fill_scratch(cluster: Cluster, task: Task) -> str:
    """No byte more for this task: what it writes fails as on a full disk; its retry has room."""
    command = ["prlimit", "--pid", str(task["pid"]), "--fsize=0"]
    subprocess.run(command, check=True, capture_output=True)
    return f"process {task['pid']}"


def scenarios() -> dict[str, list[Fault]]:
    """What is struck in one night each."""
    services = {"redis": "find_candidates", "scheduler": "embed_videos", "postgres": "train_models"}
    return {
        **{
            name: [Fault("kill -9 the worker", job, kill_worker) for job in jobs]
            for name, jobs in KILLED.items()
        },
        "services": [
            Fault(f"stop and start {name}", job, stop_and_start(name))
            for name, job in services.items()
        ],
        "scratch": [Fault("scratch disk full", job, fill_scratch) for job in WRITING],
    }


@dataclass(frozen=True)
class World:
    """What a night with faults is compared with.

    Attributes:
        before: the store of the night before, of which the tables are published first.
        alone: the store of an undisturbed night.
        nights: the night before, and the night.
    """

    before: Path
    alone: Path
    nights: Sequence[str]

    def expected(self) -> dict[str, pd.DataFrame]:
        """The tables of the undisturbed night."""
        return tables_of(f"sqlite:///{self.alone}/results.sqlite")

    def previous(self) -> dict[str, pd.DataFrame]:
        """The tables of the night before."""
        return tables_of(f"sqlite:///{self.before}/results.sqlite")


@dataclass(frozen=True)
class Ended:
    """How a night with faults ended.

    Attributes:
        state: of the run.
        seconds: wall time.
        differ: tables and artefacts that are not those of the undisturbed night.
        failures: tasks that did not succeed.
        n_looks: how often readers were asked before the switch.
        seen: what they saw other than the night before, whole.
    """

    state: str
    seconds: float
    differ: list[str]
    failures: list[str]
    n_looks: int
    seen: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether it is as if nothing had happened."""
        return self.state == "success" and not self.differ and not self.seen


def run_night(cluster: Cluster, world: World, faults: Sequence[Fault]) -> Ended:
    """Run a night, strike every fault once, ask readers meanwhile, and compare what came of it."""
    airflow, readers = Airflow(cluster), Readers(cluster, world.previous())
    begin = time.monotonic()
    run_id = airflow.trigger(world.nights[1])
    while (state := airflow.state(run_id)) not in ENDED:
        assert time.monotonic() - begin < LONGEST_NIGHT_S, f"{run_id} is still {state}"
        cluster.revive()
        tasks = airflow.tasks(run_id)
        if _strike(cluster, tasks, faults) or not readers.n_looks:
            readers.look(airflow.tasks(run_id))
        time.sleep(0.5)
    tasks = airflow.tasks(run_id)
    failures = [
        f"{task['task_id']} {task['state']}" for task in tasks if task["state"] not in _FINE
    ]
    if state == "success":
        differ = differing(world.expected(), tables_of(cluster.results_url))
        differ += _other_artefacts(world.alone, cluster.store)
    else:
        differ = [f"readers: {one}" for one in readers.differing()]
    seconds = time.monotonic() - begin
    return Ended(state, seconds, differ, failures, readers.n_looks, readers.seen)


_FINE: Final = ("success", "skipped")
"""Nobody is asked about a night that passes its gates: those tasks are skipped."""


class Readers:
    """Readers of the tables, who see the night before until the switch.

    Args:
        cluster: whose tables they read.
        previous: the tables of the night before.
    """

    def __init__(self, cluster: Cluster, previous: dict[str, pd.DataFrame]) -> None:
        self._cluster, self._previous = cluster, previous
        self.n_looks = 0
        self.seen: list[str] = []

    def look(self, tasks: Sequence[Task]) -> None:
        """Compare, unless the task that switches has begun by now."""
        states = {task["task_id"].split(".")[-1]: task["state"] for task in tasks}
        if states.get(SWITCHES) in (None, "scheduled", "queued"):
            self.n_looks += 1
            self.seen += self.differing()

    def differing(self) -> list[str]:
        """The tables that are not those of the night before."""
        return differing(self._previous, tables_of(self._cluster.results_url))


def _other_artefacts(alone: Path, store: Path) -> list[str]:
    """Artefacts of other bytes than the undisturbed night's, or that were not made."""
    expected, found = (
        {ref.name: ref.checksum for run in Runs(Store(str(place))) for ref in run.refs()}
        for place in (alone, store)
    )
    return [
        f"artefact {name} differs"
        for name, checksum in sorted(expected.items())
        if found.get(name) != checksum and name not in MAY_DIFFER
    ]


def _strike(cluster: Cluster, tasks: Sequence[Task], faults: Sequence[Fault]) -> bool:
    """Strike the first fault whose job runs; returns whether one was struck."""
    running = {task["task_id"].split(".")[-1]: task for task in tasks
               if task["state"] == "running" and task["pid"]}  # fmt: skip
    for fault in faults:
        if fault.struck is None and fault.during in running:
            time.sleep(INTO_THE_TASK_S)
            try:
                fault.struck = fault.strike(cluster, running[fault.during])
            except (LookupError, subprocess.CalledProcessError) as error:
                log.info("%s in %s: too late (%s), again", fault.name, fault.during, error)
                continue
            log.info("%s in %s: %s", fault.name, fault.during, fault.struck)
            return True  # what else runs is another task list by now
    return False


def main(arguments: Sequence[str]) -> int:
    """Run the scenarios that are named, or all; returns how many ended badly."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # ended from outside, it stops what it started, as after an error of its own
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = scenarios()
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        sys.stderr.write(f"{len(unknown)} unknown (first: {unknown[0]}); of {', '.join(known)}\n")
        return 2
    chosen = {name: known[name] for name in arguments or known}
    lines, n_bad = [], 0
    with tempfile.TemporaryDirectory(prefix="vidrec-alone-") as name:
        world = _make_world(Path(name))
        for scenario, faults in chosen.items():
            ended = _in_a_cluster(world, faults)
            n_bad += not ended.is_whole or any(fault.struck is None for fault in faults)
            lines += [_line(fault, ended) for fault in faults]
            log.info(
                "%s: %s in %.0f s; readers looked %d times before the switch %s",
                scenario, ended.state, ended.seconds, ended.n_looks, ended.failures,
            )  # fmt: skip
            for difference in [*ended.differ, *ended.seen]:
                log.info("%s", difference)
    sys.stdout.write("\n".join([_HEAD, *lines]) + "\n")
    return n_bad


def _make_world(folder: Path) -> World:
    """Two nights in a process each, neither of which takes anything from the other."""
    world = World(folder / "before", folder / "alone", render_world(ROOT, folder / "before"))
    copy_inputs(world.before, world.alone)
    for store, night in zip((world.before, world.alone), world.nights, strict=True):
        run_vidrec(ROOT, store, "night", "--night", night)
    return world


_HEAD: Final = f"{'fault':<28} {'during':<18} {'hit':<24} {'night':<8} tables"


def _line(fault: Fault, ended: Ended) -> str:
    tables = "as if nothing had happened" if ended.is_whole else "; ".join(
        [*ended.failures[:3], *[said.splitlines()[0] for said in [*ended.differ, *ended.seen]]]
    )  # fmt: skip
    hit = fault.struck or "never struck"
    return f"{fault.name:<28} {fault.during:<18} {hit:<24} {ended.state:<8} {tables}"


def _in_a_cluster(world: World, faults: Sequence[Fault]) -> Ended:
    cluster = Cluster(ROOT, SMALL)
    try:
        copy_inputs(world.alone, cluster.store)
        cluster.start()
        run_vidrec(
            ROOT, world.before, "publish_lists", "--night", world.nights[0], "--force",
            results_url=cluster.results_url,
        )  # fmt: skip
        return run_night(cluster, world, faults)
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
