"""What all SQL tables share: one metadata, types of columns, and columns that say whose a row is."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, String

metadata = MetaData()

# Ids are listed in the order of their bytes; PostgreSQL's default collation would say otherwise.
ByBytes = String().with_variant(String(collation="C"), "postgresql")
# SQLite numbers rows by itself only where the column is an INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")


def community() -> Column[int]:
    """Make the column that says whose a row is; it goes with its community."""
    return Column("community", Number, ForeignKey("communities.number", ondelete="CASCADE"), nullable=False)


def owned_by(table: str, name: str) -> Column[int]:
    """Make a column of the primary key that names a row of another table, and goes with it."""
    return Column(name, Number, ForeignKey(f"{table}.number", ondelete="CASCADE"), primary_key=True)
