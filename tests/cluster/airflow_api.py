"""Speaks to the cluster's Airflow over its REST API, logged in through FAB like a person."""

import json
import time
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.cluster.cluster import Cluster

ENDED: Final = ("success", "failed")
DAG: Final = "vidrec_nightly"
PATIENCE_S: Final = 120.0


class Airflow:
    """An Airflow and who is logged in there."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._token = ""

    def trigger(self, night: str, **conf: Any) -> str:
        """Trigger the night; returns the run's id."""
        body = {"logical_date": None, "conf": {"night": night, **conf}}
        answer = self.ask("POST", f"/api/v2/dags/{DAG}/dagRuns", body)
        return str(answer["dag_run_id"])

    def state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self.ask("GET", f"/api/v2/dags/{DAG}/dagRuns/{run_id}")["state"])

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The run's task instances."""
        path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.ask("GET", path)["task_instances"]
        return found

    def wait(self, run_id: str, timeout_s: float) -> str:
        """Wait for a run's end; returns its state.

        Raises:
            TimeoutError: it did not end.
        """
        deadline = time.monotonic() + timeout_s
        while (state := self.state(run_id)) not in ENDED:
            if time.monotonic() > deadline:
                message = f"{run_id} is still {state} after {timeout_s:.0f} s"
                raise TimeoutError(message)
            time.sleep(1.0)
        return state

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; a server that is down or starting is asked again for a while.

        Raises:
            URLError: it was down for longer.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._ask(method, path, body)
            except HTTPError as error:
                if error.code not in (401, 500, 502, 503) or time.monotonic() > deadline:
                    raise
                self._token = ""
            except (URLError, ConnectionError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(1.0)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        if not self._token:
            who = {"username": self.cluster.secret["ADMIN_USER"],
                   "password": self.cluster.secret["ADMIN_PASSWORD"]}  # fmt: skip
            self._token = self._send("POST", "/auth/token", who)["access_token"]
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.cluster.url}{path}", data, headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())
