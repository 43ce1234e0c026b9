"""The image and the compose file: what their schema and linter don't check.

No Docker engine runs here. `./dev check` validates the compose file against the Compose specification's
schema and lints the Dockerfile; the drills carry out the Dockerfile's own commands.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.tooling.conftest import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("api", "worker", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_parts_are_there() -> None:
    assert set(SERVICES) == {"gateway", "api", "worker", "migrate", "redis", "postgres"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited_and_may_gain_nothing(name: str) -> None:
    service = SERVICES[name]
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert not service.get("privileged")


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in {"api", "migrate"}])
def test_every_lasting_service_is_watched_without_a_shell(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_the_api_is_watched_by_its_image() -> None:
    assert "healthcheck" not in SERVICES["api"]
    assert re.search(r'HEALTHCHECK .*\\\n +CMD \["python", .*/readyz', DOCKERFILE)


def test_the_api_can_be_scaled() -> None:
    api = SERVICES["api"]
    assert "container_name" not in api
    assert "ports" not in api
    assert api["deploy"]["replicas"] == 2
    assert "--no-worker" in api["command"]


def test_the_gateway_finds_replicas_anew_and_streams_both_ways() -> None:
    gateway = COMPOSE["configs"]["gateway"]["content"]
    assert "resolver 127.0.0.11" in gateway
    assert "proxy_pass $$api" in gateway  # a variable: a plain name is looked up once, at the start
    for line in ("client_max_body_size 0;", "proxy_request_buffering off;", "proxy_buffering off;"):
        assert line in gateway


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["gateway"]
    assert published["gateway"][0].startswith("127.0.0.1:")
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_there_is_no_default_password() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    given = re.findall(r"^ +\w*PASSWORD: (.*)$", text, re.MULTILINE)
    assert len(given) == 2
    assert all(value.startswith("${KITH_POSTGRES_PASSWORD:?") for value in given)
    assert "@" not in SERVICES["api"]["environment"]["KITH_REDIS_URL"]
    assert ":" not in SERVICES["api"]["environment"]["KITH_DATABASE_URL"].split("@")[0].split("//")[1]


def test_the_cache_keeps_nothing_on_disk_and_evicts() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options == {
        "--save": "",
        "--appendonly": "no",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "allkeys-lru",
    }
    assert "volumes" not in SERVICES["redis"]


def test_nothing_starts_on_a_database_that_is_not_migrated() -> None:
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_data_outlives_its_container() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert "postgres" in COMPOSE["volumes"]


def test_our_settings_are_ones_that_kith_knows() -> None:
    from service.settings import OPTIONS

    known = {option.variable for option in OPTIONS}
    for name in OURS:
        ours = {key for key in SERVICES[name]["environment"] if key.startswith("KITH_")}
        assert ours <= known


def test_the_image_is_built_from_the_lock_and_not_run_as_root() -> None:
    assert "--only-binary :all: --require-hashes -r requirements.lock" in DOCKERFILE
    stages = DOCKERFILE.split("\nFROM ")[1:]
    assert len(stages) == 2
    assert re.search(r"^USER 10001:10001$", stages[-1], re.MULTILINE)
    assert "pip" not in stages[-1]


def test_all_that_the_image_copies_is_sent_to_the_builder() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    lines = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    copied = {name.rstrip("/") for line in lines for name in line}
    assert copied == allowed
