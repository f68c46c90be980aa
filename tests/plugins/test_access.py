"""Who gets what: every route of the app's own table, asked by every kind of login."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from scripts.access import EXAMPLES, PAGE, ROLES, page_of, routes_of, statuses
from tests.plugins.conftest import Open
from vidrec_tasks.settings import Settings

pytestmark = pytest.mark.airflow

READS = [path for method, path in EXAMPLES if method == "GET"]


@pytest.fixture
def app(settings: Settings) -> Any:
    from vidrec_ui.api import make_app
    from vidrec_ui.sources import Sources

    return make_app(Sources(settings))


def test_every_route_has_an_example_and_every_example_a_route(app: Any) -> None:
    assert sorted(routes_of(app)) == sorted(EXAMPLES)


def test_anonymous_gets_nothing_and_only_who_may_trigger_triggers(app: Any, auth: Any) -> None:
    found = statuses(app, auth)
    print(page_of(found))
    for (method, path), row in found.items():
        by_role = dict(zip(ROLES, row, strict=True))
        assert by_role["anonymous"] == 401, path
        if method == "GET":
            assert {by_role[role] for role in ("viewer", "user", "admin")} <= {200, 303}, path
        else:
            assert (by_role["viewer"], by_role["user"], by_role["admin"]) == (403, 303, 303)


def test_the_page_of_docs_says_what_is_so(app: Any, auth: Any) -> None:
    said = "docs/ACCESS.md is old: run `python -m scripts.access`"
    assert PAGE.read_text(encoding="utf-8") == page_of(statuses(app, auth)), said


def test_a_forged_token_is_refused(open_page: Open, settings: Settings) -> None:
    nobody = open_page(None, settings)
    nobody.cookies.set("_token", "not.a.token")
    assert {nobody.get(EXAMPLES["GET", path]).status_code for path in READS} == {403}


def test_nothing_but_the_search_can_be_written(open_page: Open, settings: Settings) -> None:
    client = open_page("ADMIN", settings)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in READS:
            if (method, path) not in EXAMPLES:
                answered = client.request(method, EXAMPLES["GET", path])
                assert answered.status_code == 405, (method, path)


def test_whoever_is_not_logged_in_finds_the_login(open_page: Open, settings: Settings) -> None:
    page = open_page(None, settings).get("/")
    assert "Log in first" in page.text
    assert 'href="/auth/login?next=' in page.text


def test_the_pages_describe_no_api(viewer: TestClient) -> None:
    assert {viewer.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}
