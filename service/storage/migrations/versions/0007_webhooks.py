"""Webhooks, their deliveries, and whom those name."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "webhooks",
        sa.Column("id", BY_BYTES, primary_key=True),
        _community(),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("webhooks_of_community", "webhooks", ["community", "id"])
    _create_deliveries()
    op.create_table(
        "mentions",
        _of("deliveries", "delivery", primary_key=True),
        sa.Column("code", BY_BYTES, primary_key=True),
        _community(),
    )
    op.create_index("mentions_by_code", "mentions", ["community", "code"])


def _community() -> sa.Column[int]:
    owner = sa.ForeignKey("communities.number", ondelete="CASCADE")
    return sa.Column("community", NUMBER, owner, nullable=False)


def _of(table: str, name: str, *, primary_key: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, BY_BYTES, owner, nullable=False, primary_key=primary_key)


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", BY_BYTES, primary_key=True),
        _community(),
        _of("webhooks", "webhook"),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("lease", sa.String),
        sa.Column("scrub_at", sa.BigInteger),
        sa.Column("status", sa.SmallInteger),
        sa.Column("error", sa.String),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    for name, columns in (
        ("deliveries_of_community", ["community"]),
        ("deliveries_of_webhook", ["webhook", "id"]),
        ("deliveries_by_due_time", ["webhook", "state", "due_at"]),
        ("deliveries_by_end", ["state", "due_at"]),
        ("deliveries_by_scrubbing", ["scrub_at"]),
    ):
        op.create_index(name, "deliveries", columns)
