"""The stack of docker-compose.yaml in an engine, from a clean copy of the tracked files."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.containers.engine import ROOT, Engine, EngineError, run
from tests.containers.web import Web

PROJECT: Final = "vidrec-test"
SETTINGS: Final = """VIDREC_INPUTS__USERS_PER_SHARD=6
VIDREC_INPUTS__VIDEOS_PER_SHARD=6
VIDREC_INSIGHTS__K_ANONYMITY=2
VIDREC_LANGUAGE__MAX_SENTENCES=2
VIDREC_RECOMMENDING__MAX_EPOCHS=4
VIDREC_EVALUATION__N_BOOTSTRAP=50
"""
"""settings.env: several shards of users and of videos, short training, few sentences."""


class Stack:
    """A copy of the project with a .env of its own.

    Args:
        engine: where it runs.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = Path(tempfile.mkdtemp(prefix="vidrec-compose-"))
        self._copy()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        given = {**os.environ, **engine.images, "API_PORT": str(self.port),
                 "ENCODING_QUEUE": "gpu", "WORKER_2_QUEUES": "default"}  # fmt: skip
        run(["scripts/make_env.sh"], cwd=self.folder, env=given)
        (self.folder / "settings.env").write_text(SETTINGS)
        self.profiles = ["gpu"]

    def _copy(self) -> None:
        """The tracked files as they are now: what a clone has."""
        names = run(["git", "ls-files", "-z", "--cached"], cwd=ROOT).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)

    @property
    def values(self) -> dict[str, str]:
        """What .env says."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and line[0] != "#")

    def set(self, **values: str) -> None:
        """Write other values into .env."""
        path = self.folder / ".env"
        lines = [line for line in path.read_text().splitlines()
                 if line.split("=", 1)[0] not in values]  # fmt: skip
        path.write_text("\n".join([*lines, *(f"{k}={v}" for k, v in values.items())]) + "\n")

    @property
    def options(self) -> list[str]:
        """What docker compose is given before its command."""
        files = ["docker-compose.yaml", "tests/containers/small.yaml"]
        return ["--project-name", PROJECT, *(word for file in files for word in ("--file", file)),
                *(word for name in self.profiles for word in ("--profile", name))]  # fmt: skip

    def compose(self, *words: str, **options: Any) -> str:
        """A command of Compose, which must succeed; returns what it wrote."""
        command = ["docker", "compose", *self.options, *words]
        options = {"cwd": self.folder, "env": self.environment, **options}
        return run(command, **options).stdout

    @property
    def environment(self) -> dict[str, str]:
        """The environment of Compose: nothing in it may stand above .env."""
        named = set(self.values)
        return {name: v for name, v in self.engine.environment.items() if name not in named}

    def tools(self, *words: str, more: tuple[str, ...] = (), **options: Any) -> str:
        """A command in a container of the image, which must succeed; returns what it wrote."""
        return self.compose("run", "--rm", "--no-deps", "-T", *more, "tools", *words, **options)

    def fails(self, *words: str) -> str:
        """A command in a container of the image that must fail with 1; returns what it wrote."""
        command = ["docker", "compose", *self.options, "run", "--rm", "--no-deps", "-T", "tools",
                   *words]  # fmt: skip
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True,
                              text=True, check=False)  # fmt: skip
        if done.returncode != 1:
            message = (
                f"{words}: ended with {done.returncode} where 1 was due: {done.stderr[-2000:]}"
            )
            raise EngineError(message)
        return done.stdout + done.stderr

    def up(self, *words: str) -> None:
        """Everything up, and healthy by its own checks."""
        self.compose("up", "--detach", "--wait", *words)

    def containers(self) -> list[dict[str, Any]]:
        """Every container of the stack."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return f"{PROJECT}-{service}-1"

    def inspect(self, service: str, form: str) -> str:
        """Something the engine knows of a service's container."""
        asked = self.engine.docker("inspect", "--format", form, self.container(service))
        return asked.stdout.strip()

    def select(self, database: str, query: str) -> str:
        """An answer of the database server's owner."""
        psql = ["psql", "--username", "postgres", "--dbname", database, "--tuples-only",
                "--no-align", "--command", query]  # fmt: skip
        return self.compose("exec", "-T", "postgres", *psql).strip()

    def web(self) -> Web:
        """Airflow, asked by its first login."""
        values = self.values
        url = f"http://127.0.0.1:{self.port}"
        return Web(url, values["ADMIN_USER"], values["ADMIN_PASSWORD"])

    def remove(self) -> None:
        """Containers, volumes and the copy."""
        self.profiles = ["gpu", "s3", "tools"]
        self.compose("down", "--volumes", "--timeout", "20", "--remove-orphans")
        shutil.rmtree(self.folder)


def wait_for(what: str, ready: Callable[[], Any], timeout_s: float, pause_s: float = 1.0) -> Any:
    """Wait for something; returns it.

    Raises:
        TimeoutError: it does not come.
    """
    deadline = time.monotonic() + timeout_s
    while not (found := ready()):
        if time.monotonic() > deadline:
            message = f"{what}: not within {timeout_s:.0f} s"
            raise TimeoutError(message)
        time.sleep(pause_s)
    return found
