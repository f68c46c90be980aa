"""A tiny demo world and one night over it in a real Airflow, shared by the tests of this folder."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

WORLD = ["--videos", "12", "--users", "12", "--nights", "6", "--seed", "7"]


@dataclass(frozen=True)
class House:
    """A checkout with a store and an Airflow of its own.

    Attributes:
        root: the checkout.
        store: the store's folder.
        environment: what every process is started with.
    """

    root: Path
    store: Path
    environment: dict[str, str]

    @property
    def airflow_home(self) -> Path:
        """Where this Airflow keeps its database and passwords."""
        return Path(self.environment["AIRFLOW_HOME"])

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run this interpreter and wait for its end."""
        return self._run([sys.executable, *arguments])

    def vidrec(self, *arguments: str) -> str:
        """Run one command of vidrec that must succeed; returns what it printed."""
        done = self.python("-m", "vidrec_tasks", *arguments)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def bash(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in the environment that ``make up`` and ``make demo`` have."""
        return self._run(["bash", "-c", f"set -eu; source scripts/airflow_env.sh; {script}"])

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True,
            check=False, timeout=900,
        )  # fmt: skip


@pytest.fixture(scope="session")
def house(root: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The demo world, small enough for a test: short training, few sentences, two user shards."""
    store = tmp_path_factory.mktemp("store")
    environment = {
        **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__API__PORT": str(_free_port()),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        # The form unpauses the night; only what a test asks for shall run.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "OMP_NUM_THREADS": "1",
        "VIDREC_STORE_URL": str(store),
        "VIDREC_INPUTS__USERS_PER_SHARD": "6",
        "VIDREC_INSIGHTS__K_ANONYMITY": "2",
        "VIDREC_LANGUAGE__MAX_SENTENCES": "2",
        "VIDREC_RECOMMENDING__MAX_EPOCHS": "4",
        "VIDREC_EVALUATION__N_BOOTSTRAP": "50",
    }
    house = House(root, store, environment)
    house.vidrec("demo", "--into", str(store), *WORLD)
    return house


@pytest.fixture(scope="session")
def night(house: House) -> date:
    """The first of two nights, run by Airflow's ``dag.test()``; returns which."""
    night = house.vidrec("demo_nights", "--into", str(house.store)).split()[0]
    conf = json.dumps({"night": night})
    done = house.bash(f"airflow_ready; airflow dags test vidrec_nightly {night} --conf '{conf}'")
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return date.fromisoformat(night)


@pytest.fixture(scope="module")
def airflow_url(house: House, night: date) -> Iterator[str]:
    """A whole Airflow over the same store, started and stopped as ``make up`` and ``down`` do."""
    up = house.bash("scripts/up.sh")
    try:
        assert up.returncode == 0, (up.stdout + up.stderr)[-4000:]
        yield f"http://localhost:{house.environment['AIRFLOW__API__PORT']}"
    finally:
        down = house.bash("scripts/down.sh")
    assert down.stdout.strip() == "down"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
