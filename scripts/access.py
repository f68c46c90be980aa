"""The table of access rights: every route of the vidrec page, requested with every kind of login.

``python -m scripts.access`` prints it and writes docs/ACCESS.md. The routes come from the app's own
route table and the statuses from asking them, so a new route cannot be forgotten: without an
example here it stops, and a test compares the page with what is committed.
"""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ACCESS.md"

ROLES: Mapping[str, str | None] = {
    "anonymous": None, "viewer": "VIEWER", "user": "USER", "admin": "ADMIN",
}  # fmt: skip
"""Who asks -> the role of Airflow's own auth manager."""

RUN = "2026-09-02-bbbbbbbb"
EXAMPLES: Mapping[tuple[str, str], str] = {
    ("GET", "/"): "/",
    ("GET", "/run/{run_id}"): f"/run/{RUN}",
    ("GET", "/rejects/{run_id}"): f"/rejects/{RUN}",
    ("GET", "/compare"): "/compare",
    ("GET", "/dag_run"): "/dag_run?dag_id=vidrec_nightly&dag_run_id=by_hand",
    ("GET", "/users"): "/users",
    ("GET", "/user"): "/user?user_id=u1&why=v6",
    ("GET", "/creators"): "/creators",
    ("GET", "/creator"): "/creator?creator_id=c1",
    ("GET", "/video"): "/video?video_id=v1",
    ("GET", "/thumbnail"): "/thumbnail?path=way/sum/0.jpg",
    ("GET", "/search"): "/search?q=cats",
    ("POST", "/search"): "/search",
    ("GET", "/report/{run_id}"): f"/report/{RUN}",
    ("GET", "/static/{name}"): "/static/vidrec.css",
}
"""Method and path as the app has them -> an address that there is something at."""


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Every (method, path) of an app, in its order.

    Raises:
        TypeError: something is mounted, which would skip the login.
    """
    found = []
    for route in app.routes:
        if not isinstance(route, APIRoute):
            message = f"{route!r} is not a route: it would bypass the login"
            raise TypeError(message)
        found += [(method, route.path) for method in sorted(route.methods)]
    return found


def client_of(app: FastAPI, auth: Any, role: str | None) -> TestClient:
    """A client of the app, mounted as Airflow mounts it, with a role's login or with none."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    parent = FastAPI()
    parent.mount("/vidrec", app)
    client = TestClient(parent, base_url="http://localhost/vidrec", follow_redirects=False)
    if role is not None:
        user = SimpleAuthManagerUser(username=role.lower(), role=role)
        client.cookies.set("_token", auth.generate_jwt(user))
    return client


def ask(client: TestClient, method: str, path: str) -> int:
    """The status that a route answers with; a POST carries the CSRF token of the page's form."""
    address = EXAMPLES[method, path]
    if method == "GET":
        return client.get(address).status_code
    found = re.search(r'name="csrf" value="([^"]*)"', client.get("/search?q=birds").text)
    form = {"q": "birds", "csrf": found[1] if found else ""}
    return client.request(method, address, data=form).status_code


def statuses(app: FastAPI, auth: Any) -> dict[tuple[str, str], list[int]]:
    """(method, path) -> the status that each of `ROLES` gets; nothing is really triggered."""
    with patch("vidrec_ui.airflow_side.trigger_search", autospec=True, return_value="by_hand"):
        clients = [client_of(app, auth, role) for role in ROLES.values()]
        return {
            (method, path): [ask(client, method, path) for client in clients]
            for method, path in routes_of(app)
        }


def page_of(found: Mapping[tuple[str, str], list[int]]) -> str:
    """The table as the page of docs."""
    lines = [
        "# Access to the vidrec page",
        "<!-- Made by `python -m scripts.access`; change the code instead. -->",
        "",
        "Each route of the page (under `/vidrec`), requested with each kind of login of Airflow's",
        "own auth manager. 401: not logged in; 403: not permitted; 303: redirected. Reading",
        "changes nothing. The one route that triggers something requires the permission to",
        "trigger `vidrec_search` and the CSRF token of the page's own form (without it: 403 for",
        "everybody).",
        "",
        f"| route | {' | '.join(ROLES)} |",
        f"|---|{'---|' * len(ROLES)}",
    ]
    lines += [
        f"| `{method} {path}` | {' | '.join(str(status) for status in row)} |"
        for (method, path), row in found.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Ask every route, print the table and write it down."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIRFLOW_HOME"] = folder
        os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
        sys.path.insert(0, str(ROOT / "plugins"))
        logging.disable(logging.WARNING)
        from vidrec_ui.api import make_app
        from vidrec_ui.sources import Sources

        from tests.plugins.worlds import airflow_auth, published_world

        settings = published_world(Path(folder) / "store")
        with airflow_auth() as auth:
            page = page_of(statuses(make_app(Sources(settings)), auth))
    PAGE.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
