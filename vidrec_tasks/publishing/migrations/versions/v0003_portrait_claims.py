"""The sentences of portraits with the facts they name, their structure, and what was dropped.

A migration is never changed once it was released, so it says all itself and imports no table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = (
    "run_id", "user_id", "portrait", "portrait_source", "topics", "behaviour", "as_of", "evidence",
)  # fmt: skip
NEW = ("claims", "structure", "dropped")


def upgrade() -> None:
    """Add the columns and show them in the view; a reader's rights to the view stay."""
    for name in NEW:
        op.add_column("user_profiles", sa.Column(name, sa.JSON(none_as_null=True)))
    create = "CREATE OR REPLACE VIEW"
    if op.get_context().dialect.name != "postgresql":
        op.execute("DROP VIEW current_user_profiles")
        create = "CREATE VIEW"
    op.execute(
        f"{create} current_user_profiles AS SELECT {', '.join((*COLUMNS, *NEW))} "
        "FROM user_profiles WHERE run_id = (SELECT run_id FROM pointer)"
    )
