"""write_report: say in one HTML file what the night is; a failed night has one too."""

import base64
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    EXPLANATION,
    EXPLANATION_VERIFIED,
    N_VIEWERS_RECENT,
    PATH,
    PORTRAIT,
    RANK,
    REASON_CODE,
    SCORE,
    SOURCE,
    TITLE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.contracts.artefacts import columns_of
from vidrec_tasks.contracts.rejects import LEFT_OUT
from vidrec_tasks.errors import MissingPart
from vidrec_tasks.evaluation.curves import ListCurves
from vidrec_tasks.evaluation.funnel import Steps, funnel_of
from vidrec_tasks.evaluation.measures import Measure, measures_of, segments_of
from vidrec_tasks.evaluation.report import (
    PASSED,
    PUBLISHED,
    REJECTED,
    STOPPED,
    ReportFacts,
    Sample,
    render_report,
)
from vidrec_tasks.evaluation.report_facts import (
    ListFacts,
    choose_sample_users,
    count_quarantine,
    count_rejects,
    is_unread,
    language_use,
    model_seconds,
    sample_lists,
    sampled_videos,
    settings_rows,
    sum_timings,
)
from vidrec_tasks.evaluation.worth import say_night
from vidrec_tasks.night import JOBS
from vidrec_tasks.running.job import Context, Made, job, n_tasks, shards_of
from vidrec_tasks.store.runs import Run, Runs

log = logging.getLogger(__name__)

HISTORY_NIGHTS = 14

_BESIDE = ("similar", "fallbacks", "answers")
_OF_LISTS = (USER_ID, VIDEO_ID, RANK, SCORE, SOURCE, REASON_CODE, EXPLANATION, EXPLANATION_VERIFIED)
"""What the report says of lists: evidence and parts of scores are most of their bytes."""


def report_state(context: Context) -> Any:
    """What the report is made of: with another artefact it is another report."""
    earlier = [(run.run_id, ref.checksum) for run, ref in _measured_nights(context)]
    mine = {ref.name: ref.checksum for ref in context.run.refs() if ref.name != "report"}
    return {"artefacts": mine, "earlier": earlier, "stopped_at": _stopped_at(context.run)}


@job(state=report_state, is_pure=False)
def write_report(context: Context) -> Made:
    """Write what there is; the copy in ``reports/`` also says how long each job took."""
    facts = _gather(context)
    html = render_report(facts).encode()
    receipts = list(context.run.receipts())
    measures = [*facts.measures, *model_seconds(receipts), *language_use(receipts)]
    timed = replace(facts, timings=sum_timings(receipts), measures=measures)
    path = context.store.path("reports", f"{facts.night}.html")
    context.store.write(path, render_report(timed).encode())
    log.info("the report of night %s (%s) lies in %s", facts.night, facts.state, path)
    counts = {"state": facts.state, "bytes": len(html), "path": str(path)}
    return Made({"report": {"html": html}}, counts)


def _gather(context: Context) -> ReportFacts:
    run = context.run
    metrics: dict[str, Any] = run.read_json("metrics", "metrics") if run.find("metrics") else {}
    gates: dict[str, Any] = run.read_json("gates", "gates") if run.find("gates") else {}
    state, stopped_at = _state(run)
    quarantine = _all(run, "keyframes", "quarantine")
    tracks = _all(run, "texts", "tracks")
    unread = tracks[is_unread(tracks)] if len(tracks) else tracks
    lists, curves = ListFacts(), ListCurves()
    videos = run.read_rows("videos", columns=(VIDEO_ID, TITLE))
    vectors = _vectors(run, videos)
    for explained in _each(run, "explained", columns=_OF_LISTS):
        lists.add(explained)
        curves.add(explained, vectors)
    return ReportFacts(
        night=run.record.night,
        run_id=run.run_id,
        state=state,
        stopped_at=stopped_at,
        catalogue_as_of=run.record.catalogue_as_of,
        parents=run.record.parents,
        gates=gates.get("gates", []),
        worth=say_night(metrics),
        measures=measures_of(metrics),
        history=_history(context),
        segments=segments_of(metrics),
        funnel=_funnel(run, videos, lists),
        rejects=_rejects(run),
        quarantine=count_quarantine(quarantine) if len(quarantine) else [],
        unread=count_quarantine(unread) if len(unread) else [],
        sources=lists.sources,
        reasons=lists.reasons,
        showings=[lists.showings[video] for video in videos[VIDEO_ID]] if lists.n_rows else [],
        viewings=_viewings(run) if lists.n_rows else [],
        coverage=curves.coverage(len(videos)),
        diversity=curves.diversity(),
        score_by_rank=curves.score_by_rank(),
        scores=lists.scores,
        verified_share=lists.verified_share,
        samples=_samples(context, videos),
        settings=settings_rows(run.record.settings),
    )


def _rejects(run: Run) -> list[tuple[str, str, int, str]]:
    if run.find("rejects") is None:
        return []
    left_out = None
    with suppress(MissingPart):
        left_out = run.read_table("rejects", LEFT_OUT)
    return count_rejects(run.read_table("rejects"), left_out)


def _state(run: Run) -> tuple[str, str]:
    """The state of the night, and the job that it stopped at."""
    if run.find("publication") is not None:
        return PUBLISHED, ""
    if run.find("gates") is None:
        return STOPPED, _stopped_at(run)
    passed = run.read_json("gates", "gates")["passed"]
    return (PASSED, "publish_lists") if passed else (REJECTED, "check_gates")


def _stopped_at(run: Run) -> str:
    """The first job of the night that was not done for all its shards."""
    done = Counter(receipt["job"] for receipt in run.receipts())
    undone = (plan for plan in JOBS[:-1] if done[plan.name] < n_tasks(run.record, plan.per))
    return next((plan.name for plan in undone), "")


def _measured_nights(context: Context) -> list[tuple[Run, Any]]:
    """Earlier nights' newest runs that have metrics, oldest first."""
    runs = Runs(context.store)
    nights = sorted({run.night for run in runs if run.night < context.night})
    pinned = [runs.pinned(night) for night in nights]
    newest = [runs.find(night["run_id"]) for night in pinned if night is not None]
    found = [(run, run.find("metrics")) for run in newest if run is not None]
    return [(run, ref) for run, ref in found if ref is not None][-(HISTORY_NIGHTS - 1) :]


def _history(context: Context) -> list[tuple[str, dict[str, Measure]]]:
    runs = [run for run, _ in _measured_nights(context)]
    if context.run.find("metrics") is not None:
        runs.append(context.run)
    return [
        (run.record.night, {m.name: m for m in measures_of(run.read_json("metrics", "metrics"))})
        for run in runs
    ]


def _funnel(run: Run, videos: pd.DataFrame, lists: ListFacts) -> dict[str, Steps]:
    """Where rows are lost on the way, and what stands beside the lists."""
    found = funnel_of(run.receipts())
    if lists.n_rows:
        found.setdefault("videos", []).append(("in a list", len(lists.showings)))
    beside = [(name, _n_rows(run, name)) for name in _BESIDE if run.find(name)]
    return {**found, "rows beside the lists": beside} if beside else found


def _n_rows(run: Run, name: str) -> int:
    return len(run.read_rows(name, columns=columns_of(name)[:1]))


def _vectors(run: Run, videos: pd.DataFrame) -> dict[str, Any]:
    """Video -> its fused embedding."""
    if run.find("content") is None:
        return {}
    return dict(zip(videos[VIDEO_ID], run.read_array("content", "fused"), strict=True))


def _viewings(run: Run) -> list[int]:
    """How many users watched each video lately."""
    if run.find("popularity") is None:
        return []
    viewers = run.read_rows("popularity", columns=(N_VIEWERS_RECENT,))
    return [int(n) for n in viewers[N_VIEWERS_RECENT]]


def _samples(context: Context, videos: pd.DataFrame) -> list[Sample]:
    lists = _each(context.run, "explained", columns=_OF_LISTS)
    explained = next((frame for frame in lists if len(frame)), None)
    if explained is None:
        return []
    users = choose_sample_users(explained)
    portraits = list(_each(context.run, "portraits", columns=(USER_ID, PORTRAIT), of=users))
    known = pd.concat(portraits) if portraits else pd.DataFrame({USER_ID: [], PORTRAIT: []})
    return sample_lists(
        explained,
        users,
        titles=dict(zip(videos[VIDEO_ID], videos[TITLE], strict=True)),
        portraits=dict(zip(known[USER_ID], known[PORTRAIT], strict=True)),
        pictures=_pictures(context, sampled_videos(explained, users)),
    )


def _pictures(context: Context, video_ids: list[str]) -> dict[str, str]:
    """The middle keyframe of each video as a data URI: the report stands alone."""
    if context.run.find("frames") is None:
        return {}
    frames = context.run.read_rows("frames", column=VIDEO_ID, values=video_ids)
    pictures = {}
    for video_id, rows in frames.groupby(VIDEO_ID):
        path = context.store.path("features", "keyframes", str(rows[PATH].iloc[len(rows) // 2]))
        if path.exists():
            data = base64.b64encode(context.store.read(path)).decode()
            pictures[str(video_id)] = f"data:image/jpeg;base64,{data}"
    return pictures


def _each(
    run: Run,
    kind: str,
    part: str = "table",
    *,
    columns: Sequence[str] | None = None,
    of: Sequence[str] | None = None,
) -> Iterator[pd.DataFrame]:
    """The shards of a kind that were made: some columns of them, or of some users alone."""
    column = None if of is None else USER_ID
    for name in shards_of(run, kind):
        if run.find(name) is not None:
            yield run.read_rows(name, part, column=column, values=of or (), columns=columns)


def _all(run: Run, kind: str, part: str) -> pd.DataFrame:
    frames = list(_each(run, kind, part))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
