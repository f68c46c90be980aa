"""The vidrec page: who may see it, what it shows, and what it never serves."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from tests.plugins.conftest import CURRENT, HOSTILE, STOPPED
from vidrec_tasks.settings import Settings

pytestmark = pytest.mark.airflow

EXAMPLES = {
    "/": "/",
    "/user": "/user?user_id=u1",
    "/video": "/video?video_id=v1",
    "/search": "/search?q=cats",
    "/run/{run_id}": f"/run/{CURRENT}",
    "/dag_run": "/dag_run?dag_id=another_dag&dag_run_id=x",
    "/report/{run_id}": f"/report/{CURRENT}",
    "/thumbnail": "/thumbnail?path=way/sum/0.jpg",
    "/static/{name}": "/static/vidrec.css",
}
OPENED = {**dict.fromkeys(EXAMPLES, 200), "/dag_run": 404}

Open = Callable[..., TestClient]


@pytest.fixture
def open_page(auth: Any) -> Iterator[Open]:
    """A client of the app, mounted as Airflow mounts it, as nobody or with a role."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from vidrec_ui.api import make_app
    from vidrec_ui.sources import Sources

    def open_as(role: str | None, settings: Settings) -> TestClient:
        parent = FastAPI()
        parent.mount("/vidrec", make_app(Sources(settings)))
        client = TestClient(parent, base_url="http://localhost/vidrec", follow_redirects=False)
        if role is not None:
            user = SimpleAuthManagerUser(username=role.lower(), role=role)
            client.cookies.set("_token", auth.generate_jwt(user))
        return client

    return open_as


@pytest.fixture
def viewer(open_page: Open, settings: Settings) -> TestClient:
    """Somebody who may only look, before the published world."""
    return open_page("VIEWER", settings)


def routes() -> list[str]:
    from vidrec_ui.api import make_app

    app = make_app()
    assert {type(route) for route in app.routes} == {APIRoute}, "a mount would skip the login"
    return [route.path for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_has_an_example_here() -> None:
    assert sorted(routes()) == sorted(EXAMPLES)


def test_no_route_lets_anybody_in_without_a_login(open_page: Open, settings: Settings) -> None:
    nobody = open_page(None, settings)
    said = {path: nobody.get(EXAMPLES[path]).status_code for path in routes()}
    assert said == dict.fromkeys(EXAMPLES, 401)


def test_a_forged_token_is_refused(open_page: Open, settings: Settings) -> None:
    nobody = open_page(None, settings)
    nobody.cookies.set("_token", "not.a.token")
    assert {nobody.get(EXAMPLES[path]).status_code for path in routes()} == {403}


@pytest.mark.parametrize("role", ["VIEWER", "USER", "OP", "ADMIN"])
def test_whoever_is_logged_in_reads_every_route(
    open_page: Open, settings: Settings, role: str
) -> None:
    client = open_page(role, settings)
    assert {path: client.get(EXAMPLES[path]).status_code for path in routes()} == OPENED


def test_nothing_can_be_written(viewer: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert {viewer.request(method, EXAMPLES[path]).status_code for path in routes()} == {405}


def test_whoever_is_not_logged_in_finds_the_login(open_page: Open, settings: Settings) -> None:
    page = open_page(None, settings).get("/")
    assert "Log in first" in page.text
    assert 'href="/auth/login?next=' in page.text


def test_the_pages_describe_no_api(viewer: TestClient) -> None:
    assert {viewer.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_hostile_titles_are_text(viewer: TestClient) -> None:
    for path in ("/", "/user?user_id=u1", "/video?video_id=v2", "/search?q=cats"):
        page = viewer.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    assert "&lt;script&gt;alert(1)" in viewer.get("/user?user_id=u1").text


@pytest.mark.parametrize("path", ["/user?user_id=", "/search?q=", "/video?video_id=", "/run/"])
def test_hostile_words_in_the_address_are_text(viewer: TestClient, path: str) -> None:
    page = viewer.get(path + HOSTILE.replace("/", "%2F").replace("<", "%3C").replace('"', "%22"))
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


def test_pages_allow_nothing_from_elsewhere(viewer: TestClient) -> None:
    for path in routes():
        headers = viewer.get(EXAMPLES[path]).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
    policy = viewer.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' data:")
    assert "unsafe" not in policy
    assert "sandbox" in viewer.get(f"/report/{CURRENT}").headers["content-security-policy"]


def test_pages_are_kept_by_nobody(viewer: TestClient) -> None:
    assert viewer.get("/user?user_id=u1").headers["cache-control"] == "no-store"


def test_a_thumbnail_is_a_jpeg(viewer: TestClient) -> None:
    picture = viewer.get("/thumbnail?path=way/sum/0.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "path",
    [
        "../../results.sqlite", "../../secret.jpg", "way/../../../secret.jpg", "/etc/passwd",
        "%2Fetc%2Fpasswd", "way%2Fsum%2F..%2F..%2F..%2F..%2Fsecret.jpg", "..%5C..%5Csecret.jpg",
        "way/sum/0.jpg%00", "way/sum/no.jpg", "way/sum", "", "link.jpg", "text.jpg", "text.txt",
        ".", "..", f"{'a' * 400}.jpg", "%2e%2e%2f%2e%2e%2fsecret.jpg", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_nothing_but_thumbnails_is_served(
    viewer: TestClient, settings: Settings, path: str
) -> None:
    from pathlib import Path

    store = Path(settings.store_url)
    keyframes = store / "features" / "keyframes"
    (store / "secret.jpg").write_bytes(b"\xff\xd8\xff secret")
    (keyframes / "text.jpg").write_text("no picture")
    (keyframes / "text.txt").write_bytes(b"\xff\xd8\xff")
    if not (keyframes / "link.jpg").is_symlink():
        (keyframes / "link.jpg").symlink_to(store / "secret.jpg")
    assert viewer.get(f"/thumbnail?path={path}").status_code == 404


@pytest.mark.parametrize(
    "run_id", ["..%2F..", "..%2Fruns", "a" * 400, "%00", "2026-09-01-zzzzzzzz"]
)
def test_what_is_no_run_is_not_there(viewer: TestClient, run_id: str) -> None:
    assert viewer.get(f"/run/{run_id}").status_code == 404
    assert viewer.get(f"/report/{run_id}").status_code == 404


def test_only_the_pages_own_files_are_static(viewer: TestClient) -> None:
    for name in ("..%2Fapi.py", "api.py", "%2e%2e%2fapi.py", "vidrec.css%00"):
        assert viewer.get(f"/static/{name}").status_code == 404


def test_the_overview_shows_the_nights_and_the_counts(viewer: TestClient) -> None:
    page = viewer.get("/").text
    listed = page[page.index("<tbody>") :]
    assert listed.index(STOPPED) < listed.index(CURRENT) < listed.index("2026-09-01-aaaaaaaa")
    assert "before <code>extract_keyframes</code>" in page
    assert ">0.15<" in page
    assert "recommendations</dt><dd>2<" in page
    assert "/vidrec/user?user_id=u1" in page


def test_a_user_sees_portrait_list_reasons_and_thumbnails(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=u1").text
    assert "Watches cats" in page
    assert "You like cats." in page
    assert "/vidrec/thumbnail?path=way/sum/1.jpg" in page
    assert "Recommended" in page


def test_an_unknown_user_sees_what_strangers_get(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=nobody").text
    assert "Nothing is known of this user" in page
    assert "What strangers get" in page
    assert "A cat" in page


def test_a_video_shows_its_keyframes_and_what_is_like_it(viewer: TestClient) -> None:
    page = viewer.get("/video?video_id=v1").text
    assert page.count("/vidrec/thumbnail?path=way/sum/") == 3
    assert "1:02" in page
    assert "tabby" in page
    assert "both show a cat" in page


def test_a_quarantined_video_says_why(viewer: TestClient) -> None:
    assert "no video stream" in viewer.get("/video?video_id=v3").text


def test_an_answer_shows_the_matching_frame(viewer: TestClient) -> None:
    page = viewer.get("/search?q=cats").text
    assert "1:01" in page
    assert "way/sum/1.jpg" in page


def test_an_unanswered_query_says_what_to_do(viewer: TestClient) -> None:
    assert "Trigger <code>vidrec_search</code>" in viewer.get("/search?q=birds").text


def test_an_answer_by_hand_is_shown_with_its_request(viewer: TestClient) -> None:
    page = viewer.get("/search?q=dogs").text
    assert "manual__2026-09-02" in page
    assert "1:01" in page


def test_a_run_shows_gates_seconds_and_rejects(viewer: TestClient) -> None:
    page = viewer.get(f"/run/{CURRENT}").text
    assert "list_share" in page
    assert "at least 0.9" in page
    assert "1.50" in page
    assert "watched_s &lt; 0" in page
    assert "no video stream" in page


def test_a_stopped_run_says_where_and_what_next(viewer: TestClient) -> None:
    page = viewer.get(f"/run/{STOPPED}").text
    assert "It has not passed <code>extract_keyframes</code>" in page


def test_a_run_of_the_dag_leads_to_its_night(viewer: TestClient) -> None:
    found = viewer.get("/dag_run?dag_id=vidrec_nightly&dag_run_id=by_hand")
    assert (found.status_code, found.headers["location"]) == (303, f"/vidrec/run/{CURRENT}")
    assert viewer.get("/dag_run?dag_id=vidrec_nightly&dag_run_id=no").status_code == 404


def test_the_report_is_the_nights_own(viewer: TestClient) -> None:
    assert viewer.get(f"/report/{CURRENT}").text == "<h1>report of 2026-09-02</h1>"
    assert viewer.get(f"/report/{STOPPED}").status_code == 404


def test_an_empty_store_says_what_to_do_next(open_page: Open, empty_settings: Settings) -> None:
    client = open_page("VIEWER", empty_settings)
    assert "No night has been run yet" in client.get("/").text
    assert "Publish a night first" in client.get("/user?user_id=u1").text
    assert "No query was answered yet" in client.get("/search").text
    assert client.get("/video?video_id=v1").status_code == 404
    assert client.get("/run/2026-09-01-aaaaaaaa").status_code == 404


def test_broken_settings_are_a_page_that_says_so(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDREC_STORE_URI", "somewhere")
    page = open_page("VIEWER", None).get("/")
    assert page.status_code == 503
    assert "did you mean VIDREC_STORE_URL?" in page.text
