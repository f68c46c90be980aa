"""A real Chromium for the tests: Debian's package, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATH = shutil.which("chromium")
NEEDS_CHROMIUM = pytest.mark.skipif(PATH is None, reason="no chromium: apt-get install chromium")
FLAGS = [
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-default-apps",
]  # fmt: skip
PATIENCE_MS = 180_000  # a busy machine; nothing asserts how long it takes


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser, closed in the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def wait_for_pictures(page: Any) -> None:
    """Wait until a picture of the page is there and not broken."""
    page.wait_for_function(
        "() => { const found = [...document.querySelectorAll('img')];"
        " return found.length > 0 && found.some(i => i.complete && i.naturalWidth > 0) }"
    )
