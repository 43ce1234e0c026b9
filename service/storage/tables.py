"""Every SQL table. Times are milliseconds since 1970; stamps are text that sorts as their change numbers do.

The migrations create the same tables; a test holds the two against each other.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.storage import round_tables
from service.storage.columns import ByBytes, Number, community, metadata

# The tables of a noun that stand in a module of their own are part of the metadata too.
__all__ = [
    "ByBytes",
    "Number",
    "api_keys",
    "calendar_feeds",
    "communities",
    "deliveries",
    "departures",
    "jobs",
    "kept_answers",
    "mentions",
    "metadata",
    "models",
    "pairs",
    "profiles",
    "reports",
    "round_tables",
    "tiles",
    "tombstones",
    "venues",
    "webhooks",
]


def _side(name: str) -> list[Column[Any]]:
    return [
        Column(f"{name}_response", String),
        Column(f"{name}_answered_at", BigInteger),
        Column(f"{name}_blocked_at", BigInteger),
        Column(f"{name}_unblocked", Text),
        Column(f"{name}_stranger", ByBytes),
        Column(f"{name}_outcome", String),
    ]


communities = Table(
    "communities",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", ByBytes, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("radius_km", Float, nullable=False),
    Column("group_size", SmallInteger, nullable=False),
    Column("cooldown_days", Integer, nullable=False),
    Column("facet_weights", Text),
    Column("support_text", Text),
    Column("acquaintances", Boolean, nullable=False),
    Column("admin_attributes", Text, nullable=False),
    Column("separate_by", Text, nullable=False),
    Column("secret", String, nullable=False, server_default=""),
    Column("settings_stamp", ByBytes, nullable=False),
    Column("change_number", BigInteger, nullable=False),
    Column("members", BigInteger, nullable=False),
    Column("model", ByBytes, nullable=False),
    Column("model_members", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", ByBytes, primary_key=True),
    community(),
    Column("name", Text, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("api_keys_of_community", "community", "id"),
)

# `changed` is the change number of the last write that others can see; a process catches up by it. `code` is
# the keyed hash of the id, `introductions` counts those that are open.
profiles = Table(
    "profiles",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    community(),
    Column("id", ByBytes, nullable=False),
    Column("code", ByBytes, nullable=False, server_default=""),
    Column("document", Text, nullable=False),
    Column("radius_km", Float, nullable=False),
    Column("last_cell", String),
    Column("moved_at", BigInteger),
    Column("waiting_cell", String),
    Column("moves_at", BigInteger),
    Column("due_at", BigInteger),
    Column("tile_lat", SmallInteger),
    Column("tile_lon", SmallInteger),
    Column("reach_lat", SmallInteger),
    Column("reach_lon", SmallInteger),
    Column("widest_lon", SmallInteger),
    Column("own", ByBytes, nullable=False),
    Column("pairs", ByBytes, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("introductions", Integer, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("community", "id", name="profiles_by_id"),
    Index("profiles_by_code", "community", "code", unique=True),
    Index("profiles_by_change", "community", "changed"),
    Index("profiles_by_due_time", "community", "due_at"),
    sqlite_autoincrement=True,
)

# Which members are gone, by their number alone, so that every process drops them from its index.
departures = Table(
    "departures",
    metadata,
    community(),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("changed", BigInteger, nullable=False),
    Index("departures_by_change", "community", "changed"),
)

# The newest stamp in each 1-degree tile; the tile `online` stands at latitude 999.
tiles = Table(
    "tiles",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("lat", SmallInteger, primary_key=True),
    Column("lon", SmallInteger, primary_key=True),
    Column("stamp", ByBytes, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("stamp", ByBytes, primary_key=True),
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# First answers to calls with an Idempotency-Key; `about` and `about_peer` are the codes of the profiles
# they speak of.
kept_answers = Table(
    "kept_answers",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("about", ByBytes),
    Column("about_peer", ByBytes),
    Column("status", SmallInteger, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("kept_answers_by_time", "community", "created_at"),
    Index("kept_answers_by_profile", "community", "about"),
    Index("kept_answers_by_peer", "community", "about_peer"),
)

# All that stands between two people, one row a pair: their codes in order, and a side each. Of an erased
# member it holds the code alone; `stranger` is an id under which nobody was a member when it was named.
# `apart_until` is when the cool-down after a round ends.
pairs = Table(
    "pairs",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("low", ByBytes, primary_key=True),
    Column("high", ByBytes, primary_key=True),
    *_side("low"),
    *_side("high"),
    Column("since", BigInteger),
    Column("last_met", BigInteger),
    Column("times_met", Integer, nullable=False),
    Column("apart_until", BigInteger),
    Column("due_at", BigInteger),
    Index("pairs_by_high", "community", "high"),
    Index("pairs_by_due_time", "community", "due_at"),
)

# Reports outlive whom they are about: then only the codes, the reason and the time stay.
reports = Table(
    "reports",
    metadata,
    Column("id", ByBytes, primary_key=True),
    community(),
    Column("profile_code", ByBytes, nullable=False),
    Column("peer_code", ByBytes, nullable=False),
    Column("stranger", ByBytes),
    Column("reason", String, nullable=False),
    Column("detail", Text),
    Column("state", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("reports_of_community", "community", "id"),
    Index("reports_by_profile", "community", "profile_code"),
    Index("reports_by_peer", "community", "peer_code"),
)

# Public places where a community meets: whole, as JSON.
venues = Table(
    "venues",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("id", ByBytes, primary_key=True),
    Column("document", Text, nullable=False),
)

# The addresses of members' calendars: what their secret is derived from, under the community's own.
calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    community(),
    Column(
        "member",
        Number,
        ForeignKey("profiles.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("nonce", String, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

# Who was erased when, by code; `sweep_at` is when the next sweep after it is due, none once all are done.
tombstones = Table(
    "tombstones",
    metadata,
    Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), primary_key=True),
    Column("code", ByBytes, primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
    Column("logged", Boolean, nullable=False),
    Column("sweeps", SmallInteger, nullable=False),
    Column("sweep_at", BigInteger),
    Index("tombstones_by_sweep", "sweep_at"),
)

# Work that must happen: `run_at` is when it is due, none where it was given up; `lease` is the word of the
# worker that does it, `again_at` when it has to be done once more after that. No subject is a member's id.
jobs = Table(
    "jobs",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    community(),
    Column("kind", String, nullable=False),
    Column("subject", ByBytes, nullable=False),
    Column("run_at", BigInteger),
    Column("again_at", BigInteger),
    Column("lease", String),
    Column("leased_until", BigInteger),
    Column("attempts", SmallInteger, nullable=False),
    Column("progress", Float, nullable=False),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("community", "kind", "subject", name="jobs_by_subject"),
    Index("jobs_by_time", "run_at"),
    sqlite_autoincrement=True,
)

# Who is told of what happens here. `secret` is kept as it is: each delivery is signed with it.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", ByBytes, primary_key=True),
    community(),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("webhooks_of_community", "community", "id"),
)

# What is to be sent, or was: one row an event and webhook. `due_at` is when it is to be sent next, and once
# it is `delivered` or `failed` when the row goes; `scrub_at` is when an erased member's id leaves `payload`.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", ByBytes, primary_key=True),
    community(),
    Column("webhook", ByBytes, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("type", String, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger),
    Column("lease", String),
    Column("scrub_at", BigInteger),
    Column("status", SmallInteger),
    Column("error", String),
    Column("created_at", BigInteger, nullable=False),
    Index("deliveries_of_community", "community"),
    Index("deliveries_of_webhook", "webhook", "id"),
    Index("deliveries_by_due_time", "webhook", "state", "due_at"),
    Index("deliveries_by_end", "state", "due_at"),
    Index("deliveries_by_scrubbing", "scrub_at"),
)

# Whom a delivery names, by code: an erasure drops what speaks of its member.
mentions = Table(
    "mentions",
    metadata,
    Column("delivery", ByBytes, ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("code", ByBytes, primary_key=True),
    community(),
    Index("mentions_by_code", "community", "code"),
)
