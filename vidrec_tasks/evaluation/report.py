"""The report of a night: one HTML file that needs nothing else, written of a failed night too.

Leaves the gathering of facts to `report_facts` and the charts to `plots`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from vidrec_tasks.evaluation.funnel import funnel_charts
from vidrec_tasks.evaluation.measures import Measure, by_scorer, main_metrics
from vidrec_tasks.evaluation.plots import Point, bar_chart, histogram, line_chart, share_curve
from vidrec_tasks.language.quoting import inert

PUBLISHED: Final = "published"
REJECTED: Final = "rejected"
STOPPED: Final = "stopped"
PASSED: Final = "passed, not published"

TEMPLATES: Final = Path(__file__).with_name("templates")
"""``tables.html`` there draws the tables that the page inside Airflow has too."""

_MOST_CHARTS = 6


@dataclass(frozen=True)
class SampleRow:
    """One recommendation of a sample list; ``picture`` is a data URI or empty."""

    rank: int
    title: str
    explanation: str
    score: float
    source: str
    picture: str = ""


@dataclass(frozen=True)
class Sample:
    """One user's list."""

    user_id: str
    portrait: str
    rows: Sequence[SampleRow]


@dataclass(frozen=True)
class Timing:
    """What a job took over all its shards.

    Attributes:
        seconds: their sum.
        peak_mib: largest memory of one of them; None where the system does not say.
    """

    job: str
    n_shards: int
    n_reused: int
    seconds: float
    peak_mib: float | None = None


@dataclass(frozen=True)
class ReportFacts:
    """What a report says; every part but the first four may be empty.

    Attributes:
        state: `PUBLISHED`, `REJECTED`, `STOPPED` or `PASSED`.
        stopped_at: the first job without its artefacts, when the night stopped.
        catalogue_as_of: which version of the catalogue the night saw.
        parents: earlier runs it takes something from, by role.
        gates: name, value, bound, direction, passed, meaning.
        worth: what the served lists are worth, in a sentence (`worth.say_worth`).
        measures: the night's metrics.
        history: (night, metrics by name), oldest first, this night last.
        segments: segment -> metric -> value.
        funnel: of what -> (which of them, how many), from what was read to what is published.
        rejects: (table, reason, rows, one sample).
        quarantine: (reason, videos, one of them).
        unread: the same of captions, speech and screens that could not be read.
        sources, reasons: rows of the lists by candidate source and by reason code.
        showings: how often each video of the catalogue is in a list.
        viewings: how many users watched each video lately, to compare with.
        coverage, diversity, score_by_rank: curves over the length of a list (`curves`).
        scores: scores of list rows (a sample when there are many).
        verified_share: share of explanations that were recomputed and held.
        settings: (name, value, whether it differs from the default).
        timings: seconds and memory a job; empty where times of running have no place.
    """

    night: str
    run_id: str
    state: str
    stopped_at: str = ""
    catalogue_as_of: str = ""
    parents: Mapping[str, str] = field(default_factory=dict)
    gates: Sequence[Mapping[str, Any]] = ()
    worth: str = ""
    measures: Sequence[Measure] = ()
    history: Sequence[tuple[str, Mapping[str, Measure]]] = ()
    segments: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    funnel: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    rejects: Sequence[tuple[str, str, int, str]] = ()
    quarantine: Sequence[tuple[str, int, str]] = ()
    unread: Sequence[tuple[str, int, str]] = ()
    sources: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    showings: Sequence[int] = ()
    viewings: Sequence[int] = ()
    coverage: Sequence[Point] = ()
    diversity: Sequence[Point] = ()
    score_by_rank: Sequence[Point] = ()
    scores: Sequence[float] = ()
    verified_share: float | None = None
    samples: Sequence[Sample] = ()
    settings: Sequence[tuple[str, str, bool]] = ()
    timings: Sequence[Timing] = ()


def render_report(facts: ReportFacts) -> str:
    """The report as one self-contained HTML file: inline style, inline SVG, no outside host."""
    segment_metrics = list(dict.fromkeys(n for row in facts.segments.values() for n in row))
    scorers, scored, measures = by_scorer(facts.measures)
    return make_environment(TEMPLATES).get_template("report.html").render(
        facts=facts,
        failed_gates=[gate for gate in facts.gates if not gate["passed"]],
        next_step=_next_step(facts),
        trends=_trends(facts),
        funnels=funnel_charts(facts.funnel),
        curve=share_curve(
            facts.showings, beside=facts.viewings,
            name="Share of showings by videos, most shown first",
        ),
        coverage_chart=line_chart(facts.coverage, name="Coverage by the length of a list"),
        diversity_chart=line_chart(facts.diversity, name="Variety by the length of a list"),
        rank_chart=line_chart(facts.score_by_rank, name="Score by rank"),
        n_shown=sum(1 for n in facts.showings if n),
        score_chart=histogram(facts.scores, name="Scores of the listed videos"),
        source_chart=_counted(facts.sources, "Rows by candidate source"),
        reason_chart=_counted(facts.reasons, "Rows by reason"),
        timing_chart=bar_chart(
            [(timing.job, timing.seconds) for timing in facts.timings],
            name="Seconds a job", unit=" s",
        ),
        total_s=sum(timing.seconds for timing in facts.timings),
        segment_metrics=segment_metrics,
        scorers=scorers,
        scored=scored,
        measures=measures,
    )  # fmt: skip


def make_environment(*folders: Path) -> jinja2.Environment:
    """Templates that escape each value and write no sign that turns the text around it.

    A value that was escaped by hand (``|e``) keeps such signs, as fields that are sent back must.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        finalize=_inert,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment


def _inert(value: Any) -> Any:
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def format_number(value: Any) -> str:
    """A number for a table: whole ones with thousands, others with three significant digits."""
    if value is None or isinstance(value, str):
        return str(value or "–")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if float(value).is_integer() and abs(value) >= 2:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.1f}"


def _next_step(facts: ReportFacts) -> str:
    """What a reader of this report does next."""
    if facts.state == STOPPED:
        return (
            f"Nothing was published; readers keep the last published night. Look at the log of "
            f"{facts.stopped_at}, fix the cause and clear the red task: what is made already is "
            "taken from the store."
        )
    if facts.state == REJECTED:
        return (
            "The lists are kept but nobody reads them; readers keep the last published night. Look "
            "at the gates below: fix the input or the setting behind the red one and run the "
            "night again."
        )
    if facts.state == PASSED:
        return "All gates passed, but publish_lists has not finished. Clear it in Airflow."
    return "Readers see it unless a later night is published. To go back, trigger vidrec_rollback."


def _trends(facts: ReportFacts) -> list[tuple[str, Markup]]:
    """A chart over the nights for each of the main metrics."""
    trends = []
    for name in main_metrics(facts.measures, _MOST_CHARTS):
        there = [(night, said[name]) for night, said in facts.history if name in said]
        points = [Point(night, m.value, m.low, m.high) for night, m in there]
        trends.append((name, line_chart(points, name=f"{name} over the nights")))
    return trends


def _counted(counts: Mapping[str, int], name: str) -> Markup:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return bar_chart([(label, float(n)) for label, n in ordered], name=name)
