"""Speaks to Airflow in a container: the API with a token, the page as a browser that logs in."""

import json
import re
import time
from http.cookiejar import CookieJar
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

DAG: Final = "vidrec_nightly"
PATIENCE_S: Final = 120.0


class Web:
    """An Airflow at an address, and who asks.

    Args:
        url: of the server.
        user: a login of FAB.
        password: of it.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self.user = user
        self.password = password
        self._token = ""

    def trigger(self, night: str) -> str:
        """Start a night; returns the id of its run."""
        body = {"logical_date": None, "conf": {"night": night}}
        return str(self.ask("POST", f"/api/v2/dags/{DAG}/dagRuns", body)["dag_run_id"])

    def state(self, run_id: str) -> str:
        """The state of a run."""
        return str(self.ask("GET", f"/api/v2/dags/{DAG}/dagRuns/{run_id}")["state"])

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.ask("GET", path)["task_instances"]
        return found

    def log(self, run_id: str, task: dict[str, Any]) -> str:
        """The log of a task, fetched from the worker that wrote it."""
        path = f"/api/v2/dags/{DAG}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/1"
        return json.dumps(self.ask("GET", f"{path}?map_index={task['map_index']}"))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the API; a server that is starting is asked again for a while."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if not self._token:
                    who = {"username": self.user, "password": self.password}
                    self._token = self._send("POST", "/auth/token", who)["access_token"]
                return self._send(method, path, body)
            except HTTPError as error:
                if error.code not in (401, 404, 500, 502, 503) or time.monotonic() > deadline:
                    raise
                self._token = ""
            except (URLError, ConnectionError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(1.0)

    def _send(self, method: str, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}{path}", data, headers, method=method), timeout=60) as got:
            return json.loads(got.read())

    def page_after_login(self, path: str) -> str:
        """A page as a browser gets it that filled in FAB's form."""
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        with browser.open(f"{self.url}/auth/login/", timeout=60) as got:
            form = got.read().decode()
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        fields = {"username": self.user, "password": self.password,
                  "csrf_token": found[1] if found else ""}  # fmt: skip
        with browser.open(f"{self.url}/auth/login/", urlencode(fields).encode(), timeout=60):
            pass
        with browser.open(f"{self.url}{path}", timeout=60) as got:
            return str(got.read().decode())

    def status_without_login(self, path: str) -> int:
        """What somebody gets who is not logged in."""
        try:
            with urlopen(f"{self.url}{path}", timeout=60) as got:
                return int(got.status) if got.url.startswith(f"{self.url}{path}") else 302
        except HTTPError as error:
            return error.code
