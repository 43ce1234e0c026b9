"""A whole Kith in this process: the app on a real database and cache, with a community and a client.

`Kith.open(...)` takes the address of a database with nothing in it; several of them on one database and one
Redis stand for several processes (each has its own loaded index, limiter and cache link).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import Cache, open_cache
from service.storage.database import Database
from service.storage.migrate import migrate
from service.usecases.communities import create_community

NDJSON = "application/x-ndjson"


@dataclass(slots=True)
class Kith:
    """One process' worth of Kith, speaking with one key."""

    database: Database
    cache: Cache
    client: FlaskClient
    community: str
    key: str

    @classmethod
    @contextmanager
    def open(
        cls, database_url: str, cache_url: str = "local", *, like: Kith | None = None, **environ: str
    ) -> Iterator[Kith]:
        """Open an app; `like` another one to share its community and key, else with a new community."""
        settings = read_settings({"KITH_DATABASE_URL": database_url, "KITH_RATE_LIMIT": "off", **environ})
        if database_url.startswith("sqlite"):
            copy_tables(Path(database_url.removeprefix("sqlite:///")))
        database = Database(database_url, settings.clock_file)
        cache = open_cache(cache_url)
        try:
            migrate(database)
            if like is None:
                community, _, key = create_community(database, "Testers")
                community_id = community.id
            else:
                community_id, key = like.community, like.key
            client = create_app(settings, database, cache).test_client()
            yield cls(database, cache, client, community_id, key)
        finally:
            cache.close()
            database.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request with the key; a body that is not bytes goes as JSON, headers as `If_Match=...`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"Authorization": f"Bearer {self.key}"} | named
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(path, method=method, data=body, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        """Return the JSON of a GET that must succeed."""
        response = self.call("GET", path, **headers)
        assert response.status_code == 200, response.text
        return response.json

    def post_profile(self, profile_id: str, **fields: Any) -> Any:
        """Create a profile that must be accepted."""
        response = self.call("POST", "/v1/profiles", {"id": profile_id, "name": profile_id.title()} | fields)
        assert response.status_code == 201, response.text
        return response.json

    def import_profiles(self, *profiles: Mapping[str, Any]) -> Any:
        """Import profiles as NDJSON."""
        lines = "".join(json.dumps(profile) + "\n" for profile in profiles).encode()
        return self.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON).json

    def suggestions(self, profile_id: str, query: str = "") -> Any:
        """Return a member's suggestions."""
        return self.get(f"/v1/profiles/{profile_id}/suggestions{query}")


def copy_tables(file: Path) -> None:
    """Make a SQLite file that is not there yet, with our tables: to migrate takes a fifth of a second."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(migrated_file())


@cache
def migrated_file() -> bytes:
    """Return a SQLite file with our tables and nothing in them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "kith.db"
        migrate_at(f"sqlite:///{file}")
        return file.read_bytes()


def migrate_at(database_url: str) -> None:
    """Make our tables in a database that has none."""
    database = Database(database_url)
    try:
        migrate(database)
    finally:
        database.close()


def peers(answer: Mapping[str, Any]) -> list[str]:
    """Return the ids of the suggested peers, best first."""
    return [item["peer"]["id"] for item in answer["items"]]
