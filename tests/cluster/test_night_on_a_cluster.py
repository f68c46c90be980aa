"""The night over two Celery workers gives the tables of a night in one process, row for row."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.cluster.airflow_api import Airflow
from tests.cluster.cluster import Cluster
from tests.cluster.worlds import (
    SMALL,
    copy_inputs,
    differing,
    render_world,
    run_vidrec,
    tables_of,
)
from vidrec_tasks.night import JOBS, NIGHT
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.store import Store

pytestmark = pytest.mark.cluster

LONGEST_NIGHT_S = 1500.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, str]:
    store = tmp_path_factory.mktemp("alone")
    return store, render_world(root, store)[0]


@pytest.fixture(scope="module")
def alone(world: tuple[Path, str], root: Path) -> dict[str, pd.DataFrame]:
    """The tables of the night in one process."""
    store, night = world
    run_vidrec(root, store, "night", "--night", night)
    return tables_of(f"sqlite:///{store}/results.sqlite")


@pytest.fixture(scope="module")
def cluster(world: tuple[Path, str], alone: object, root: Path) -> Iterator[Cluster]:
    # worker-2 reads that queue too, as the file has it
    cluster = Cluster(root, SMALL, {"ENCODING_QUEUE": "gpu"})
    try:
        copy_inputs(world[0], cluster.store)
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def tasks(cluster: Cluster, world: tuple[Path, str]) -> list[dict[str, str]]:
    """The task instances of the night that the cluster ran to its end."""
    airflow = Airflow(cluster)
    run_id = airflow.trigger(world[1])
    state = airflow.wait(run_id, LONGEST_NIGHT_S)
    found = airflow.tasks(run_id)
    assert state == "success", [(t["task_id"], t["state"]) for t in found]
    return found


def test_every_service_is_healthy_by_its_own_check(cluster: Cluster) -> None:
    assert [name for name in cluster.processes if not cluster.is_healthy(name)] == []


OVERRIDE = ("may_be_overridden", "approve_rejected_run", "note_approval")
"""Tasks that ask a person about a rejected night: this one passes its gates."""


def test_both_workers_took_part(tasks: list[dict[str, str]], cluster: Cluster) -> None:
    for name in ("worker-1", "worker-2"):
        assert "succeeded in" in cluster.processes[name].log.read_text(), name
    left = {task["task_id"].split(".")[-1]: task["state"] for task in tasks}
    left = {name: state for name, state in left.items() if state != "success"}
    assert left == dict.fromkeys(OVERRIDE, "skipped")


def test_every_job_of_a_night_was_a_task(tasks: list[dict[str, str]]) -> None:
    assert set(NIGHT) <= {task["task_id"].split(".")[-1] for task in tasks}


def test_encoding_alone_went_to_the_queue_of_gpu_workers(tasks: list[dict[str, str]]) -> None:
    queues = {task["task_id"].split(".")[-1]: task["queue"] for task in tasks}
    encoding = {plan.name for plan in JOBS if plan.is_encoding}
    assert {name for name, queue in queues.items() if queue == "gpu"} == encoding
    assert set(queues.values()) == {"gpu", "default"}


def test_it_is_the_same_run(
    tasks: list[dict[str, str]], alone: object, cluster: Cluster, world: tuple[Path, str]
) -> None:
    ids = [Runs(Store(str(store))).ids() for store in (world[0], cluster.store)]
    assert ids[0] == ids[1]


def test_artefacts_are_the_same_bytes(
    tasks: list[dict[str, str]], alone: object, cluster: Cluster, world: tuple[Path, str]
) -> None:
    of_place = [
        {ref.name: ref.checksum for run in Runs(Store(str(store))) for ref in run.refs()}
        for store in (world[0], cluster.store)
    ]
    differ = sorted(name for name in of_place[0] if of_place[0][name] != of_place[1].get(name))
    # the report holds times of running, and the publication is made of what lies in its database
    assert set(differ) <= {"report"}


def test_tables_are_equal_row_for_row(
    tasks: list[dict[str, str]], alone: dict[str, pd.DataFrame], cluster: Cluster
) -> None:
    tables = tables_of(cluster.results_url)
    assert all(len(table) for table in tables.values())
    assert differing(alone, tables) == []
