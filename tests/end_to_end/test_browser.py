"""A real Chromium logs in to a real Airflow and looks at the vidrec page."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.conftest import House
from vidrec_tasks.publishing.reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

FLAGS = [
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-default-apps",
]  # fmt: skip
PATIENCE_MS = 60_000  # a busy machine; nothing here asserts how long it takes


@pytest.fixture(scope="module")
def page(airflow_url: str, house: House) -> Iterator["Page"]:
    """A page of a browser that has logged in by Airflow's own form."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        log_in(page, airflow_url, house)
        yield page
        browser.close()


def log_in(page: "Page", url: str, house: House) -> None:
    """From the vidrec page, which refuses, to the login and back."""
    passwords = house.airflow_home / "simple_auth_manager_passwords.json.generated"
    refused = page.goto(f"{url}/vidrec/")
    assert refused is not None
    assert refused.status == 401
    page.get_by_role("link", name="Log in to Airflow").click()
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(json.loads(passwords.read_text())["admin"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/vidrec/")


def wait_for_pictures(page: Any) -> None:
    page.wait_for_function(
        "() => { const found = [...document.querySelectorAll('img')];"
        " return found.length > 0 && found.some(i => i.complete && i.naturalWidth > 0) }"
    )


def test_the_overview_shows_the_night(page: "Page", airflow_url: str, night: date) -> None:
    page.goto(f"{airflow_url}/vidrec/")
    row = page.get_by_role("row").filter(has_text=night.isoformat()).first
    assert "published" in row.inner_text()
    assert "current" in row.inner_text()


def test_a_users_list_has_reasons_and_a_loaded_thumbnail(
    page: "Page", airflow_url: str, house: House
) -> None:
    reader = Reader(f"sqlite:///{house.store}/results.sqlite")
    (user_id,) = reader.sample_users(1)
    rows = reader.recommendations(user_id)
    reader.close()
    page.goto(f"{airflow_url}/vidrec/")
    page.get_by_role("link", name=user_id, exact=True).click()
    cards = page.locator(".card")
    assert cards.count() == len(rows)
    assert rows[0]["explanation"] in cards.first.inner_text()
    wait_for_pictures(page)


def test_a_recommendation_leads_to_its_video(page: "Page", airflow_url: str) -> None:
    page.locator(".card:has(img) .title a").first.click()
    assert page.get_by_role("heading", name="Keyframes").is_visible()
    wait_for_pictures(page)


def test_the_page_opens_inside_airflow_in_its_theme(page: "Page", airflow_url: str) -> None:
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{airflow_url}/plugin/vidrec")
    inside = page.frame_locator("iframe")
    assert inside.get_by_role("heading", name="Nights").inner_text() == "Nights"
    assert inside.locator("html").get_attribute("data-theme") == "dark"


def test_the_page_asks_nobody_else(page: "Page", airflow_url: str, night: date) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    page.goto(f"{airflow_url}/vidrec/")
    page.get_by_role("link", name="report").first.click()
    assert night.isoformat() in page.get_by_role("heading", level=1).inner_text()
    assert set(asked) - {""} == {urlsplit(airflow_url).netloc}
