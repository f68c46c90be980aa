from collections.abc import Iterator

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.publishing.worlds import moment, publish, run_id
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.browsing import Browser
from vidrec_tasks.publishing.engine import READER, make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader


@pytest.fixture
def browser(url: str) -> Iterator[Browser]:
    made = Browser(url)
    yield made
    made.close()


def test_users_come_page_by_page_from_an_id_on(publisher: Publisher, browser: Browser) -> None:
    publish(publisher, 1)
    assert browser.users(2) == ["u1", "u2"]
    assert browser.users(2, start="u2") == ["u2", "u3"]
    assert browser.users(2, start="x") == []


def test_a_video_is_counted_in_lists_and_knows_whose(
    publisher: Publisher, browser: Browser
) -> None:
    publish(publisher, 1)
    assert browser.n_lists_with("v1") == 3
    assert browser.n_lists_with("no such video") == 0
    assert browser.users_shown("v1", 2, start="u2") == ["u2", "u3"]


def test_lists_of_any_run_are_read_without_the_pointer(
    publisher: Publisher, browser: Browser
) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    assert browser.lists(run_id(1), ["u1", "u9"]) == {"u1": ["v1", "v2", "v3"]}
    assert browser.users_of(run_id(1), 2) == ["u1", "u2"]


def test_the_last_request_by_hand_is_found_by_its_query(
    publisher: Publisher, browser: Browser
) -> None:
    publish(publisher, 1)
    for request_id, video_id in (("by_hand_1", "v1"), ("by_hand_2", "v2")):
        row = {"query": "cats", "rank": 1, "video_id": video_id, "score": 1.0, "matched": "title"}
        answers = pd.DataFrame([{**row, "at_s": float("nan"), "run_id": run_id(1)}])
        publisher.write_answers(request_id, answers)
    assert browser.answered_by_hand("cats")[0] == "by_hand_2"
    request_id, rows = browser.answered_by_hand("cats", "by_hand_1")
    assert (request_id, [row["video_id"] for row in rows]) == ("by_hand_1", ["v1"])
    assert browser.answered_by_hand("dogs") == ("", [])


def test_the_last_request_is_the_last_by_its_time_whoever_asked(
    publisher: Publisher, browser: Browser
) -> None:
    publish(publisher, 1)
    row = {"query": "cats", "rank": 1, "video_id": "v1", "score": 1.0, "matched": "title"}
    answers = pd.DataFrame([{**row, "at_s": float("nan"), "run_id": run_id(1)}])
    for request_id in ("manual__2026-09-01T10:00:00+00:00", "cli__2026-09-01T11:00:00+00:00_ab"):
        publisher.write_answers(request_id, answers)
    assert browser.answered_by_hand("cats")[0].startswith("cli__")


def test_a_creator_nobody_knows_has_nothing(publisher: Publisher, browser: Browser) -> None:
    publish(publisher, 1)
    assert browser.creator("nobody") == {"summary": None, "topics": [], "videos": []}
    assert browser.creators(5) == []


def test_the_newest_runs_come_first_and_at_most_n(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    assert [row["run_id"] for row in reader.runs(1)] == [run_id(2)]
    assert len(reader.runs()) == 2


def test_what_the_page_asks_is_answered_by_an_index(publisher: Publisher) -> None:
    """A scan of a million users' rows is what makes a page slow."""
    if publisher.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL scans what is small")
    publish(publisher, 1)
    asked = {
        "video_id = 'v1'": "run_id=? AND video_id=?",
        "user_id = 'u1'": "run_id=? AND user_id=?",
        "user_id >= 'u2' and rank = 1": "run_id=? AND user_id>?",
    }
    with publisher.engine.connect() as connection:
        for where, key in asked.items():
            plan = f"EXPLAIN QUERY PLAN SELECT user_id FROM current_recommendations WHERE {where}"
            steps = [row[-1] for row in connection.exec_driver_sql(plan)]
            assert {step for step in steps if step.startswith("SCAN")} == {"SCAN pointer"}  # 1 row
            assert any(f"({key})" in step for step in steps), steps


def test_a_role_that_may_only_read_can_do_no_more(server: str) -> None:
    owner = make_engine(f"{server}&options=-csearch_path%3Dread_only")
    with owner.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA read_only"))
        connection.execute(sa.text(f"CREATE ROLE {READER} LOGIN"))
    publisher = Publisher(owner)
    publisher.prepare()
    publish(publisher, 1)
    read = sa.make_url(server).set(username=READER, password=None).update_query_dict(
        {"options": "-csearch_path=read_only"}
    )  # fmt: skip
    browser = Browser(read.render_as_string(hide_password=False))
    assert browser.users(1) == ["u1"]
    browser.close()
    writer = Publisher(make_engine(read.render_as_string(hide_password=False)))
    with pytest.raises(PublishError, match="permission denied"):
        writer.publish(run_id(1), moment(2))
