"""Faults on a running cluster, each struck in the middle of a night, whose tables are compared.

``make faults`` prints the matrix. A night ends with the tables of an undisturbed one, or fails in
words while readers keep the night before; anything else is a defect, and the exit code says so.
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

log = logging.getLogger("faults")

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST_NIGHT_S: Final = 3_000.0
OUTAGE_S: Final = 15.0
INTO_THE_TASK_S: Final = 1.0
HEAVY: Final = (
    "extract_keyframes", "embed_videos", "write_portraits", "train_models", "find_candidates",
    "explain_lists", "publish_lists",
)  # fmt: skip

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
        "kill -9": [Fault("kill -9 the worker", job, kill_worker) for job in HEAVY],
        "services": [
            Fault(f"stop and start {name}", job, stop_and_start(name))
            for name, job in services.items()
        ],
        "scratch": [Fault("scratch disk full", "embed_videos", fill_scratch)],
    }


@dataclass(frozen=True)
class Ended:
    """How a night with faults ended."""

    state: str
    seconds: float
    differ: list[str]
    failures: list[str]

    @property
    def is_whole(self) -> bool:
        """Whether it is as if nothing had happened."""
        return self.state == "success" and not self.differ


def run_night(
    cluster: Cluster, night: str, faults: Sequence[Fault], expected: dict[str, pd.DataFrame]
) -> Ended:
    """Run a night, strike every fault once, and compare the tables."""
    airflow = Airflow(cluster)
    begin = time.monotonic()
    run_id = airflow.trigger(night)
    while (state := airflow.state(run_id)) not in ENDED:
        assert time.monotonic() - begin < LONGEST_NIGHT_S, f"{run_id} is still {state}"
        cluster.revive()
        _strike(cluster, airflow.tasks(run_id), faults)
        time.sleep(0.5)
    tasks = airflow.tasks(run_id)
    failures = [
        f"{task['task_id']} {task['state']}" for task in tasks if task["state"] != "success"
    ]
    differ = differing(expected, tables_of(cluster.results_url)) if state == "success" else []
    return Ended(state, time.monotonic() - begin, differ, failures)


def _strike(cluster: Cluster, tasks: Sequence[Task], faults: Sequence[Fault]) -> None:
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
            return  # what else runs is another task list by now


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
        world = Path(name)
        night = render_world(ROOT, world)[0]
        run_vidrec(ROOT, world, "night", "--night", night)
        expected = tables_of(f"sqlite:///{world}/results.sqlite")
        for scenario, faults in chosen.items():
            ended = _in_a_cluster(world, night, faults, expected)
            n_bad += not ended.is_whole or any(fault.struck is None for fault in faults)
            lines += [_line(fault, ended) for fault in faults]
            log.info("%s: %s in %.0f s %s", scenario, ended.state, ended.seconds, ended.failures)
            for difference in ended.differ:
                log.info("%s", difference)
    sys.stdout.write("\n".join([_HEAD, *lines]) + "\n")
    return n_bad


_HEAD: Final = f"{'fault':<28} {'during':<18} {'hit':<24} {'night':<8} tables"


def _line(fault: Fault, ended: Ended) -> str:
    tables = "as if nothing had happened" if ended.is_whole else "; ".join(
        [*ended.failures[:3], *[said.splitlines()[0] for said in ended.differ]]
    )  # fmt: skip
    hit = fault.struck or "never struck"
    return f"{fault.name:<28} {fault.during:<18} {hit:<24} {ended.state:<8} {tables}"


def _in_a_cluster(
    world: Path, night: str, faults: Sequence[Fault], expected: dict[str, pd.DataFrame]
) -> Ended:
    cluster = Cluster(ROOT, SMALL)
    try:
        copy_inputs(world, cluster.store)
        cluster.start()
        return run_night(cluster, night, faults, expected)
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
