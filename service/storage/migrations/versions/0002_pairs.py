"""Pairs, reports, tombstones; members' codes and open introductions."""

import hashlib
import hmac
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")
ROWS_PER_STATEMENT = 1000


def upgrade() -> None:
    """Add the columns, fill them for everybody who is there, create the tables."""
    op.add_column("communities", sa.Column("secret", sa.String, nullable=False, server_default=""))
    op.add_column("profiles", sa.Column("code", BY_BYTES, nullable=False, server_default=""))
    op.add_column("profiles", sa.Column("introductions", sa.Integer, nullable=False, server_default="0"))
    op.add_column("profiles", sa.Column("created_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("kept_answers", sa.Column("about_peer", BY_BYTES))
    op.create_index("kept_answers_by_peer", "kept_answers", ["community", "about_peer"])
    _name_everybody()
    op.create_index("profiles_by_code", "profiles", ["community", "code"], unique=True)
    _create_pairs()
    _create_reports()
    _create_tombstones()


def _name_everybody() -> None:
    connection = op.get_bind()
    numbers = connection.execute(sa.text("SELECT number FROM communities")).scalars().all()
    for community in numbers:
        secret = secrets.token_hex(32)
        connection.execute(
            sa.text("UPDATE communities SET secret = :secret WHERE number = :number"),
            {"secret": secret, "number": community},
        )
        _name_members(connection, community, bytes.fromhex(secret))
        _name_answers(connection, community, bytes.fromhex(secret))


def _name_members(connection: sa.Connection, community: int, secret: bytes) -> None:
    chosen = sa.text(
        "SELECT number, id FROM profiles WHERE community = :community AND number > :after"
        " ORDER BY number LIMIT :limit"
    )
    coded = sa.text("UPDATE profiles SET code = :code WHERE number = :number")
    after = 0
    while rows := connection.execute(
        chosen, {"community": community, "after": after, "limit": ROWS_PER_STATEMENT}
    ).all():
        codes = [{"number": row.number, "code": _code(secret, row.id)} for row in rows]
        connection.execute(coded, codes)
        after = rows[-1].number


def _name_answers(connection: sa.Connection, community: int, secret: bytes) -> None:
    # They were kept by id; from now on it is the code that an erasure finds them by.
    chosen = sa.text("SELECT DISTINCT about FROM kept_answers WHERE community = :community AND about <> ''")
    coded = sa.text("UPDATE kept_answers SET about = :code WHERE community = :community AND about = :about")
    for about in connection.execute(chosen, {"community": community}).scalars().all():
        connection.execute(coded, {"community": community, "about": about, "code": _code(secret, about)})


def _code(secret: bytes, profile_id: str) -> str:
    return hmac.new(secret, profile_id.encode(), hashlib.sha256).hexdigest()[:32]


def _community(*, primary_key: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey("communities.number", ondelete="CASCADE")
    return sa.Column("community", NUMBER, owner, nullable=False, primary_key=primary_key)


def _create_pairs() -> None:
    sides = [
        column
        for name in ("low", "high")
        for column in (
            sa.Column(f"{name}_response", sa.String),
            sa.Column(f"{name}_answered_at", sa.BigInteger),
            sa.Column(f"{name}_blocked_at", sa.BigInteger),
            sa.Column(f"{name}_unblocked", sa.Text),
            sa.Column(f"{name}_stranger", BY_BYTES),
        )
    ]
    op.create_table(
        "pairs",
        _community(primary_key=True),
        sa.Column("low", BY_BYTES, primary_key=True),
        sa.Column("high", BY_BYTES, primary_key=True),
        *sides,
        sa.Column("since", sa.BigInteger),
        sa.Column("last_met", sa.BigInteger),
        sa.Column("times_met", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_index("pairs_by_high", "pairs", ["community", "high"])
    op.create_index("pairs_by_due_time", "pairs", ["community", "due_at"])


def _create_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", BY_BYTES, primary_key=True),
        _community(),
        sa.Column("profile_code", BY_BYTES, nullable=False),
        sa.Column("peer_code", BY_BYTES, nullable=False),
        sa.Column("stranger", BY_BYTES),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("reports_of_community", "reports", ["community", "id"])
    op.create_index("reports_by_profile", "reports", ["community", "profile_code"])
    op.create_index("reports_by_peer", "reports", ["community", "peer_code"])


def _create_tombstones() -> None:
    op.create_table(
        "tombstones",
        _community(primary_key=True),
        sa.Column("code", BY_BYTES, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("logged", sa.Boolean, nullable=False),
        sa.Column("sweeps", sa.SmallInteger, nullable=False),
        sa.Column("sweep_at", sa.BigInteger),
    )
    op.create_index("tombstones_by_sweep", "tombstones", ["sweep_at"])
