"""The table of what is said in videos and written on their screens, and its view.

A migration is never changed once it was released, so it says all itself and imports no table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = (
    "run_id", "video_id", "passage_num", "source", "at_s", "until_s", "language", "confidence",
    "box", "text",
)  # fmt: skip


def upgrade() -> None:
    """Make the table and the view."""
    is_partitioned = op.get_context().dialect.name == "postgresql"
    key = ["video_id", "passage_num"]
    op.create_table(
        "video_texts",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("video_id", ID, nullable=False),
        sa.Column("passage_num", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at_s", sa.Double()),
        sa.Column("until_s", sa.Double()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("box", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(*([*key, "run_id"] if is_partitioned else ["run_id", *key])),
        postgresql_partition_by="LIST (run_id)",
    )
    op.execute(
        f"CREATE VIEW current_video_texts AS SELECT {', '.join(COLUMNS)} FROM video_texts "
        "WHERE run_id = (SELECT run_id FROM pointer)"
    )
