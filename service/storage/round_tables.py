"""The tables of rounds and meetups.

Members stand in them under the numbers of their rows, which are never given twice: an erasure deletes these
rows too.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, SmallInteger, String, Table, Text

from service.storage.columns import ByBytes, Number, community, metadata, owned_by

# Rounds; `planned_at` is the change number up to which the draft knows everybody.
rounds = Table(
    "rounds",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    community(),
    Column("id", ByBytes, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("group_size", SmallInteger, nullable=False),
    Column("starts_on", String, nullable=False),
    Column("ends_on", String, nullable=False),
    Column("cooldown_days", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("everyone", Boolean, nullable=False),
    Column("planned_at", BigInteger, nullable=False),
    Column("stats", Text),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("published_at", BigInteger),
    Index("rounds_by_publication", "community", "published_at"),
    sqlite_autoincrement=True,
)

# Who takes part in a round: one seat each, in a group or, with the reason, in none.
round_seats = Table(
    "round_seats",
    metadata,
    owned_by("rounds", "round"),
    Column("member", Number, primary_key=True, autoincrement=False),
    community(),
    Column("group_number", Integer),
    Column("reason", String),
    Index("round_seats_by_member", "member"),
    Index("round_seats_by_group", "round", "group_number"),
)

round_groups = Table(
    "round_groups",
    metadata,
    owned_by("rounds", "round"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    community(),
    Column("score", Float, nullable=False),
    Column("relaxed", Text, nullable=False),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("place", Text),
)

# Who must, or must not, be in one group.
round_pins = Table(
    "round_pins",
    metadata,
    owned_by("rounds", "round"),
    Column("together", Boolean, primary_key=True),
    Column("pin", Integer, primary_key=True, autoincrement=False),
    Column("member", Number, primary_key=True, autoincrement=False),
    community(),
    Index("round_pins_by_member", "member"),
)

# Meetups; `until` ends the days in which a time is sought, `tried` holds the times that did not suit,
# `previous` is the meetup after which all wanted this one, `due_at` when they are asked how it went.
meetups = Table(
    "meetups",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    community(),
    Column("id", ByBytes, nullable=False, unique=True),
    Column("round", Number),
    Column("previous", Number, unique=True),
    Column("state", String, nullable=False),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("until", BigInteger, nullable=False),
    Column("place", Text),
    Column("sequence", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("tried", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Index("meetups_of_community", "community", "id"),
    Index("meetups_by_due_time", "community", "due_at"),
    Index("meetups_by_round", "round"),
    sqlite_autoincrement=True,
)

# Who was asked to a meetup; `missed` tells whether they had said nothing when it was over, and is taken back.
meetup_members = Table(
    "meetup_members",
    metadata,
    owned_by("meetups", "meetup"),
    Column("member", Number, primary_key=True, autoincrement=False),
    community(),
    Column("comes", Boolean, nullable=False),
    Column("reply", String),
    Column("outcome", String),
    Column("again", Boolean),
    Column("missed", Boolean),
    Index("meetup_members_by_member", "member"),
)
