"""The short form runs on SQLite; the drill runs everything on PostgreSQL too."""

from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]
