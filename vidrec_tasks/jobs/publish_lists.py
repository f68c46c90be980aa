"""publish_lists: load the night's rows out of sight, then show them in one transaction."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from vidrec_tasks.columns import BEHAVIOUR, TOPICS, USER_ID
from vidrec_tasks.errors import GateError
from vidrec_tasks.jobs._job import Context, Made, job
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.manifest import manifest_of, started_at
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.run_rows import PUBLISHED
from vidrec_tasks.store.ledger import Ledger

log = logging.getLogger(__name__)

Tables = Mapping[str, Iterator[pd.DataFrame]]


@job(
    needs=(
        "explained.*", "portraits.*", "profiles.*", "similar", "fallbacks", "answers", "insights",
        "metrics", "gates",
    ),
    makes=("publication",),
    settings=("publishing",),
    is_pure=False,
)  # fmt: skip
def publish_lists(context: Context) -> Made:
    """Publish a night whose gates passed; what is published already is not loaded again."""
    _refuse_failed(context)
    publisher = Publisher(make_engine(results_url(context.settings, context.place)))
    publisher.prepare()
    rows = _load(context, publisher)
    run_id = context.run.run_id
    is_current = publisher.publish(run_id, datetime.now(UTC), rows=rows)
    dropped = publisher.prune(context.settings.publishing.retained_runs, keep=(run_id,))
    counts = {**rows, "is_current": is_current, "runs_dropped": len(dropped)}
    return Made({"publication": {"said": {"run_id": run_id, "rows": rows}}}, counts)


def _refuse_failed(context: Context) -> None:
    gates = context.read("gates", "gates")
    if not gates["passed"]:
        failed = [gate["name"] for gate in gates["gates"] if not gate["passed"]]
        message = (
            f"publish {context.night}: run {context.run.run_id} failed {', '.join(failed)}; "
            "readers keep what they have; see the report"
        )
        raise GateError(message)


def _load(context: Context, publisher: Publisher) -> dict[str, int]:
    """Load the run's rows, unless the database has just these; returns how many a table."""
    run_id = context.run.run_id
    described: dict[str, Any] = {
        "night": context.night,
        "started_at": started_at(context.run),
        "manifest": manifest_of(context.run),
        "metrics": context.read("metrics", "metrics"),
        "gates": context.read("gates", "gates"),
    }
    known = publisher.find(run_id)
    if known is None or known["state"] != PUBLISHED:
        publisher.open_run(run_id, **described)
        return publisher.load(run_id, _tables(context))
    rows = publisher.count(run_id)
    if known["manifest"] != described["manifest"]:
        rows = publisher.load(run_id, _tables(context))
        # Only now: a publisher killed before this line loads them again.
        publisher.open_run(run_id, **described)
    return rows


def _tables(context: Context) -> Tables:
    """Result table -> its frames; one user shard is in memory at a time."""
    read = context.read
    return {
        "recommendations": _recommendations(context),
        "user_profiles": _profiles(context),
        "similar_videos": iter([read("similar")]),
        "fallback_recommendations": iter([read("fallbacks")]),
        "search_results": iter([read("answers")]),
        **{
            name: iter([read("insights", name)])
            for name in ("creator_insights", "creator_videos", "creator_summaries")
        },
    }


def _recommendations(context: Context) -> Iterator[pd.DataFrame]:
    for shard in range(context.run.record.n_user_shards):
        yield _known(context, context.read(f"explained.{shard}"))


def _profiles(context: Context) -> Iterator[pd.DataFrame]:
    for shard in range(context.run.record.n_user_shards):
        profiles = context.read(f"profiles.{shard}")[[USER_ID, TOPICS, BEHAVIOUR]]
        portraits = _known(context, context.read(f"portraits.{shard}"))
        yield portraits.drop(columns=[TOPICS, BEHAVIOUR], errors="ignore").merge(
            profiles, on=USER_ID, validate="one_to_one"
        )


def _known(context: Context, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of users who were not forgotten since the night was read."""
    return rows[~Ledger(context.place).holds(rows[USER_ID])].reset_index(drop=True)
