"""The first tables: communities, keys, profiles, tiles, models, kept answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")
COMMUNITY = "communities.number"


def upgrade() -> None:
    """Create the tables."""
    _create_communities()
    _create_keys()
    _create_profiles()
    _create_stamps()
    _create_kept_answers()


def _community(*, primary_key: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey(COMMUNITY, ondelete="CASCADE")
    return sa.Column("community", NUMBER, owner, nullable=False, primary_key=primary_key)


def _create_communities() -> None:
    op.create_table(
        "communities",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", BY_BYTES, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("radius_km", sa.Float, nullable=False),
        sa.Column("group_size", sa.SmallInteger, nullable=False),
        sa.Column("cooldown_days", sa.Integer, nullable=False),
        sa.Column("facet_weights", sa.Text),
        sa.Column("support_text", sa.Text),
        sa.Column("acquaintances", sa.Boolean, nullable=False),
        sa.Column("admin_attributes", sa.Text, nullable=False),
        sa.Column("separate_by", sa.Text, nullable=False),
        sa.Column("settings_stamp", BY_BYTES, nullable=False),
        sa.Column("change_number", sa.BigInteger, nullable=False),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.Column("model", BY_BYTES, nullable=False),
        sa.Column("model_members", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", BY_BYTES, primary_key=True),
        _community(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.String, nullable=False, unique=True),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("api_keys_of_community", "api_keys", ["community", "id"])


def _create_profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        _community(),
        sa.Column("id", BY_BYTES, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("radius_km", sa.Float, nullable=False),
        sa.Column("last_cell", sa.String),
        sa.Column("moved_at", sa.BigInteger),
        sa.Column("waiting_cell", sa.String),
        sa.Column("moves_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("tile_lat", sa.SmallInteger),
        sa.Column("tile_lon", sa.SmallInteger),
        sa.Column("reach_lat", sa.SmallInteger),
        sa.Column("reach_lon", sa.SmallInteger),
        sa.Column("widest_lon", sa.SmallInteger),
        sa.Column("own", BY_BYTES, nullable=False),
        sa.Column("pairs", BY_BYTES, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("community", "id", name="profiles_by_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("profiles_by_change", "profiles", ["community", "changed"])
    op.create_index("profiles_by_due_time", "profiles", ["community", "due_at"])


def _create_stamps() -> None:
    op.create_table(
        "departures",
        _community(),
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("departures_by_change", "departures", ["community", "changed"])
    op.create_table(
        "tiles",
        _community(primary_key=True),
        sa.Column("lat", sa.SmallInteger, primary_key=True),
        sa.Column("lon", sa.SmallInteger, primary_key=True),
        sa.Column("stamp", BY_BYTES, nullable=False),
    )
    op.create_table(
        "models",
        _community(primary_key=True),
        sa.Column("stamp", BY_BYTES, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _create_kept_answers() -> None:
    op.create_table(
        "kept_answers",
        _community(primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("about", BY_BYTES),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("kept_answers_by_time", "kept_answers", ["community", "created_at"])
    op.create_index("kept_answers_by_profile", "kept_answers", ["community", "about"])
