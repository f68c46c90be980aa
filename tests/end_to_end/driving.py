"""Drives Airflow's own UI: log in, fill a DAG's form, trigger it, and watch the run to its end."""

import json
import time
from pathlib import Path
from typing import Any

LONGEST_RUN_S = 1800.0
SLOWEST_ANSWER_MS = 180_000
ENDED = ("success", "failed")


def log_in(page: Any, url: str, airflow_home: Path) -> None:
    """From the vidrec page, which refuses, to the login and back."""
    passwords = airflow_home / "simple_auth_manager_passwords.json.generated"
    refused = page.goto(f"{url}/vidrec/")
    assert refused is not None
    assert refused.status == 401
    page.get_by_role("link", name="Log in to Airflow").click()
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(json.loads(passwords.read_text())["admin"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/vidrec/")


def open_form(page: Any, url: str, dag_id: str) -> Any:
    """The form that triggers a DAG; returns its dialog."""
    page.goto(f"{url}/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Run Parameters").wait_for()
    return dialog


def trigger(page: Any, url: str, dag_id: str, fields: dict[str, str]) -> str:
    """Fill a DAG's form and trigger it; returns the new run's id.

    The form sends the run and the unpausing of its DAG one after the other, so its page is not
    left before both have arrived: a run of a paused DAG stays queued for ever.
    """
    before = set(runs_of(page, url, dag_id))
    dialog = open_form(page, url, dag_id)
    for name, value in fields.items():
        dialog.locator(f"[name=element_{name}]").fill(value)
        dialog.locator(f"[name=element_{name}]").blur()
    dialog.get_by_role("button", name="Trigger").click()
    deadline = time.monotonic() + SLOWEST_ANSWER_MS / 1000
    new: set[str] = set()
    while time.monotonic() < deadline:
        new = set(runs_of(page, url, dag_id)) - before
        if new and not is_paused(page, url, dag_id):
            return new.pop()
        page.wait_for_timeout(500)
    message = f"{dag_id} was not {'unpaused' if new else 'triggered'} by its form"
    raise AssertionError(message)


def watch(page: Any, url: str, dag_id: str, run_id: str) -> str:
    """Look at a run's page when it begins and when it has ended; returns its state.

    Meanwhile the browser waits on an empty page: drawing a running night took half of a core.
    """
    there = f"{url}/dags/{dag_id}/runs/{run_id}"
    page.goto(there)
    page.goto("about:blank")
    deadline = time.monotonic() + LONGEST_RUN_S
    state = "queued"
    while state not in ENDED and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
        state = runs_of(page, url, dag_id)[run_id]
    page.goto(there)
    return state


def runs_of(page: Any, url: str, dag_id: str) -> dict[str, str]:
    """The runs of a DAG and their states, as Airflow's API tells whoever is logged in."""
    told = _told(page, f"{url}/api/v2/dags/{dag_id}/dagRuns")
    return {run["dag_run_id"]: run["state"] for run in told["dag_runs"]}


def is_paused(page: Any, url: str, dag_id: str) -> bool:
    """Whether a DAG is paused: its runs then wait until somebody unpauses it."""
    return bool(_told(page, f"{url}/api/v2/dags/{dag_id}")["is_paused"])


def _told(page: Any, there: str) -> dict[str, Any]:
    # A busy machine answers late: the same as for whoever looks at a page.
    answered = page.request.get(there, timeout=SLOWEST_ANSWER_MS)
    assert answered.ok, answered.status
    told: dict[str, Any] = answered.json()
    return told
