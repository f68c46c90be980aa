"""Pictures of the DAG, the forms and the vidrec page, for README: ``make screenshots``.

``python -m scripts.screenshots`` asks the Airflow that ``scripts/screenshots.sh`` started over the
demo's store, through a real Chromium with a real login, and writes docs/images. Names of pictures
behind it take those alone.
"""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pandas as pd
from PIL import Image
from playwright.sync_api import ViewportSize

from tests.chromium import PATIENCE_MS, chromium, wait_for_pictures
from tests.end_to_end.driving import log_in, open_form
from vidrec_tasks.publishing.answers import Recommendation
from vidrec_tasks.publishing.browsing import Browser
from vidrec_tasks.publishing.engine import reader_url
from vidrec_tasks.settings import read_settings
from vidrec_tasks.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
N_COLOURS: Final = 256  # a third of the bytes; the accents keep their colour by maximum coverage
N_SAMPLED: Final = 40
DESK: Final[ViewportSize] = {"width": 1280, "height": 860}
PHONE: Final[ViewportSize] = {"width": 390, "height": 800}


def main() -> int:
    """Log in and take every picture."""
    url = f"http://localhost:{os.environ['AIRFLOW__API__PORT']}"
    IMAGES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        page.set_default_timeout(PATIENCE_MS)
        log_in(page, url, Path(os.environ["AIRFLOW_HOME"]))
        addresses = _addresses()
        wanted = set(sys.argv[1:]) or {*addresses, "form", "phone"}
        for name, path in addresses.items():
            if name not in wanted:
                continue
            page.goto(f"{url}/vidrec{path}")
            if page.locator("main img").count():
                wait_for_pictures(page)
            _keep(page, name)
        if "form" in wanted:
            _in_airflow(page, url)
        if "phone" in wanted:
            page.set_viewport_size(PHONE)
            page.goto(f"{url}/vidrec{addresses['user']}")
            wait_for_pictures(page)
            _keep(page, "phone")
    return 0


def _addresses() -> dict[str, str]:
    """Picture -> the address under the vidrec page, with something at it in any demo's store."""
    settings = read_settings()
    reader = Browser(reader_url(settings, Store(settings.store_url, is_read_only=True)))
    try:
        run_id = reader.current_run_id()
        lists = {user: reader.recommendations(user) for user in reader.sample_users(N_SAMPLED)}
        creator_id = str(reader.table("creator_insights")["creator_id"].min())
        spoken = _spoken(reader.table("search_results"))
    finally:
        reader.close()
    user_id = next((user for user, rows in lists.items() if _is_personal(rows)), min(lists))
    mine = [row["video_id"] for row in lists[user_id]]
    others = (row["video_id"] for rows in lists.values() for row in rows)
    missed = next((video for video in others if video not in mine), mine[0])
    return {
        "run": f"/run/{run_id}", "rejects": f"/rejects/{run_id}", "compare": "/compare",
        "user": f"/user?user_id={user_id}", "video": f"/video?video_id={mine[0]}",
        "why_not": f"/user?user_id={user_id}&why={missed}#why", "search": "/search?q=cats",
        "said": f"/search?q={quote(spoken)}",
        "creator": f"/creator?creator_id={creator_id}", "report": f"/report/{run_id}#metrics",
    }  # fmt: skip


def _spoken(results: pd.DataFrame) -> str:
    """A query whose first answer is a video that says its words; any, where none is."""
    said = results[(results["rank"] == 1) & results["matched"].str.contains("said")]
    return str((said if len(said) else results)["query"].min())


def _is_personal(rows: Sequence[Recommendation]) -> bool:
    """Whether the first places of a list are explained by what the user has watched."""
    return all(row["reason_code"].startswith("because") for row in rows[:2])


def _in_airflow(page: Any, url: str) -> None:
    """The page inside Airflow in its dark theme, the DAG's graph, and the form of the night."""
    open_form(page, url, "vidrec_nightly")
    page.wait_for_timeout(1500)
    _keep(page, "form")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{url}/plugin/vidrec")
    page.frame_locator("iframe").get_by_role("heading", name="Nights", exact=True).wait_for()
    page.wait_for_timeout(1500)
    _keep(page, "nights")
    page.evaluate("localStorage.setItem('theme', 'light')")


def _keep(page: Any, name: str) -> None:
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = IMAGES / f"{name}.png"
    shot.quantize(N_COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    sys.exit(main())
