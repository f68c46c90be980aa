"""Tables: the result tables that readers rely on, and the views that follow the pointer.

One run's rows lie beside another's, told apart by ``run_id``; the one row of ``pointer`` says whose
rows the views ``current_<table>`` show. Leaves writing to `publisher`, reading to `reader`.
"""

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import CreateView

from vidrec_tasks import columns as c

POINTER_ROW: Final = 1
"""The key of the pointer's only row."""

CURRENT: Final = "current_"
"""What the name of a view begins with."""


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps it without a zone, so it is given back with one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The moment as the database keeps it."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The moment as the database gave it, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json: Final = sa.JSON(none_as_null=True)
"""Kept as it was written, to the last digit, and quicker to load: JSONB took twice as long."""

JsonB: Final = Json.with_variant(JSONB(none_as_null=True), "postgresql")

Id: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared byte by byte, as SQLite does: no change of a locale can spoil an index."""


def _key(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False, comment=comment)


def _must(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment)


def _may(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=f"{comment} May be null.")


def _run_id() -> sa.Column[Any]:
    return _key(c.RUN_ID, Id, "The run that the row is of.")


_A_PARTITION_A_RUN: Final[dict[str, Any]] = {"postgresql_partition_by": "LIST (run_id)"}

metadata: Final = sa.MetaData()

runs: Final = sa.Table(
    "runs",
    metadata,
    _key(c.RUN_ID, Id, "`<night>-<8 hex digits>`; the same id means the same rows."),
    _must("night", sa.Date, "The day that the run stands for: it sees only events before it."),
    _must("state", sa.Text, "`loading`, `published` or `rejected`."),
    _must("started_at", Moment, "When its first job began (UTC)."),
    _may("published_at", Moment, "When readers could first see it (UTC)."),
    _must("gates", JsonB, "Each gate with its value, bound and verdict, and whether all passed."),
    _must("metrics", JsonB, "What was measured on the held-out window."),
    _must("manifest", JsonB, "Hashes of inputs, settings, code, parents and artefacts; versions."),
    comment="One row per run, including rejected ones.",
)

pointer: Final = sa.Table(
    "pointer",
    metadata,
    sa.Column(
        "row_num",
        sa.Integer,
        sa.CheckConstraint(f"row_num = {POINTER_ROW}"),
        primary_key=True,
        autoincrement=False,
        comment="Always 1: there is one row.",
    ),
    sa.Column(
        c.RUN_ID,
        Id,
        sa.ForeignKey("runs.run_id"),
        nullable=True,
        comment="The run that readers see; null before the first night.",
    ),
    _may("moved_at", Moment, "When it was last moved (UTC)."),
    comment="Which run the views `current_<table>` show.",
)

recommendations: Final = sa.Table(
    "recommendations",
    metadata,
    _run_id(),
    _key(c.USER_ID, Id, "Whose list."),
    _key(c.RANK, sa.Integer, "1 is best; without gaps."),
    _must(c.VIDEO_ID, Id, "The video."),
    _must(c.SCORE, sa.Double, "Higher is better; comparable within one list only."),
    _must(c.SCORE_COMPONENTS, Json, "Name -> part of the score; they sum to it."),
    _must(c.SOURCE, sa.Text, "The candidate source that found it."),
    _must(c.REASON_CODE, sa.Text, "Why, as a code: that of the first sentence."),
    _must(c.EXPLANATION, sa.Text, "Why, in one sentence or two."),
    _must(
        c.EVIDENCE,
        Json,
        "What the first sentence was made from; `also` is the reason and evidence of the second.",
    ),
    _must(c.EXPLANATION_VERIFIED, sa.Boolean, "Each claim of it was recomputed and holds."),
    _must(c.VALID_UNTIL, Moment, "When the row goes stale or its video expires (UTC)."),
    # The video before the user: its index also answers in whose lists a video is.
    sa.UniqueConstraint(c.RUN_ID, c.VIDEO_ID, c.USER_ID),
    comment="One list per user.",
    **_A_PARTITION_A_RUN,
)

fallback_recommendations: Final = sa.Table(
    "fallback_recommendations",
    metadata,
    _run_id(),
    _key(c.SEGMENT, Id, "The kind of user; `__default__` always exists."),
    _key(c.RANK, sa.Integer, "1 is best; without gaps."),
    _must(c.VIDEO_ID, Id, "The video."),
    _must(c.SCORE, sa.Double, "Higher is better."),
    _must(c.REASON_CODE, sa.Text, "Why, as a code."),
    _must(c.EXPLANATION, sa.Text, "Why, as a sentence."),
    sa.UniqueConstraint(c.RUN_ID, c.SEGMENT, c.VIDEO_ID),
    comment="Lists for users without one of their own.",
    **_A_PARTITION_A_RUN,
)

similar_videos: Final = sa.Table(
    "similar_videos",
    metadata,
    _run_id(),
    _key(c.VIDEO_ID, Id, "The video that the others are similar to."),
    _key(c.RANK, sa.Integer, "1 is most similar; without gaps."),
    _must(c.SIMILAR_VIDEO_ID, Id, "A similar video."),
    _must(c.SCORE, sa.Double, "Higher is more similar."),
    _must(c.REASON, sa.Text, "What they share."),
    sa.UniqueConstraint(c.RUN_ID, c.VIDEO_ID, c.SIMILAR_VIDEO_ID),
    comment="The videos similar to each video.",
    **_A_PARTITION_A_RUN,
)

user_profiles: Final = sa.Table(
    "user_profiles",
    metadata,
    _run_id(),
    _key(c.USER_ID, Id, "Who."),
    _must(
        c.PORTRAIT,
        sa.Text,
        "What they watch, in up to four sentences; hours and weekdays are of UTC.",
    ),
    _must(c.PORTRAIT_SOURCE, sa.Text, "Who wrote most of its sentences: `model` or `template`."),
    _must(c.TOPICS, Json, "`[topic, weight, n_videos]`, strongest first."),
    _must(c.BEHAVIOUR, Json, "Name -> number: how they watch."),
    _must(c.AS_OF, Moment, "Nothing at or after this moment was read (UTC)."),
    _must(c.EVIDENCE, Json, "The numbered facts that it may state, each with a sentence."),
    _may(c.CLAIMS, Json, "Its sentences: text, numbers of the facts, source; each was recomputed."),
    _may(
        c.STRUCTURE,
        Json,
        "Interests, dislikes, turns, favourites, creators and habits, with numbers of facts.",
    ),
    _may(c.DROPPED, Json, "What was not published: text, numbers of facts, reason."),
    comment="What is known of a user before the night.",
    **_A_PARTITION_A_RUN,
)

search_results: Final = sa.Table(
    "search_results",
    metadata,
    _run_id(),
    _key(c.QUERY, Id, "What was searched for."),
    _key(c.RANK, sa.Integer, "1 is best; without gaps."),
    _must(c.VIDEO_ID, Id, "The video."),
    _must(c.SCORE, sa.Double, "Higher is better."),
    _must(c.MATCHED, sa.Text, "Of `title`, `seen`, `said`, `written` those that match, with `+`."),
    _may(c.AT_S, sa.Double, "Seconds into the video where the best frame or passage is."),
    sa.UniqueConstraint(c.RUN_ID, c.QUERY, c.VIDEO_ID),
    comment="Answers to the queries of the input table.",
    **_A_PARTITION_A_RUN,
)

creator_insights: Final = sa.Table(
    "creator_insights",
    metadata,
    _run_id(),
    _key(c.CREATOR_ID, Id, "Whose audience."),
    _key(c.TOPIC, Id, "What it watches."),
    _must(
        c.AUDIENCE_SHARE,
        sa.Double,
        "Share of the creator's viewers who watched the topic anywhere.",
    ),
    _may(
        c.TREND, sa.Double, "That share in the second half of the window minus that in the first."
    ),
    _may(c.COMPLETION, sa.Double, "Mean share watched of such videos, 0 to 1."),
    _may(c.SUPPLY, sa.Double, "Share of the videos on offer that carry the topic."),
    _may(c.GAP, sa.Double, "-1 to 1: above 0, less is on offer than this audience asks for."),
    _must(c.N_VIEWERS, sa.Integer, "Viewers behind the row, a multiple of k."),
    comment="What an audience wants; a cell with fewer than k viewers is not written.",
    **_A_PARTITION_A_RUN,
)

creator_videos: Final = sa.Table(
    "creator_videos",
    metadata,
    _run_id(),
    _key(c.CREATOR_ID, Id, "Who published it."),
    _key(c.VIDEO_ID, Id, "The video."),
    _may(
        c.PERFORMANCE,
        sa.Double,
        "log2 of its viewers relative to what is usual for its topics: 1 is twice, -1 half.",
    ),
    _must(
        c.REACHABLE_TOPICS, Json, "`[topic, share]`: who likes the topic and watches such videos."
    ),
    comment="How a creator's videos do.",
    **_A_PARTITION_A_RUN,
)

creator_summaries: Final = sa.Table(
    "creator_summaries",
    metadata,
    _run_id(),
    _key(c.CREATOR_ID, Id, "Whose audience."),
    _must(c.SUMMARY, sa.Text, "What it wants, in a sentence or two."),
    _must(c.SUMMARY_SOURCE, sa.Text, "Who wrote it: `model` or `template`."),
    comment="Insights in words.",
    **_A_PARTITION_A_RUN,
)

video_texts: Final = sa.Table(
    "video_texts",
    metadata,
    _run_id(),
    _key(c.VIDEO_ID, Id, "The video."),
    _key(c.PASSAGE_NUM, sa.Integer, "In the order of what is said, then of what is written."),
    _must(c.SOURCE, sa.Text, "`captions`, `speech` (heard by a model) or `screen` (read by one)."),
    _may(c.AT_S, sa.Double, "Seconds into the video where it begins."),
    _may(c.UNTIL_S, sa.Double, "Seconds into the video where it ends."),
    _must(c.LANGUAGE, sa.Text, "Code of its language; empty: not known."),
    _must(c.CONFIDENCE, sa.Double, "0 to 1; of captions 1."),
    _must(c.BOX, Json, "Left, top, right, bottom as shares of the frame; empty unless `screen`."),
    _must(c.TEXT, sa.Text, "What is said or written; text from outside, like a title."),
    comment="What is said in each video and written on its screen, in passages.",
    **_A_PARTITION_A_RUN,
)

video_cards: Final = sa.Table(
    "video_cards",
    metadata,
    _run_id(),
    _key(c.VIDEO_ID, Id, "The video."),
    _must(c.SUMMARY, sa.Text, "What it is about, in a line of its own words; empty: not known."),
    _must(c.TOPICS, Json, "Topics of the catalogue that it is about, strongest first."),
    _must(c.FORMAT, sa.Text, "`tutorial`, `interview`, `short clip`, …; empty: nothing shows it."),
    _must(c.MOOD, sa.Text, "`relaxing`, `funny`, `tense`, …; empty: nothing shows it."),
    _must(c.AUDIENCE, sa.Text, "`beginners`, `18 and over`, …; empty: nothing shows it."),
    _must(c.NAMED, Json, "People, places and works, as they are written."),
    _must(
        c.EVIDENCE, Json,
        "Of each part of a field: `field`, `value`, `source`, the `words` there, `by` whom.",
    ),
    _must(c.DROPPED, Json, "What a model wrote and nothing bore out: `field` and `reason`."),
    _must(c.CARD_SOURCE, sa.Text, "Who wrote it: `rules`, or `model` where some field is its own."),
    comment="What each video is, field by field, with what each field rests on.",
    **_A_PARTITION_A_RUN,
)  # fmt: skip

adhoc_search_results: Final = sa.Table(
    "adhoc_search_results",
    metadata,
    _key(c.REQUEST_ID, Id, "The request that asked."),
    _key(c.QUERY, Id, "What was searched for."),
    _key(c.RANK, sa.Integer, "1 is best; without gaps."),
    _must(c.RUN_ID, Id, "The run whose features answered."),
    _must(c.VIDEO_ID, Id, "The video."),
    _must(c.SCORE, sa.Double, "Higher is better."),
    _must(c.MATCHED, sa.Text, "Of `title`, `seen`, `said`, `written` those that match, with `+`."),
    _may(c.AT_S, sa.Double, "Seconds into the video where the best frame or passage is."),
    comment="Answers to queries asked by hand, which go with the run that answered; a published "
    "run is never altered for them.",
)

RESULTS: Final = {
    table.name: table
    for table in (
        recommendations,
        fallback_recommendations,
        similar_videos,
        user_profiles,
        search_results,
        creator_insights,
        creator_videos,
        creator_summaries,
        video_texts,
        video_cards,
    )
}
"""The tables that a run fills, by name."""

views: Final = sa.MetaData()
"""The views, apart from the tables: a view has no key and no comment of its own."""


def _current(table: sa.Table) -> sa.Table:
    """The view ``current_<table>``; the subquery lets the key's index do the work."""
    pointed = sa.select(pointer.c.run_id).scalar_subquery()
    rows = sa.select(table).where(table.c.run_id == pointed)
    return CreateView(rows, f"{CURRENT}{table.name}", metadata=views).table


VIEWS: Final = {table.name: _current(table) for table in (runs, *RESULTS.values())}
"""Table name -> its view of the current run."""
