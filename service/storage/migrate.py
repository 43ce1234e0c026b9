"""Migrations: bring a database to the tables that this code expects."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.errors import NotReady
from service.storage.database import Database

# The newest file in migrations/versions; a test holds the two together.
HEAD = "0007"
MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as no other program locks it: two migrations at once take turns.
LOCK = 7_205_759


def is_current(database: Database) -> bool:
    """Tell whether the tables are those that this code expects; raise `NotReady` without a database."""
    with database.read() as connection:
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        except NotReady:
            raise
        except SQLAlchemyError:
            return False


def migrate(database: Database) -> bool:
    """Migrate to the newest version; tell whether there was anything to do."""
    if is_current(database):
        return False
    # Imported here: it takes a fifth of a second that a current database need not wait for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def check_current(database: Database) -> None:
    """Raise `NotReady` where the database has to be migrated first."""
    if not is_current(database):
        raise NotReady("The database has not the tables that this version needs: run `kith migrate`.")
