"""The result tables, the pointer and the views that follow it.

A migration is never changed once it was released, so it says all itself and imports no table.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True)
KINDS: dict[str, Any] = {
    "id": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    "text": sa.Text(),
    "integer": sa.Integer(),
    "double": sa.Double(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "moment": sa.DateTime(timezone=True),
    "json": JSON,
    "jsonb": JSON.with_variant(JSONB(none_as_null=True), "postgresql"),
}

PLAIN: dict[str, tuple[str, list[str]]] = {
    "runs": (
        "run_id id, night date, state text, started_at moment, published_at moment?, gates jsonb, "
        "metrics jsonb, manifest jsonb",
        ["run_id"],
    ),
    "adhoc_search_results": (
        "request_id id, query id, rank integer, run_id id, video_id id, score double, "
        "matched text, at_s double?",
        ["request_id", "query", "rank"],
    ),
}
"""Table -> its columns (a question mark: may be null) and its key."""

OF_A_RUN: dict[str, tuple[str, list[str], list[str] | None]] = {
    "recommendations": (
        "run_id id, user_id id, rank integer, video_id id, score double, score_components json, "
        "source text, reason_code text, explanation text, evidence json, "
        "explanation_verified boolean, valid_until moment",
        ["user_id", "rank"],
        ["video_id", "user_id"],  # in this order: its index answers in whose lists a video is
    ),
    "fallback_recommendations": (
        "run_id id, segment id, rank integer, video_id id, score double, reason_code text, "
        "explanation text",
        ["segment", "rank"],
        ["segment", "video_id"],
    ),
    "similar_videos": (
        "run_id id, video_id id, rank integer, similar_video_id id, score double, reason text",
        ["video_id", "rank"],
        ["video_id", "similar_video_id"],
    ),
    "user_profiles": (
        "run_id id, user_id id, portrait text, portrait_source text, topics json, behaviour json, "
        "as_of moment, evidence json",
        ["user_id"],
        None,
    ),
    "search_results": (
        "run_id id, query id, rank integer, video_id id, score double, matched text, at_s double?",
        ["query", "rank"],
        ["query", "video_id"],
    ),
    "creator_insights": (
        "run_id id, creator_id id, topic id, audience_share double, trend double?, "
        "completion double?, supply double?, gap double?, n_viewers integer",
        ["creator_id", "topic"],
        None,
    ),
    "creator_videos": (
        "run_id id, creator_id id, video_id id, performance double?, reachable_topics json",
        ["creator_id", "video_id"],
        None,
    ),
    "creator_summaries": (
        "run_id id, creator_id id, summary text, summary_source text",
        ["creator_id"],
        None,
    ),
}
"""Table -> its columns, its key and what else is unique, both beside run_id."""


def upgrade() -> None:
    """Make tables, pointer and views."""
    for name, (columns, key) in PLAIN.items():
        op.create_table(name, *_columns(columns), sa.PrimaryKeyConstraint(*key))
    _create_pointer()
    for name, (columns, key, unique) in OF_A_RUN.items():
        also = [sa.UniqueConstraint(*_with_run(unique))] if unique else []
        constraints = [sa.PrimaryKeyConstraint(*_with_run(key)), *also]
        op.create_table(
            name, *_columns(columns), *constraints, postgresql_partition_by="LIST (run_id)"
        )
    seen = {"runs": PLAIN["runs"][0], **{name: declared[0] for name, declared in OF_A_RUN.items()}}
    for name, columns in seen.items():
        names = ", ".join(column.split()[0] for column in columns.split(", "))
        op.execute(
            f"CREATE VIEW current_{name} AS SELECT {names} FROM {name} "
            "WHERE run_id = (SELECT run_id FROM pointer)"
        )


def _create_pointer() -> None:
    op.create_table(
        "pointer",
        sa.Column("row_num", sa.Integer, sa.CheckConstraint("row_num = 1"), autoincrement=False),
        sa.Column("run_id", KINDS["id"], sa.ForeignKey("runs.run_id")),
        sa.Column("moved_at", KINDS["moment"]),
        sa.PrimaryKeyConstraint("row_num"),
    )
    op.execute("INSERT INTO pointer (row_num) VALUES (1)")


def _columns(declared: str) -> list[sa.Column[Any]]:
    pairs = [column.split() for column in declared.split(", ")]
    return [
        sa.Column(name, KINDS[kind.rstrip("?")], nullable=kind.endswith("?"))
        for name, kind in pairs
    ]


def _with_run(key: list[str]) -> list[str]:
    """A key with run_id: first where all runs lie in one index, last where each has its own."""
    is_partitioned = op.get_context().dialect.name == "postgresql"
    return [*key, "run_id"] if is_partitioned else ["run_id", *key]
