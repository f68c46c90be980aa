"""The table of what each video is, and its view.

A migration is never changed once it was released, so it says all itself and imports no table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = (
    "run_id", "video_id", "summary", "topics", "format", "mood", "audience", "named", "evidence",
    "dropped", "card_source",
)  # fmt: skip
LISTS = ("topics", "named", "evidence", "dropped")


def upgrade() -> None:
    """Make the table and the view."""
    is_partitioned = op.get_context().dialect.name == "postgresql"
    op.create_table(
        "video_cards",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("video_id", ID, nullable=False),
        *(
            sa.Column(
                name, sa.JSON(none_as_null=True) if name in LISTS else sa.Text(), nullable=False
            )
            for name in COLUMNS[2:]
        ),
        sa.PrimaryKeyConstraint(
            *(["video_id", "run_id"] if is_partitioned else ["run_id", "video_id"])
        ),
        postgresql_partition_by="LIST (run_id)",
    )
    op.execute(
        f"CREATE VIEW current_video_cards AS SELECT {', '.join(COLUMNS)} FROM video_cards "
        "WHERE run_id = (SELECT run_id FROM pointer)"
    )
