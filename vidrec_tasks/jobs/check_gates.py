"""check_gates: hold the night against its bounds; what fails is kept as rejected, in the open."""

import logging
from collections.abc import Sequence
from typing import Any

import pandas as pd

from vidrec_tasks.errors import GateError
from vidrec_tasks.evaluation.gates import Gate, evaluate_gates, failed, in_words
from vidrec_tasks.evaluation.list_counts import ListCounts, count_lists
from vidrec_tasks.jobs._job import Context, Made, job, midnight
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.manifest import manifest_of, started_at
from vidrec_tasks.publishing.publisher import Publisher

log = logging.getLogger(__name__)


@job(
    needs=(
        "metrics", "explained.*", "profiles.*", "similar", "fallbacks", "duplicates", "videos",
        "users", "rejects",
    ),
    makes=("gates",),
    settings=("evaluation", "recommending", "content"),
    is_pure=False,
)  # fmt: skip
def check_gates(context: Context) -> Made:
    """Count shard by shard, judge once; a rejected run keeps its gates and its row in ``runs``."""
    counts = sum(
        (_count(context, str(shard)) for shard in range(context.run.record.n_user_shards)),
        ListCounts(),
    )
    metrics = context.read("metrics", "metrics")
    gates = evaluate_gates(
        counts,
        metrics,
        similar=context.read("similar"),
        fallbacks=context.read("fallbacks"),
        videos=context.read("videos"),
        rejects=context.read("rejects"),
        settings=context.settings,
    )
    said = {"gates": [gate.to_json() for gate in gates], "passed": not failed(gates)}
    if failed(gates):
        _reject(context, metrics, said)
    receipt = {
        "gates": len(gates),
        "failed": len(failed(gates)),
        "not_applicable": sum(gate.value is None for gate in gates),
        "active_users": counts.n_active,
        "users_with_a_list": counts.n_listed,
        "users_who_saw_all": counts.n_exhausted,
    }
    return Made({"gates": {"gates": said}}, receipt, error=_verdict(context, gates))


def _count(context: Context, shard: str) -> ListCounts:
    videos: pd.DataFrame = context.read("videos")
    return count_lists(
        context.read(f"explained.{shard}"),
        context.read(f"profiles.{shard}"),
        context.read(f"profiles.{shard}", "visits"),
        videos,
        context.read("users"),
        context.read("duplicates"),
        moment=pd.Timestamp(midnight(context.night)),
        n=context.settings.recommending.n,
        default_max_age_rating=context.settings.recommending.default_max_age_rating,
    )


def _reject(context: Context, metrics: dict[str, Any], gates: dict[str, Any]) -> None:
    publisher = Publisher(make_engine(results_url(context.settings, context.place)))
    publisher.prepare()
    publisher.reject(
        context.run.run_id,
        night=context.night,
        started_at=started_at(context.run),
        manifest=manifest_of(context.run),
        metrics=metrics,
        gates=gates,
    )


def _verdict(context: Context, gates: Sequence[Gate]) -> GateError | None:
    wrong = failed(gates)
    if not wrong:
        return None
    return GateError(
        f"gates {context.night}: {len(wrong)} of {len(gates)} failed: "
        f"{'; '.join(in_words(gate) for gate in wrong)}; run {context.run.run_id} is kept as "
        "rejected and readers keep what they have; see the report"
    )
