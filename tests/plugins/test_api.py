"""The vidrec page: who may see it, what it shows, and what it never serves."""

import pytest
from starlette.testclient import TestClient

from scripts.access import EXAMPLES
from tests.plugins.conftest import Open
from tests.plugins.worlds import BEFORE, CURRENT, HOSTILE, STOPPED, TURNING
from vidrec_tasks.settings import Settings

pytestmark = pytest.mark.airflow

READS = [address for (method, _), address in EXAMPLES.items() if method == "GET"]


def test_hostile_titles_are_text(viewer: TestClient) -> None:
    for path in [*READS, "/video?video_id=v2", "/user?user_id=u1&why=v2"]:
        page = viewer.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
    assert "&lt;script&gt;alert(1)" in viewer.get("/user?user_id=u1").text


def test_no_title_turns_the_text_around_it(viewer: TestClient) -> None:
    for path in [*READS, "/video?video_id=v5", "/video?video_id=v3", "/user?user_id=u1&why=v5"]:
        assert "\u202e" not in viewer.get(path).text, path
    assert "<bdi>\ufffdסרט 2\ufffd\ufffd\ufffd</bdi>" in viewer.get("/video?video_id=v3").text


def test_a_field_that_is_sent_back_keeps_what_was_asked(viewer: TestClient) -> None:
    page = viewer.get("/search", params={"q": f"birds {TURNING}"}).text
    assert f'name="q" value="birds {TURNING}"' in page
    assert "The night did not answer “<bdi>birds \ufffdסרט" in page


@pytest.mark.parametrize(
    "path",
    ["/user?user_id=", "/search?q=", "/video?video_id=", "/run/", "/users?start=",
     "/creators?start=", "/creator?creator_id=", "/user?user_id=u1&why=", "/compare?user_id=",
     f"/rejects/{CURRENT}?reason=", "/search?q=cats&request_id="],
)  # fmt: skip
def test_hostile_words_in_the_address_are_text(viewer: TestClient, path: str) -> None:
    page = viewer.get(path + HOSTILE.replace("/", "%2F").replace("<", "%3C").replace('"', "%22"))
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


def test_pages_allow_nothing_from_elsewhere(viewer: TestClient) -> None:
    for path in READS:
        headers = viewer.get(path).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"
    policy = viewer.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
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
    assert listed.index(STOPPED) < listed.index(CURRENT) < listed.index(BEFORE)
    assert "before <code>extract_keyframes</code>" in page
    assert ">0.15<" in page
    assert "recommendations</dt><dd>2<" in page
    assert 'aria-label="Funnel of videos"' in page
    assert 'aria-label="Seconds a stage"' in page
    assert 'aria-label="ndcg@10 over the nights"' in page
    assert "/vidrec/user?user_id=u1" in page


def test_a_user_sees_portrait_list_reasons_and_thumbnails(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=u1").text
    assert "Watches cats" in page
    assert "You like cats." in page
    assert "/vidrec/thumbnail?path=way/sum/1.jpg" in page
    assert "Recommended" in page


def test_a_user_sees_the_facts_behind_each_sentence_and_what_was_dropped(
    viewer: TestClient,
) -> None:
    page = viewer.get("/user?user_id=u1").text
    rests = page[page.index("What each sentence rests on") : page.index("All facts")]
    assert "F1</span> <bdi>F cats" in rests
    assert "F2" not in rests
    dropped = page[page.index("What was not published") :]
    assert "Owns nine cats" in dropped
    assert "false: 3, not 9" in dropped
    assert "F2" in dropped[: dropped.index("</details>")]


def test_a_users_history_is_shown_with_what_was_watched(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=u1").text
    history = page[page.index('id="history"') :]
    assert "A rocket" in history
    assert "watched 50%" in history
    assert "no visit further back" in viewer.get("/user?user_id=u1&older=12").text


def test_users_and_creators_come_page_by_page(viewer: TestClient) -> None:
    assert "/vidrec/user?user_id=u1" in viewer.get("/users").text
    assert "No user with a list comes from" in viewer.get("/users?start=x").text
    assert "Wants cats." in viewer.get("/creators").text
    assert "No creator comes from" in viewer.get("/creators?start=x").text


def test_a_creator_sees_demand_against_supply_and_how_the_videos_do(viewer: TestClient) -> None:
    page = viewer.get("/creator?creator_id=c1").text
    for word in ("Wants cats.", "50.0%", "25.0%", "+0.30", "rising", "75%", "2.0 times the usual"):
        assert word in page, word
    assert viewer.get("/creator?creator_id=c9").status_code == 404


def test_two_runs_are_compared_by_lists_and_metrics(viewer: TestClient) -> None:
    page = viewer.get("/compare").text
    for word in (BEFORE, CURRENT, "50%", "+0.05", "another"):
        assert word in page, word
    assert viewer.get(f"/compare?a={STOPPED}&b={CURRENT}").status_code == 404


def test_one_users_two_lists_stand_side_by_side(viewer: TestClient) -> None:
    page = viewer.get("/compare?user_id=u1").text
    table = page[page.index('aria-label="Two lists"') :]
    assert table.index("A dog") < table.index("gone")
    assert "A cat" in table
    assert "now 2" in table
    assert "was 1" in table


def test_rejects_are_listed_by_reason_and_row(viewer: TestClient) -> None:
    page = viewer.get(f"/rejects/{CURRENT}").text
    for word in ("watched_s &lt; 0", "row 7", "no video stream", "v3.mp4"):
        assert word in page, word
    one = viewer.get(f"/rejects/{CURRENT}?table=media&reason=no video stream").text
    assert "1 row" in one
    assert "row 7" not in one
    assert "42,000 more rows were rejected and counted, but not kept" in page
    assert "41,999" in page
    assert "not kept" not in one
    assert "no such row" in viewer.get(f"/rejects/{CURRENT}?page=9").text
    assert viewer.get(f"/rejects/{CURRENT}?page=0").status_code == 422


def test_an_unknown_user_sees_what_strangers_get(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=nobody").text
    assert "Nothing is known of this user" in page
    assert "What strangers get" in page
    assert "A cat" in page


def test_an_answer_shows_what_is_said_and_leads_to_its_second(viewer: TestClient) -> None:
    page = viewer.get("/search?q=cats").text
    assert "two <mark>cats</mark> meet" in page
    assert "/vidrec/video?video_id=v1&amp;q=cats#at-61" in page
    video = viewer.get("/video?video_id=v1&q=cats").text
    assert 'id="at-61"' in video
    assert "two <mark>cats</mark> meet" in video
    assert "heard 0.75" in video
    assert HOSTILE not in video


def test_a_video_shows_its_keyframes_and_what_is_like_it(viewer: TestClient) -> None:
    page = viewer.get("/video?video_id=v1").text
    assert page.count("/vidrec/thumbnail?path=way/sum/") == 3
    assert "1:02" in page
    assert "tabby" in page
    assert "both show a cat" in page
    assert "1 list<" in page
    assert "/vidrec/user?user_id=u1" in page
    assert "/vidrec/creator?creator_id=c1" in page


def test_a_quarantined_video_says_why(viewer: TestClient) -> None:
    assert "no video stream" in viewer.get("/video?video_id=v3").text


def test_an_answer_shows_the_matching_frame(viewer: TestClient) -> None:
    page = viewer.get("/search?q=cats").text
    assert "1:01" in page
    assert "way/sum/1.jpg" in page


def test_a_run_shows_gates_seconds_and_rejects(viewer: TestClient) -> None:
    page = viewer.get(f"/run/{CURRENT}").text
    assert "list_share" in page
    assert "at least 0.9" in page
    assert "1.50" in page
    assert "watched_s &lt; 0" in page
    assert "no video stream" in page


def test_a_run_begins_with_what_its_lists_are_worth(viewer: TestClient) -> None:
    said = "Served lists: NDCG@10 0.300, 1.50 times [1.25, 2.00] the best simple list"
    page = viewer.get(f"/run/{CURRENT}").text
    assert page.index("</h1>") < page.index(said) < page.index("Read its report")
    assert "Served lists" not in viewer.get(f"/run/{STOPPED}").text


def test_a_stopped_run_says_where_and_what_next(viewer: TestClient) -> None:
    page = viewer.get(f"/run/{STOPPED}").text
    assert "It has not passed <code>extract_keyframes</code>" in page


def test_a_run_of_the_dag_leads_to_its_night(viewer: TestClient) -> None:
    found = viewer.get("/dag_run?dag_id=vidrec_nightly&dag_run_id=by_hand")
    assert (found.status_code, found.headers["location"]) == (303, f"/vidrec/run/{CURRENT}")
    report = viewer.get("/dag_run?dag_id=vidrec_nightly&dag_run_id=by_hand&to=report")
    assert report.headers["location"] == f"/vidrec/report/{CURRENT}"
    assert viewer.get("/dag_run?dag_id=vidrec_nightly&dag_run_id=no").status_code == 404
    assert viewer.get("/dag_run?dag_id=another_dag&dag_run_id=x").status_code == 404


def test_the_report_is_the_nights_own(viewer: TestClient) -> None:
    assert viewer.get(f"/report/{CURRENT}").text == "<h1>report of 2026-09-02</h1>"
    assert viewer.get(f"/report/{STOPPED}").status_code == 404


def test_an_empty_store_says_what_to_do_next(open_page: Open, empty_settings: Settings) -> None:
    client = open_page("VIEWER", empty_settings)
    assert "No night has been run yet" in client.get("/").text
    assert "Publish a night first" in client.get("/user?user_id=u1").text
    assert "No query was answered yet" in client.get("/search").text
    assert "There is no list yet" in client.get("/users").text
    assert "There are no insights for any creator yet" in client.get("/creators").text
    assert "It takes two published runs" in client.get("/compare").text
    assert client.get("/rejects/2026-09-01-aaaaaaaa").status_code == 404
    assert client.get("/video?video_id=v1").status_code == 404
    assert client.get("/run/2026-09-01-aaaaaaaa").status_code == 404


def test_broken_settings_are_a_page_that_says_so(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDREC_STORE_URI", "somewhere")
    page = open_page("VIEWER", None).get("/")
    assert page.status_code == 503
    assert "did you mean VIDREC_STORE_URL?" in page.text
