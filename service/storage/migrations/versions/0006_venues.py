"""Venues, and the addresses of members' calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005_rounds"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "venues",
        _community(primary_key=True),
        sa.Column("id", BY_BYTES, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    member = sa.ForeignKey("profiles.number", ondelete="CASCADE")
    op.create_table(
        "calendar_feeds",
        _community(),
        sa.Column("member", NUMBER, member, primary_key=True, autoincrement=False),
        sa.Column("nonce", sa.String, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _community(*, primary_key: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey("communities.number", ondelete="CASCADE")
    return sa.Column("community", NUMBER, owner, nullable=False, primary_key=primary_key)
