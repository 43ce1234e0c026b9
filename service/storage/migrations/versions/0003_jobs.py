"""Jobs: work that must happen, leased by workers."""

import sqlalchemy as sa
from alembic import op

revision = "0003_jobs"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column(
            "community", NUMBER, sa.ForeignKey("communities.number", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("subject", BY_BYTES, nullable=False),
        sa.Column("run_at", sa.BigInteger),
        sa.Column("again_at", sa.BigInteger),
        sa.Column("lease", sa.String),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("community", "kind", "subject", name="jobs_by_subject"),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_by_time", "jobs", ["run_at"])
