"""The small published world and Airflow's own login, for the tests of the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.plugins.worlds import airflow_auth, published_world
from vidrec_tasks.settings import Settings

Open = Callable[..., TestClient]


@pytest.fixture(autouse=True)
def _plugins_on_the_path(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(root / "plugins")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a store with two published nights and one that stopped."""
    return published_world(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def empty_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a store in which nothing has happened."""
    return Settings(store_url=str(tmp_path_factory.mktemp("empty")))


@pytest.fixture(scope="session")
def auth() -> Iterator[Any]:
    """Airflow's own auth manager."""
    with airflow_auth() as manager:
        yield manager


@pytest.fixture
def open_page(auth: Any) -> Open:
    """A client of the app, mounted as Airflow mounts it, as nobody or with a role."""
    from vidrec_ui.api import make_app
    from vidrec_ui.sources import Sources

    from scripts.access import client_of

    def open_as(role: str | None, settings: Settings | None) -> TestClient:
        return client_of(make_app(Sources(settings)), auth, role)

    return open_as


@pytest.fixture
def viewer(open_page: Open, settings: Settings) -> TestClient:
    """Somebody who may only look, before the published world."""
    return open_page("VIEWER", settings)
