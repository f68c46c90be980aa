"""Links from a task in the Airflow UI to the night it worked on, and to that night's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def page_address(dag_id: str, dag_run_id: str, to: str = "run") -> str:
    """Where the vidrec page shows the night of a DAG run; ``to`` is ``run`` or ``report``."""
    prefix = urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    asked = urlencode({"dag_id": dag_id, "dag_run_id": dag_run_id, "to": to})
    return f"{prefix}/vidrec/dag_run?{asked}"


class NightLink(BaseOperatorLink):
    """To the night: gates, metrics, seconds, rejects."""

    name = "vidrec: this night"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The page of the night that the task's run stands for."""
        return page_address(ti_key.dag_id, ti_key.run_id)


class ReportLink(BaseOperatorLink):
    """To the night's report."""

    name = "vidrec: its report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """The report of the night that the task's run stands for."""
        return page_address(ti_key.dag_id, ti_key.run_id, "report")


def linked(made: Any) -> Any:
    """Give a task both links; returns what it was given, for the arrows."""
    made.operator.operator_extra_links = (NightLink(), ReportLink())
    return made
