"""Why a video is not in a list: every answer, from a world where it is known."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.plugins.worlds import CURRENT
from vidrec_tasks.settings import Settings

pytestmark = pytest.mark.airflow


@pytest.fixture
def steps(settings: Settings) -> Any:
    from vidrec_ui.decisions import why_not
    from vidrec_ui.sources import Sources

    sources = Sources(settings)

    def ask(user_id: str, video_id: str) -> list[Any]:
        run, catalogue = sources.run(CURRENT), sources.catalogue(CURRENT)
        return list(why_not(run, catalogue, user_id, video_id)["steps"])

    return ask


@pytest.mark.parametrize(
    ("user_id", "video_id", "step", "said"),
    [
        ("u1", "v99", "catalogue", "has no such video"),
        ("u1", "v99", "catalogue", "2 rejected rows of videos were counted and not kept"),
        ("u1", "v0", "catalogue", "Its row was rejected: title is missing"),
        ("u9", "v1", "user", "opted out"),
        ("u7", "v1", "user", "Nothing is known of the user"),
        ("u1", "v4", "rules", "it is not published yet"),
        ("u1", "v8", "rules", "it is rated above the user's age"),
        ("u1", "v3", "history", "in the user's history already, last on 2026-08-30"),
        ("u1", "v5", "history", "its near-duplicate “A rocket”"),
        ("u1", "v7", "candidates", "No source found it among the 3 candidates of this user (tower"),
        ("u1", "v6", "list", "Its creator c1 has all of the 1 slots"),
        ("u1", "v1", "list", "It is in the list, at rank 1."),
    ],
)
def test_the_step_that_decided_is_the_last_one_told(
    steps: Any, user_id: str, video_id: str, step: str, said: str
) -> None:
    *before, last = steps(user_id, video_id)
    assert last.name == step
    assert said in last.finding
    assert last.is_end
    assert not any(earlier.is_end for earlier in before)


def test_a_ranked_video_tells_its_place_and_score(steps: Any) -> None:
    said = {step.name: step.finding for step in steps("u1", "v6")}
    assert said["candidates"] == "Found by the source tower, at position 3."
    assert said["ranking"] == "Ranked 3 of 3, with the score 0.400."


def test_a_judged_video_tells_what_the_model_said(steps: Any) -> None:
    said = {step.name: step.finding for step in steps("u1", "v6")}
    assert "are -3.00 for this one and +0.00 on average" in said["relevance"]


def test_a_run_past_retention_says_that_it_cannot_be_known(settings: Settings) -> None:
    from vidrec_ui.catalogue import Catalogue
    from vidrec_ui.decisions import why_not

    (only,) = why_not(None, Catalogue(), "u1", "v1")["steps"]
    assert "no longer holds" in only.finding


def test_the_users_page_asks_and_answers(viewer: TestClient) -> None:
    page = viewer.get("/user?user_id=u1&why=v6").text
    assert "Its creator c1 has all of the 1 slots" in page
    assert "Part of the score" in page
