"""What is asked of Airflow itself: whose login it is, which night a run is, and a search by hand.

The only module of the page that changes anything, and the only change is one run of `SEARCH_DAG`.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

SEARCH_DAG: Final = "vidrec_search"
NIGHT_DAGS: Final = ("vidrec_nightly", "vidrec_rebuild")
N_RESULTS: Final = 10
"""Videos per query that the page asks for, as the form of vidrec_search does if left alone; the
setting `searching.n_results` is for the queries of the night."""

TOKEN_HOURS: Final = 12


@dataclass(frozen=True)
class Request:
    """A search by hand: the state of its DAG run, and whether its DAG is paused."""

    request_id: str
    state: str
    is_paused: bool

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.state in ("queued", "running")


def may_search(user: Any) -> bool:
    """Whether a user may trigger the search."""
    return bool(
        get_auth_manager().is_authorized_dag(
            method="POST",
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=SEARCH_DAG),
            user=user,
        )
    )


def trigger_search(query: str, user: Any) -> str:
    """Trigger the search for one query; returns the DAG run's id, which is the request's.

    Raises:
        LookupError: the DAG is not there; the message says what to do.
        ValueError: the form of the DAG refuses the query.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound
    from airflow.utils.types import DagRunTriggeredByType

    try:
        run = trigger_dag(
            SEARCH_DAG,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=user.get_name(),
            conf={"queries": [query], "n_results": N_RESULTS},
        )
    except DagNotFound as error:
        message = f"{SEARCH_DAG} is not loaded; look at the DAG processor's log and import errors"
        raise LookupError(message) from error
    return str(run.run_id) if run is not None else ""


def request_of(request_id: str) -> Request | None:
    """How far a search by hand is; None when there is no such run."""
    from airflow.models import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        chosen = select(DagRun.state).where(
            DagRun.dag_id == SEARCH_DAG, DagRun.run_id == request_id
        )
        state = session.scalar(chosen)
        paused = session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == SEARCH_DAG))
        return None if state is None else Request(request_id, str(state), bool(paused))


def night_of(dag_id: str, dag_run_id: str) -> date | None:
    """The night of a DAG run, as the DAGs choose it; None when it is no run of a night."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    if dag_id not in NIGHT_DAGS:
        return None
    with create_session() as session:
        chosen = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == dag_run_id)
        run = session.scalar(chosen)
        if run is None:
            return None
        asked = (run.conf or {}).get("night")
        moment = run.data_interval_end or run.run_after
        return date.fromisoformat(asked) if asked else moment.astimezone(UTC).date()


def csrf_token(user: Any) -> str:
    """A word that only this page can put into its form, for one user and some hours.

    It is an HMAC of the user and the hour under Airflow's secret key, so every API server knows it
    and nothing is kept.
    """
    hour = int(time.time() // 3600)
    return f"{hour}.{_sign(user, hour)}"


def is_csrf_token(token: str, user: Any) -> bool:
    """Whether a form's word is this user's and not too old."""
    hour, _, signature = token.partition(".")
    now = int(time.time() // 3600)
    if not hour.isascii() or not hour.isdigit() or not 0 <= now - int(hour) <= TOKEN_HOURS:
        return False
    return hmac.compare_digest(signature.encode(), _sign(user, int(hour)).encode())


def _sign(user: Any, hour: int) -> str:
    from airflow.configuration import conf

    key = hashlib.sha256(b"vidrec csrf " + conf.get_mandatory_value("api", "secret_key").encode())
    return hmac.new(key.digest(), f"{user.get_id()} {hour}".encode(), hashlib.sha256).hexdigest()
