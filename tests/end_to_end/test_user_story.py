"""A real Chromium and a real Airflow: trigger the night by its form, read its lists, roll it back.

The tests tell one story, in order; each begins where the one before left off.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.chromium import NEEDS_CHROMIUM, PATIENCE_MS, chromium, wait_for_pictures
from tests.end_to_end.conftest import House
from tests.end_to_end.driving import log_in, open_form, runs_of, trigger, watch
from vidrec_tasks.publishing.reader import Reader

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.airflow, pytest.mark.browser, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def page(airflow_url: str, house: House) -> Iterator["Page"]:
    """A page of a browser that has logged in by Airflow's own form."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        log_in(page, airflow_url, house.airflow_home)
        yield page


@pytest.fixture(scope="module")
def next_night(house: House, night: date) -> date:
    """The night after the one that was run already."""
    nights = house.vidrec("demo_nights", "--into", str(house.store)).split()
    later = [date.fromisoformat(day) for day in nights if date.fromisoformat(day) > night]
    return later[0]


def current_run(house: House) -> str:
    reader = Reader(f"sqlite:///{house.store}/results.sqlite")
    run_id = reader.current_run_id()
    reader.close()
    assert run_id is not None
    return run_id


def listed_as_current(page: "Page", airflow_url: str) -> str:
    """The night that the vidrec page calls current."""
    page.goto(f"{airflow_url}/vidrec/")
    row = page.get_by_role("row").filter(has=page.locator(".state.current"))
    return row.get_by_role("rowheader").inner_text().split()[0]


def test_up_over_another_store_says_so(airflow_url: str, house: House) -> None:
    again = house.bash("VIDREC_STORE_URL=/elsewhere scripts/up.sh")
    assert again.returncode == 1
    assert f"Airflow is up over another store, {house.store}" in again.stderr


def test_a_wrong_value_is_refused_by_the_form(page: "Page", airflow_url: str) -> None:
    dialog = open_form(page, airflow_url, "vidrec_rollback")
    dialog.locator("[name=element_run_id]").fill("yesterday's")
    dialog.locator("[name=element_run_id]").blur()
    button = dialog.get_by_role("button", name="Trigger")
    if button.is_enabled():  # what the browser lets through, the server refuses
        button.click()
        page.wait_for_timeout(2000)
    assert runs_of(page, airflow_url, "vidrec_rollback") == {}


def test_the_night_is_triggered_by_its_form_and_succeeds(
    page: "Page", airflow_url: str, night: date, next_night: date
) -> None:
    assert listed_as_current(page, airflow_url) == night.isoformat()
    run_id = trigger(page, airflow_url, "vidrec_nightly", {"night": next_night.isoformat()})
    assert watch(page, airflow_url, "vidrec_nightly", run_id) == "success"
    assert listed_as_current(page, airflow_url) == next_night.isoformat()


def test_a_task_leads_to_its_night_and_report(
    page: "Page", airflow_url: str, next_night: date
) -> None:
    (run_id,) = [
        run for run in runs_of(page, airflow_url, "vidrec_nightly") if run.startswith("manual")
    ][-1:]
    there = f"dags/vidrec_nightly/dagRuns/{run_id}/taskInstances/write_report/links"
    links = page.request.get(f"{airflow_url}/api/v2/{there}").json()["extra_links"]
    for name, heading in (("vidrec: this night", "Night"), ("vidrec: its report", "")):
        page.goto(f"{airflow_url}{links[name]}")
        said = page.get_by_role("heading", level=1).inner_text()
        assert said.startswith(f"{heading} {next_night.isoformat()}".strip())


def test_every_page_opens(page: "Page", airflow_url: str) -> None:
    for name in ("Nights", "Compare", "Users", "Creators", "Search"):
        page.goto(f"{airflow_url}/vidrec/")
        page.get_by_role("navigation", name="vidrec").get_by_role("link", name=name).click()
        page.get_by_role("heading", level=1).wait_for()
        page.locator(f"nav [aria-current=page]:text-is('{name}')").wait_for()
    page.goto(f"{airflow_url}/vidrec/")
    page.locator("tbody a").first.click()
    page.get_by_role("link", name="Rejects and quarantine").click()
    page.get_by_role("heading", name="Rejects and quarantine").wait_for()
    page.goto(f"{airflow_url}/vidrec/creators")
    page.locator(".rows a").first.click()
    page.get_by_role("heading", name="Demand against supply").wait_for()


def test_a_users_list_has_reasons_and_a_loaded_thumbnail(
    page: "Page", airflow_url: str, house: House
) -> None:
    reader = Reader(f"sqlite:///{house.store}/results.sqlite")
    profiles = reader.table("user_profiles")
    known = profiles["user_id"][profiles["topics"].str.len() > 0]
    user_id = min(set(known) & set(reader.sample_users(5)))
    rows = reader.recommendations(user_id)
    reader.close()
    page.goto(f"{airflow_url}/vidrec/")
    page.get_by_role("link", name=user_id, exact=True).click()
    cards = page.locator(".cards:not(.small) .card")
    assert cards.count() == len(rows)
    assert rows[0]["explanation"] in cards.first.inner_text()
    wait_for_pictures(page)


def test_a_video_that_is_missed_is_accounted_for(page: "Page") -> None:
    seen = page.locator(".small .card a.picture").first.get_attribute("href") or ""
    page.get_by_label("Video id").fill(seen.partition("video_id=")[2])
    page.get_by_role("button", name="Ask").click()
    assert "is in the user's history already" in page.locator(".steps .end").inner_text()


def test_a_recommendation_leads_to_its_video(page: "Page") -> None:
    page.locator(".cards:not(.small) .card:has(img) .title a").first.click()
    page.get_by_role("heading", name="Keyframes").wait_for()
    assert re.search(r"\d+ lists?$", page.get_by_role("heading", name="Whose lists").inner_text())
    wait_for_pictures(page)


def test_a_new_query_is_answered_by_the_button(page: "Page", airflow_url: str) -> None:
    page.goto(f"{airflow_url}/vidrec/search")
    page.get_by_label("Query").fill("an animal that purrs")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("button", name="Search now").click()
    page.get_by_role("heading", name=re.compile("answers")).wait_for(timeout=600_000)
    assert page.locator(".card").count() > 0
    (state,) = runs_of(page, airflow_url, "vidrec_search").values()
    assert state in ("running", "success")


def test_rolling_back_by_its_form_changes_what_readers_see(
    page: "Page", airflow_url: str, house: House, night: date, next_night: date
) -> None:
    newest = current_run(house)
    assert newest.startswith(next_night.isoformat())
    run_id = trigger(page, airflow_url, "vidrec_rollback", {})
    assert watch(page, airflow_url, "vidrec_rollback", run_id) == "success"
    assert listed_as_current(page, airflow_url) == night.isoformat()
    page.goto(f"{airflow_url}/vidrec/compare?b={newest}")
    page.get_by_role("heading", name="Whose lists changed").wait_for()
    forward = trigger(page, airflow_url, "vidrec_rollback", {"run_id": newest})
    assert watch(page, airflow_url, "vidrec_rollback", forward) == "success"
    assert current_run(house) == newest


def test_the_page_opens_inside_airflow_in_its_theme(page: "Page", airflow_url: str) -> None:
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{airflow_url}/plugin/vidrec")
    inside = page.frame_locator("iframe")
    assert inside.get_by_role("heading", name="Nights", exact=True).inner_text() == "Nights"
    assert inside.locator("html").get_attribute("data-theme") == "dark"


def test_the_page_asks_nobody_else(page: "Page", airflow_url: str, next_night: date) -> None:
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    page.goto(f"{airflow_url}/vidrec/")
    page.get_by_role("link", name="report").first.click()
    assert next_night.isoformat() in page.get_by_role("heading", level=1).inner_text()
    assert set(asked) - {""} == {urlsplit(airflow_url).netloc}
