import re

import pytest

from vidrec_tasks.evaluation.measures import Measure
from vidrec_tasks.evaluation.plots import Point
from vidrec_tasks.evaluation.report import (
    PASSED,
    PUBLISHED,
    REJECTED,
    STOPPED,
    ReportFacts,
    Sample,
    SampleRow,
    Timing,
    format_number,
    render_report,
)

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202e'
NDCG = Measure("ndcg@10.served", 0.2, 0.1, 0.3)
GATE = {"name": "list_share", "value": 0.5, "bound": 0.9, "direction": "at_least",
        "passed": False, "meaning": "Users with a list."}  # fmt: skip
FULL = ReportFacts(
    night="2026-09-02",
    run_id="2026-09-02-aaaaaaaa",
    state=REJECTED,
    parents={"previous": "2026-09-01-bbbbbbbb"},
    gates=[GATE, {**GATE, "name": "champion", "value": None, "passed": True}],
    worth="Served lists: NDCG@10 0.200, 1.12 times [1.04, 1.21] the best simple list.",
    measures=[NDCG, Measure("coverage", 0.8)],
    history=[("2026-09-01", {NDCG.name: Measure(NDCG.name, 0.1, 0.0, 0.2)}),
             ("2026-09-02", {NDCG.name: NDCG})],
    segments={"no history": {"ndcg@10": 0.1}},
    funnel={"videos": [("in the catalogue", 60)], "rows to publish": [("lists", 2000)]},
    rejects=[("interactions", HOSTILE, 3, HOSTILE)],
    quarantine=[("torn file", 1, "v9")],
    sources={"tower": 3},
    reasons={"new_for_you": 3},
    showings=[2, 1, 0],
    viewings=[5, 1],
    coverage=[Point("1", 0.3), Point("2", 0.6)],
    diversity=[Point("2", 0.7, 0.6, 0.8)],
    score_by_rank=[Point("1", 0.9, 0.8, 1.0), Point("2", 0.5, 0.4, 0.6)],
    scores=[0.1, 0.5, 0.9],
    verified_share=1.0,
    samples=[Sample("u1", HOSTILE, [SampleRow(1, HOSTILE, HOSTILE, 0.5, "tower")])],
    settings=[("recommending.n", "7", True)],
    timings=[Timing("embed_videos", 2, 1, 3.25, 1234.5), Timing("find_duplicates", 1, 0, 0.5)],
)  # fmt: skip


def test_a_full_report_says_all_of_it() -> None:
    html = render_report(FULL)
    for word in ("list_share", "at least 0.9", "not applicable", "0.1 – 0.3", "no history",
                 "in the catalogue", "torn file", "new_for_you", "recommending.n", "embed_videos",
                 "2 of 3 videos", "Coverage by the length of a list",
                 "Variety by the length of a list", "Score by rank", 'class="beside"',
                 "Over the last 2 nights"):  # fmt: skip
        assert word in html, word


def test_the_memory_of_a_job_is_said_where_the_system_says_it() -> None:
    table = re.search(r"Peak, MiB.*?</tbody>", render_report(FULL), re.DOTALL)
    assert table is not None
    rows = table[0].split("<tr>")[1:]
    assert [re.findall(r">([^<>]+)</td>", row)[1] for row in rows] == ["1,234", "–"]


def test_the_first_line_says_what_the_lists_are_worth_or_why_that_is_not_known() -> None:
    def first_line(facts: ReportFacts) -> str:
        found = re.search(r"</h1>\s*<p[^>]*>([^<]*)</p>", render_report(facts))
        assert found is not None
        return found[1]

    assert first_line(FULL) == FULL.worth
    stopped = ReportFacts("2026-09-02", "r", STOPPED, "train_models")
    assert first_line(stopped) == "Served lists: not measured, as evaluate_lists was not reached."


def test_titles_portraits_and_samples_are_text() -> None:
    html = render_report(FULL)
    assert "\u202e" not in html
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;script&gt;") >= 4


def test_a_report_asks_no_host_and_runs_no_script() -> None:
    html = render_report(FULL)
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", html) == []
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


@pytest.mark.parametrize(
    ("state", "stopped_at", "words"),
    [
        (STOPPED, "train_models", "stopped at <code>train_models</code>"),
        (REJECTED, "check_gates", "readers keep the last published night"),
        (PASSED, "publish_lists", "Clear it in Airflow"),
        (PUBLISHED, "", "trigger vidrec_rollback"),
    ],
)
def test_each_state_names_the_next_step(state: str, stopped_at: str, words: str) -> None:
    html = render_report(ReportFacts("2026-09-02", "r", state, stopped_at))
    assert words in html


def test_a_night_that_stopped_at_once_has_a_report_without_numbers() -> None:
    html = render_report(ReportFacts("2026-09-02", "r", STOPPED, "extract_keyframes"))
    assert "The gates were not reached" in html
    assert "There are no lists" in html
    assert "<svg" not in html


def test_the_same_facts_give_the_same_bytes() -> None:
    assert render_report(FULL) == render_report(FULL)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.12345, "0.123"), (1234567, "1,234,567"), (1.0, "1"), (0, "0"), (1234.56,
     "1,234.6"), (999.96, "1,000.0"), (True, "yes")],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    assert format_number(value) == text
