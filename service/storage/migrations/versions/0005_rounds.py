"""Rounds and meetups; what the two of a pair said after one, and until when a round keeps them apart."""

import sqlalchemy as sa
from alembic import op

revision = "0005_rounds"
down_revision = "0003_jobs"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, create the tables."""
    for column in (
        sa.Column("low_outcome", sa.String),
        sa.Column("high_outcome", sa.String),
        sa.Column("apart_until", sa.BigInteger),
    ):
        op.add_column("pairs", column)
    _create_rounds()
    _create_seats()
    _create_meetups()


def _community() -> sa.Column[int]:
    owner = sa.ForeignKey("communities.number", ondelete="CASCADE")
    return sa.Column("community", NUMBER, owner, nullable=False)


def _owner(name: str, table: str, *, primary_key: bool = True) -> sa.Column[int]:
    owner = sa.ForeignKey(f"{table}.number", ondelete="CASCADE")
    return sa.Column(name, NUMBER, owner, primary_key=primary_key)


def _create_rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        _community(),
        sa.Column("id", BY_BYTES, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("group_size", sa.SmallInteger, nullable=False),
        sa.Column("starts_on", sa.String, nullable=False),
        sa.Column("ends_on", sa.String, nullable=False),
        sa.Column("cooldown_days", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("everyone", sa.Boolean, nullable=False),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.Column("stats", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("published_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("rounds_by_publication", "rounds", ["community", "published_at"])


def _create_seats() -> None:
    op.create_table(
        "round_seats",
        _owner("round", "rounds"),
        sa.Column("member", NUMBER, primary_key=True, autoincrement=False),
        _community(),
        sa.Column("group_number", sa.Integer),
        sa.Column("reason", sa.String),
    )
    op.create_index("round_seats_by_member", "round_seats", ["member"])
    op.create_index("round_seats_by_group", "round_seats", ["round", "group_number"])
    op.create_table(
        "round_groups",
        _owner("round", "rounds"),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _community(),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("relaxed", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("place", sa.Text),
    )
    op.create_table(
        "round_pins",
        _owner("round", "rounds"),
        sa.Column("together", sa.Boolean, primary_key=True),
        sa.Column("pin", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("member", NUMBER, primary_key=True, autoincrement=False),
        _community(),
    )
    op.create_index("round_pins_by_member", "round_pins", ["member"])


def _create_meetups() -> None:
    op.create_table(
        "meetups",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        _community(),
        sa.Column("id", BY_BYTES, nullable=False, unique=True),
        sa.Column("round", NUMBER),
        sa.Column("previous", NUMBER, unique=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("starts_at", sa.BigInteger),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Text),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("tried", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("meetups_of_community", "meetups", ["community", "id"])
    op.create_index("meetups_by_due_time", "meetups", ["community", "due_at"])
    op.create_index("meetups_by_round", "meetups", ["round"])
    op.create_table(
        "meetup_members",
        _owner("meetup", "meetups"),
        sa.Column("member", NUMBER, primary_key=True, autoincrement=False),
        _community(),
        sa.Column("comes", sa.Boolean, nullable=False),
        sa.Column("reply", sa.String),
        sa.Column("outcome", sa.String),
        sa.Column("again", sa.Boolean),
        sa.Column("missed", sa.Boolean),
    )
    op.create_index("meetup_members_by_member", "meetup_members", ["member"])
