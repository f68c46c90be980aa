"""Every page in a real Chromium: accessible by axe, light and dark, on a phone, by keyboard."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from scripts.access import EXAMPLES
from tests.chromium import NEEDS_CHROMIUM, PATIENCE_MS, chromium
from tests.evaluation.test_report import FULL
from tests.plugins.worlds import STOPPED
from vidrec_tasks.evaluation.report import render_report
from vidrec_tasks.settings import Settings

pytestmark = [pytest.mark.airflow, pytest.mark.browser, NEEDS_CHROMIUM]

NO_PAGES = ("/static", "/thumbnail", "/report", "/dag_run")
PAGES = [
    *(path for (method, _), path in EXAMPLES.items()
      if method == "GET" and not path.startswith(NO_PAGES)),
    f"/run/{STOPPED}", "/user?user_id=nobody", "/search?q=birds", "/compare?user_id=u1",
    "/video?video_id=v3", "/video?video_id=no", "/search?q=birds&request_id=manual__asked",
]  # fmt: skip
SERIOUS = ("serious", "critical")
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def site(settings: Settings, auth: Any, root: Path) -> Iterator[tuple[str, str]]:
    """The address of the page on a port of this machine, and a token of somebody who may search."""
    import uvicorn
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root / "plugins")
        from vidrec_ui.api import make_app
        from vidrec_ui.sources import Sources

        parent = FastAPI()
        parent.mount("/vidrec", make_app(Sources(settings)))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(parent, log_level="error", lifespan="off"))
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.05)
            token = auth.generate_jwt(SimpleAuthManagerUser(username="admin", role="ADMIN"))
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", token
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def open_in(browser: Any, site: tuple[str, str]) -> Iterator[Any]:
    """Open a page with a theme and a size; faults of its scripts and policy fail the test."""
    address, token = site
    contexts: list[Any] = []
    faults: list[str] = []

    def opened(path: str, **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_cookies([{"name": "_token", "value": token, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: "Policy" in said.text and faults.append(said.text))
        page.goto(f"{address}/vidrec{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def axe(root: Path) -> str:
    """The source of axe-core."""
    path = root / "var" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.exists():
        pytest.skip("no axe-core: run scripts/get_axe.sh")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_serious_fault(open_in: Any, axe: str, path: str, theme: str) -> None:
    page = open_in(path, color_scheme=theme)
    assert serious_faults(page, axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_the_report(browser: Any, axe: str, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)
    page.set_content(render_report(FULL))
    assert serious_faults(page, axe) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


def serious_faults(page: Any, axe: str) -> list[Any]:
    """What axe calls serious or critical, with all that can be opened open."""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate(axe)
    found = page.evaluate("() => axe.run(document)")
    assert len(found["passes"]) > 5
    return [
        (fault["id"], fault["impact"], [node["target"] for node in fault["nodes"]][:3])
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_shows_the_whole_width(open_in: Any, path: str) -> None:
    page = open_in(path, viewport=PHONE, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_what_stands_behind_a_title_from_the_right_stays_behind_it(open_in: Any) -> None:
    page = open_in("/video?video_id=v3")
    twin = page.locator("li", has_text="סרט")
    title, video_id = twin.locator("a").bounding_box(), twin.locator("code").bounding_box()
    assert title["x"] + title["width"] <= video_id["x"]
    assert video_id["y"] < title["y"] + title["height"]


def test_the_theme_follows_airflow(open_in: Any) -> None:
    page = open_in("/", color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_the_keyboard_reaches_the_content_first(open_in: Any) -> None:
    page = open_in("/user?user_id=u1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_keyboard_opens_why_a_video_is_there(open_in: Any) -> None:
    page = open_in("/user?user_id=u1")
    summary = page.locator(".card summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator(".card details").first.get_attribute("open") is not None
    assert page.get_by_text("Part of the score").first.is_visible()


def test_a_search_under_way_looks_again_by_itself(open_in: Any) -> None:
    page = open_in("/search?q=birds&request_id=manual__asked")
    with page.expect_navigation():
        pass
    assert page.get_by_role("status").is_visible()
