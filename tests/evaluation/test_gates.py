"""The suite that every gate passes, by the nights that `gate_examples` lists for it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluation.gate_examples import EXAMPLES, GOOD_NIGHT, Change, measured, night
from vidrec_tasks.evaluation.gates import GATES, Gate, Verdict, evaluate_gates, failed
from vidrec_tasks.evaluation.report import ReportFacts, render_report
from vidrec_tasks.settings import Settings

BY_NAME = {gate.name: gate for gate in GATES}
EVERY = pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)


def each(kind: str) -> list[tuple[str, Change]]:
    return [(name, change) for name, said in EXAMPLES.items() for change in getattr(said, kind)]


def verdicts(change: Change) -> dict[str, Verdict]:
    return {verdict.name: verdict for verdict in evaluate_gates(night(change))}


def failing(change: Change) -> list[str]:
    return [verdict.name for verdict in failed(evaluate_gates(night(change)))]


def test_the_examples_are_of_every_gate_and_of_no_other() -> None:
    assert list(EXAMPLES) == [gate.name for gate in GATES]


@EVERY
def test_a_gate_says_what_it_is(gate: Gate) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", gate.name)
    assert gate.formula.strip()
    assert gate.meaning[0].isupper()
    assert gate.meaning.endswith(".")


@EVERY
def test_the_page_of_metrics_tells_its_meaning_its_formula_and_its_bound(
    gate: Gate, root: Path
) -> None:
    page = (root / "docs" / "METRICS.md").read_text(encoding="utf-8")
    bound = f"{gate.direction.replace('_', ' ')} {gate.bound(Settings()):g}"
    assert f"| `{gate.name}` | {bound} | {gate.meaning} | {gate.formula} |\n" in page


@EVERY
def test_a_gate_is_measured_and_passes_on_a_good_night(gate: Gate) -> None:
    said = gate.judge(GOOD_NIGHT)
    assert said.passed
    assert said.value is not None
    assert said.meaning == gate.meaning


@EVERY
def test_it_has_a_night_on_which_it_fails_and_one_without_measure_if_there_may_be_none(
    gate: Gate,
) -> None:
    examples = EXAMPLES[gate.name]
    assert len(examples.fails) > 0
    assert bool(examples.absent) == bool(gate.absent)


@pytest.mark.parametrize(("name", "change"), each("fails"))
def test_a_bad_night_fails_its_gate_alone(name: str, change: Change) -> None:
    assert failing(change) == [name]


@pytest.mark.parametrize(("name", "change"), each("passes"))
def test_a_night_that_is_good_enough_passes(name: str, change: Change) -> None:
    assert failing(change) == []
    assert verdicts(change)[name].value is not None


@pytest.mark.parametrize(
    ("name", "why", "change"),
    [(name, *example) for name, said in EXAMPLES.items() for example in said.absent],
)
def test_what_cannot_be_measured_is_said_and_stands_for_no_number(
    name: str, why: str, change: Change
) -> None:
    said = verdicts(change)[name]
    assert (said.value, said.passed, said.next_step) == (None, True, "")
    assert said.meaning == f"Not applicable: {why}. {BY_NAME[name].meaning}"


@EVERY
def test_the_bound_itself_passes_and_what_is_no_number_does_not(gate: Gate) -> None:
    bound = gate.bound(GOOD_NIGHT.settings)
    worse = bound - 1e-9 if gate.direction == "at_least" else bound + 1e-9
    said = {value: replace(gate, measure=lambda _, value=value: value).judge(GOOD_NIGHT)
            for value in (bound, worse)}  # fmt: skip
    assert [said[bound].passed, said[worse].passed] == [True, False]
    assert not replace(gate, measure=lambda _: float("nan")).judge(GOOD_NIGHT).passed


@EVERY
def test_the_report_shows_a_failed_gate_with_its_bound_and_meaning(gate: Gate) -> None:
    said = gate.judge(night(EXAMPLES[gate.name].fails[0]))
    html = render_report(
        ReportFacts(
            night="2026-09-02", run_id="2026-09-02-aaaaaaaa", state="rejected", parents={},
            gates=[said.to_json()],
        )
    )  # fmt: skip
    for shown in (f"Failed: <code>{gate.name}</code>", gate.direction.replace("_", " ")):
        assert shown in html
    assert gate.meaning.replace("'", "&#39;") in html


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("events_kept", "INTERACTIONS_ARE=increment"),
        ("users_kept", "INTERACTIONS_ARE=increment"),
        ("videos_gone", "VIDEOS_ARE=increment"),
    ],
)
def test_inputs_that_lost_half_are_refused_with_the_next_step(name: str, step: str) -> None:
    assert step in verdicts(EXAMPLES[name].fails[0])[name].next_step


def test_a_gain_on_the_champion_is_a_drop_below_nothing() -> None:
    champion = {"ratio": {"value": 1.5, "low": 1.2, "high": 1.9, "n_users": 90.0}}
    assert verdicts(measured(champion=champion))["ndcg_drop"].value == pytest.approx(-0.9)


def test_a_verdict_in_words_has_its_numbers() -> None:
    said = verdicts(measured(claim_precision=0.98765))["claim_precision"]
    assert said.in_words() == "claim_precision 0.9877 (at least 1)"


def test_a_verdict_is_json() -> None:
    assert BY_NAME["list_share"].judge(GOOD_NIGHT).to_json() == {
        "name": "list_share", "value": 1.0, "bound": 0.9, "direction": "at_least", "passed": True,
        "meaning": "Active users with a list, or who have watched all there is.",
        "next_step": "",
    }  # fmt: skip
