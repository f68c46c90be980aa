"""check_gates: hold the night against its bounds; what fails is kept as rejected, in the open."""

import logging
from collections.abc import Sequence
from typing import Any

import pandas as pd

from vidrec_tasks.columns import USER_ID, VIDEO_ID
from vidrec_tasks.errors import GateError
from vidrec_tasks.evaluation.gates import Evidence, Verdict, Volume, evaluate_gates, failed
from vidrec_tasks.evaluation.list_counts import (
    OF_LISTS,
    OF_PROFILES,
    OF_USERS,
    OF_VIDEOS,
    OF_VISITS,
    ListCounts,
    Rulebook,
    count_lists,
)
from vidrec_tasks.evaluation.list_shape import ListShape, measure_shape
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.manifest import manifest_of, started_at
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.running.job import Context, Made, job, midnight, shards_before
from vidrec_tasks.store.artefacts import Ref
from vidrec_tasks.store.runs import Run

log = logging.getLogger(__name__)


@job(is_pure=False)
def check_gates(context: Context) -> Made:
    """Count shard by shard, judge once; a rejected run keeps its gates and its row in ``runs``."""
    videos = context.read_rows("videos", columns=OF_VIDEOS)
    rules = Rulebook(
        videos,
        context.read_rows("users", columns=OF_USERS),
        context.read_table("duplicates"),
        moment=pd.Timestamp(midnight(context.night)),
        n=context.settings.recommending.n,
        default_max_age_rating=context.settings.recommending.default_max_age_rating,
    )
    shards = range(context.run.record.n_user_shards)
    counts = sum((_count(context, str(shard), rules) for shard in shards), ListCounts())
    metrics: dict[str, Any] = context.read_json("metrics", "metrics")
    gates = evaluate_gates(
        Evidence(
            counts,
            metrics,
            similar=context.read_table("similar"),
            fallbacks=context.read_table("fallbacks"),
            videos=videos,
            rejects=context.read_table("rejects"),
            settings=context.settings,
            shape=_shape(context),
            volume=_volume(context),
            visible=rules.visible,
        )
    )
    outcome = {"gates": [gate.to_json() for gate in gates], "passed": not failed(gates)}
    if failed(gates):
        _reject(context, metrics, outcome)
    receipt = {
        "gates": len(gates),
        "failed": len(failed(gates)),
        "not_applicable": sum(gate.value is None for gate in gates),
        "active_users": counts.n_active,
        "users_with_a_list": counts.n_listed,
        "users_who_saw_all": counts.n_exhausted,
    }
    return Made({"gates": {"gates": outcome}}, receipt, error=_verdict(context, gates))


def _count(context: Context, shard: str, rules: Rulebook) -> ListCounts:
    return count_lists(
        context.read_rows(f"explained.{shard}", columns=OF_LISTS),
        context.read_rows(f"profiles.{shard}", columns=OF_PROFILES),
        context.read_rows(f"profiles.{shard}", "visits", columns=OF_VISITS),
        rules,
    )


def _volume(context: Context) -> Volume:
    """What tonight's inputs hold beside those of the last published night."""
    previous = context.parent("previous")
    if previous is None:
        return Volume()
    tonight, then = _read_of(context.run), _read_of(previous)
    videos, videos_then = (
        set(run.read_table("videos")[VIDEO_ID]) if run.find("videos") is not None else set()
        for run in (context.run, previous)
    )
    return Volume(
        _share_of(tonight, then, "interactions_accepted"),
        _share_of(tonight, then, "interactions_users"),
        len(videos_then - videos) / len(videos_then) if videos_then else None,
    )


def _read_of(run: Run) -> dict[str, int]:
    """The counts of the inputs that a run is pinned to; none where they are gone."""
    pinned = Ref("pinned", run.record.inputs, "", 0, 0)
    if run.artefacts.find(pinned.name, pinned.key) is None:
        return {}
    written: dict[str, Any] = run.artefacts.read_json(pinned, "said")
    return dict(written["counts"])


def _share_of(tonight: dict[str, int], then: dict[str, int], name: str) -> float | None:
    return tonight.get(name, 0) / then[name] if then.get(name) else None


def _shape(context: Context) -> ListShape:
    """What tonight's lists have in common, and with those of the night before if it is there."""
    shape = ListShape()
    for shard in range(context.run.record.n_user_shards):
        before = _before(context, str(shard))
        lists = context.read_rows(f"explained.{shard}", columns=(USER_ID, VIDEO_ID))
        shape += measure_shape(lists, before)
    return shape


def _before(context: Context, shard: str) -> pd.DataFrame | None:
    """Last night's lists of a shard's users; all of them where users were split otherwise."""
    previous = context.parent("previous")
    if previous is None:
        return None
    names = shards_before(previous, context.run, "explained", shard)
    if any(previous.find(name) is None for name in names):
        return None
    parts = [previous.read_rows(name, columns=(USER_ID, VIDEO_ID)) for name in names]
    return pd.concat(parts, ignore_index=True)


def _reject(context: Context, metrics: dict[str, Any], gates: dict[str, Any]) -> None:
    publisher = Publisher(make_engine(results_url(context.settings, context.store)))
    publisher.prepare()
    publisher.reject(
        context.run.run_id,
        night=context.night,
        started_at=started_at(context.run),
        manifest=manifest_of(context.run),
        metrics=metrics,
        gates=gates,
    )


def _verdict(context: Context, gates: Sequence[Verdict]) -> GateError | None:
    wrong = failed(gates)
    if not wrong:
        return None
    steps = dict.fromkeys(gate.next_step for gate in wrong if gate.next_step)
    return GateError(
        f"gates {context.night}: {len(wrong)} of {len(gates)} failed: "
        f"{'; '.join(gate.in_words() for gate in wrong)}; {''.join(f'{step}; ' for step in steps)}"
        f"run {context.run.run_id} is kept as rejected and readers keep what they have; see the "
        "report"
    )
