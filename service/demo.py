"""The demonstration: a community of invented people, its key beside the embedded database, a first answer."""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from service import start
from service.records import Access, ApiKey
from service.settings import Settings
from service.storage.database import Database
from service.storage.session import Session
from service.usecases.communities import create_community
from service.usecases.imports import import_profiles
from service.web.lines import NDJSON, read_lines

MEMBER = "ana"
LIMIT = 3
SECONDS_TO_START = 60.0


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration community and its key."""

    community: str
    key: str


def run_demo(settings: Settings, port: int, *, empty: bool) -> int:
    """Serve the demonstration until stopped; say once what a newcomer needs."""
    with start.open_database(settings) as database:
        demo = _open(database, settings.home / ("demo-empty.json" if empty else "demo.json"), empty=empty)
    threading.Thread(target=_introduce, args=(demo, port, empty), daemon=True).start()
    return start.serve(settings, host="127.0.0.1", port=port, workers=None, worker=True)


def _open(database: Database, file: Path, *, empty: bool) -> Demo:
    if file.exists():
        kept: Mapping[str, str] = json.loads(file.read_text())
        return Demo(kept["community"], kept["key"])
    community, key, secret = create_community(database, "Demonstration")
    if not empty:
        access = Access(ApiKey(key.id, key.name, ("admin",), key.created_at), community, key.created_at)
        with files("service").joinpath("demo.ndjson").open("rb") as stream:
            import_profiles(Session(database, community.number), access, read_lines(stream, NDJSON))
    _keep(file, {"community": community.id, "key": secret})
    return Demo(community.id, secret)


def _keep(file: Path, content: Mapping[str, str]) -> None:
    # The key opens a community of invented people, but stays its owner's alone all the same.
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(content, stream)
    part.replace(file)


def _introduce(demo: Demo, port: int, empty: bool) -> None:
    base = f"http://127.0.0.1:{port}"
    if not _wait_for(f"{base}/readyz"):
        return
    route = "/v1/community" if empty else f"/v1/profiles/{MEMBER}/suggestions?limit={LIMIT}"
    answer = _get(f"{base}{route}", demo.key)
    print(
        f"Kith serves on {base}\n"
        f"docs       {base}/docs\n"
        f"community  {demo.community}\n"
        f"key        {demo.key}\n\n"
        f"curl -s -H 'Authorization: Bearer {demo.key}' '{base}{route}'\n\n"
        f"{json.dumps(answer, ensure_ascii=False, indent=2)}",
        flush=True,
    )


def _wait_for(address: str) -> bool:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        try:
            with urlopen(address, timeout=1):
                return True
        except (URLError, OSError):
            time.sleep(0.05)
    print("kith: the server did not start in time", file=sys.stderr)
    return False


def _get(address: str, key: str) -> Any:
    request = Request(address, headers={"Authorization": f"Bearer {key}"})
    with urlopen(request, timeout=30) as response:
        return json.load(response)
