"""What models learn: arrays, prices and figures; what is counted of feedback; who is unserved."""

import sqlalchemy as sa
from alembic import op

revision = "0004_learning"
down_revision = "0003_jobs"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTED = ("feedback", "learnt_feedback", "introduced", "replied")


def upgrade() -> None:
    """Add the columns, create the table, and have every community that has members learn."""
    op.add_column("models", sa.Column("arrays", sa.LargeBinary))
    op.add_column("models", sa.Column("figures", sa.Text))
    for name in COUNTED:
        op.add_column("communities", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "unserved",
        sa.Column(
            "community", NUMBER, sa.ForeignKey("communities.number", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "number",
            NUMBER,
            sa.ForeignKey("profiles.number", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("no_suggestion", sa.Boolean, nullable=False),
        sa.Column("never_suggested", sa.Boolean, nullable=False),
    )
    op.create_index("unserved_of_community", "unserved", ["community"])
    op.execute(
        "INSERT INTO jobs (community, kind, subject, run_at, attempts, progress, created_at)"
        " SELECT number, 'refit', '', created_at, 0, 0, created_at FROM communities WHERE members > 0"
    )
