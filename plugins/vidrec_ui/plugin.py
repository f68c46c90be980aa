"""Registers the vidrec page with Airflow; thin, because every task process imports it too."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class VidrecPlugin(AirflowPlugin):
    """The vidrec page, in the navigation and on a run's page."""

    name = "vidrec"
    external_views: list[Any] = [  # noqa: RUF012 - Airflow reads it from the class
        {
            "name": "vidrec",
            "href": "/vidrec/",
            "url_route": "vidrec",
            "destination": "nav",
            "category": "browse",
        },
        {
            "name": "vidrec",
            "href": "/vidrec/dag_run?dag_id={DAG_ID}&dag_run_id={RUN_ID}",
            "url_route": "vidrec_run",
            "destination": "dag_run",
        },
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The app, imported only by the API server, which is the one to ask for it."""
        from vidrec_ui.api import make_app

        return [{"app": make_app(), "url_prefix": "/vidrec", "name": "vidrec"}]
