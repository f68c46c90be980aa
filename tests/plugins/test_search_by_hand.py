"""The one button that triggers something: whose it is, what it needs, and what it shows."""

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
from starlette.testclient import TestClient

from tests.plugins.conftest import Open
from vidrec_tasks.settings import Settings

pytestmark = pytest.mark.airflow

TRIGGER = "vidrec_ui.airflow_side.trigger_search"


@pytest.fixture
def trigger() -> Iterator[MagicMock]:
    with patch(TRIGGER, autospec=True, return_value="manual__1") as found:
        yield found


@pytest.fixture
def user(open_page: Open, settings: Settings) -> TestClient:
    """Somebody who may trigger."""
    return open_page("USER", settings)


def word_of(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([^"]*)"', client.get("/search?q=birds").text)
    return found[1] if found else ""


def test_who_may_trigger_gets_the_button_and_is_led_to_the_answer(
    user: TestClient, trigger: MagicMock
) -> None:
    there = user.post("/search", data={"q": " birds ", "csrf": word_of(user)})
    assert there.status_code == 303
    assert there.headers["location"] == "/vidrec/search?q=birds&request_id=manual__1"
    assert trigger.call_args.args[0] == "birds"
    assert trigger.call_args.args[1].get_name() == "user"


def test_a_viewer_gets_no_button(viewer: TestClient, trigger: MagicMock) -> None:
    page = viewer.get("/search?q=birds").text
    assert "Search now" not in page
    assert "Whoever may trigger" in page
    assert viewer.post("/search", data={"q": "birds", "csrf": "x"}).status_code == 403
    trigger.assert_not_called()


@pytest.mark.parametrize("word", ["", "1.", "x", "9999999999.0", "-1.a", "१.a", "1.é"])
def test_a_form_of_another_site_triggers_nothing(
    user: TestClient, trigger: MagicMock, word: str
) -> None:
    assert user.post("/search", data={"q": "birds", "csrf": word}).status_code == 403
    trigger.assert_not_called()


def test_the_word_is_one_users_and_grows_old(
    user: TestClient, open_page: Open, settings: Settings, trigger: MagicMock
) -> None:
    word = word_of(user)
    other = open_page("ADMIN", settings)
    assert other.post("/search", data={"q": "birds", "csrf": word}).status_code == 403
    hour, _, signature = word.partition(".")
    moved = f"{int(hour) - 1}.{signature}"
    assert user.post("/search", data={"q": "birds", "csrf": moved}).status_code == 403
    with patch("vidrec_ui.airflow_side.time.time", return_value=(int(hour) + 13) * 3600.0):
        assert user.post("/search", data={"q": "birds", "csrf": word}).status_code == 403
    trigger.assert_not_called()


@pytest.mark.parametrize("query", ["", "   ", "x" * 201])
def test_an_empty_or_endless_query_is_refused(
    user: TestClient, trigger: MagicMock, query: str
) -> None:
    answered = user.post("/search", data={"q": query, "csrf": word_of(user)})
    assert answered.status_code == 422
    trigger.assert_not_called()


def test_a_dag_that_is_not_loaded_is_named(user: TestClient) -> None:
    answered = user.post("/search", data={"q": "birds", "csrf": word_of(user)})
    assert answered.status_code == 409
    assert "vidrec_search is not loaded" in answered.text


def test_a_search_under_way_is_waited_for(user: TestClient) -> None:
    page = user.get("/search?q=birds&request_id=manual__asked").text
    assert "data-waiting" in page
    assert "/vidrec/static/waiting.js" in page
    assert "Look again" in page


@pytest.mark.parametrize(
    ("state", "said"), [("success", "Nothing was found"), ("failed", "ended as failed")]
)
def test_a_search_that_ended_without_an_answer_says_so(
    user: TestClient, state: str, said: str
) -> None:
    from vidrec_ui.airflow_side import Request

    ended: Any = Request("manual__x", state, is_paused=False)
    with patch("vidrec_ui.airflow_side.request_of", autospec=True, return_value=ended):
        page = user.get("/search?q=birds&request_id=manual__x").text
    assert said in page
    assert "data-waiting" not in page


def test_an_answer_by_hand_is_shown_with_its_request(viewer: TestClient) -> None:
    for address in ("/search?q=dogs", "/search?q=dogs&request_id=manual__2026-09-02"):
        page = viewer.get(address).text
        assert "manual__2026-09-02" in page
        assert "1:01" in page
