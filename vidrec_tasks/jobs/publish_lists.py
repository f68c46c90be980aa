"""publish_lists: load the night's rows out of sight, then show them in one transaction."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    BEHAVIOUR,
    BOX,
    CARD_KEY,
    CONFIDENCE,
    LANGUAGE,
    PASSAGE_NUM,
    SOURCE,
    TEXT,
    TOPICS,
    UNTIL_S,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.content.texts.tracks import SAID, SCREEN
from vidrec_tasks.errors import GateError
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.manifest import manifest_of, started_at
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.run_rows import PUBLISHED
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.retention import drop_old_runs

log = logging.getLogger(__name__)

TEXT_COLUMNS: Final = [
    VIDEO_ID, PASSAGE_NUM, SOURCE, AT_S, UNTIL_S, LANGUAGE, CONFIDENCE, BOX, TEXT,
]  # fmt: skip

Tables = Mapping[str, Iterator[pd.DataFrame]]

APPROVED_BY: Final = "approved_by"
SHUT: Final = "an approval counts only with VIDREC_PUBLISHING__ALLOW_OVERRIDE=true"


@job(is_pure=False)
def publish_lists(context: Context) -> Made:
    """Publish a night whose gates passed; what is published already is not loaded again."""
    gates = _passed_or_approved(context)
    publisher = Publisher(
        make_engine(results_url(context.settings, context.store)),
        n_connections=context.settings.publishing.connections,
    )
    publisher.prepare()
    rows = _load(context, publisher, gates)
    run_id = context.run.run_id
    is_current = publisher.publish(run_id, datetime.now(UTC), rows=rows)
    n_retained = context.settings.publishing.retained_runs
    dropped = publisher.prune(n_retained, keep=(run_id,))
    left = drop_old_runs(context.store, publisher.known(), n_newest=n_retained)
    counts = {
        **rows,
        "is_current": is_current,
        "runs_dropped": len(dropped),
        "store_runs_dropped": len(left.runs),
        "store_bytes_freed": left.bytes,
        "store_films_dropped": left.films,
    }
    if APPROVED_BY in gates:
        counts[APPROVED_BY] = gates[APPROVED_BY]
    return Made({"publication": {"said": {"run_id": run_id, "rows": rows}}}, counts)


def _passed_or_approved(context: Context) -> dict[str, Any]:
    """The verdict of the gates, with who overrode it, if a person did.

    Raises:
        GateError: a gate failed, and nobody may or did say otherwise of this very run.
    """
    gates: dict[str, Any] = context.read_json("gates", "gates")
    if gates["passed"]:
        return gates
    failed = ", ".join(gate["name"] for gate in gates["gates"] if not gate["passed"])
    run_id, approval = context.run.run_id, context.approval
    why = ""
    if approval is not None:
        if approval.run_id == run_id and context.settings.publishing.allow_override:
            log.warning("run %s: published although it failed %s, as approved", run_id, failed)
            return {**gates, APPROVED_BY: approval.by, "approved_at": approval.at}
        is_other = approval.run_id != run_id
        why = f"; the approval is of run {approval.run_id}" if is_other else f"; {SHUT}"
    message = (
        f"publish {context.night}: run {run_id} failed {failed}{why}; readers keep what they "
        "have; see the report"
    )
    raise GateError(message)


def _load(context: Context, publisher: Publisher, gates: dict[str, Any]) -> dict[str, int]:
    """Load the run's rows, unless the database has just these; returns how many a table."""
    run_id = context.run.run_id
    described: dict[str, Any] = {
        "night": context.night,
        "started_at": started_at(context.run),
        "manifest": manifest_of(context.run),
        "metrics": context.read_json("metrics", "metrics"),
        "gates": gates,
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
    return {
        "recommendations": _recommendations(context),
        "user_profiles": _profiles(context),
        "similar_videos": iter([_read(context, "similar")]),
        "fallback_recommendations": iter([_read(context, "fallbacks")]),
        "search_results": iter([_read(context, "answers")]),
        "video_texts": _texts(context),
        "video_cards": _cards(context),
        **{
            name: iter([_read(context, "insights", name)])
            for name in ("creator_insights", "creator_videos", "creator_summaries")
        },
    }


def _recommendations(context: Context) -> Iterator[pd.DataFrame]:
    for shard in range(context.run.record.n_user_shards):
        yield _known(context, _read(context, f"explained.{shard}"))


def _texts(context: Context) -> Iterator[pd.DataFrame]:
    """What is said and written; title and description are in the catalogue."""
    for shard in range(context.run.record.n_video_shards):
        passages = _read(context, f"texts.{shard}")
        of_films = passages[SOURCE].isin((*SAID, SCREEN))
        yield passages.loc[of_films, TEXT_COLUMNS].reset_index(drop=True)


def _cards(context: Context) -> Iterator[pd.DataFrame]:
    """What each video is; keys and the text of its vector are the night's own."""
    for shard in range(context.run.record.n_video_shards):
        yield _read(context, f"cards.{shard}").drop(columns=[TEXT, CARD_KEY])


def _profiles(context: Context) -> Iterator[pd.DataFrame]:
    for shard in range(context.run.record.n_user_shards):
        profiles = _read(context, f"profiles.{shard}")[[USER_ID, TOPICS, BEHAVIOUR]]
        portraits = _known(context, _read(context, f"portraits.{shard}"))
        yield portraits.drop(columns=[TOPICS, BEHAVIOUR], errors="ignore").merge(
            profiles, on=USER_ID, validate="one_to_one"
        )


def _read(context: Context, name: str, part: str = "table") -> pd.DataFrame:
    """A frame with its JSON as the store keeps it: the tables take it as it stands."""
    return context.read_rows(name, part, as_text=True)


def _known(context: Context, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of users who were not forgotten since the night was read."""
    return rows[~Ledger(context.store).holds(rows[USER_ID])].reset_index(drop=True)
