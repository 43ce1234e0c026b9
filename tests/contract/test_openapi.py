"""The OpenAPI document: it validates, names every route and no other, and the answers agree with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

from tests.harness import NDJSON, Kith
from tests.routes import ROUTES, Route, each, settle

DOCUMENTED = [
    route
    for route in ROUTES
    if route.method != "HEAD" and not route.rule.startswith(("/docs", "/openapi.json", "/calendars/"))
]
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)
# The short form makes up few calls of each, the drill many.
EXAMPLES = [3, pytest.param(50, marks=pytest.mark.drill)]


@pytest.fixture(scope="module")
def document(module_sqlite_kith: Kith) -> Any:
    return module_sqlite_kith.client.get("/openapi.json").json


def test_it_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_it_names_every_route_and_no_other(document: Any) -> None:
    named = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method not in {"parameters", "summary"}
    }

    assert named == {(route.method, route.template) for route in DOCUMENTED}
    assert {route for route in ROUTES if "/v1/" in route.rule and route.method != "HEAD"} <= set(DOCUMENTED)


def test_no_two_operations_have_one_name(document: Any) -> None:
    names = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    ]

    assert len(names) == len(set(names))


@each(DOCUMENTED)
def test_each_operation_says_what_the_contract_says_of_it(document: Any, route: Route) -> None:
    operation = document["paths"][route.template][route.method.lower()]
    parameters = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
    statuses = set(operation["responses"])

    assert operation["summary"]
    assert operation.get("security") == (None if route.is_open else [{"key": []}])
    assert {"422", "500"} <= statuses
    assert route.is_open or {"401", "403", "429", "503"} <= statuses
    assert ("404" in statuses) == ("<" in route.rule)
    assert ("Idempotency-Key" in parameters) == (route.method == "POST" and not route.is_import)
    assert ("requestBody" in operation) == (route.body() is not None)
    assert route.method != "POST" or ("409" in statuses) == ("Idempotency-Key" in parameters)
    assert ("413" in statuses) == ("requestBody" in operation and not route.is_import)
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and status != "503":
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
    if any("ETag" in answer.get("headers", {}) for answer in operation["responses"].values()):
        assert ("304" in statuses) == (route.method == "GET")
        assert ("412" in statuses) == (route.method in {"PUT", "PATCH"})


# ---------------------------------------------------------------- real answers against it


def conforms(document: Any, answer: TestResponse, method: str, path: str) -> None:
    said = document["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    if not answer.data:
        assert "content" not in said
        return
    schema = said["content"][answer.mimetype]["schema"]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        **schema,
    }
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    texts = answer.text.splitlines() if answer.mimetype == NDJSON else [answer.text]
    for text in texts:
        found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text))]
        assert found == []


RICH: dict[str, Any] = {
    "name": "Ana", "interests": ["hiking"], "activities": ["trail running"], "goals": ["learn Spanish"],
    "location": {"lat": 52.52, "lon": 13.405}, "radius_km": 15, "modes": ["in_person", "online"],
    "timezone": "Europe/Berlin", "availability": [{"day": "tue", "from": "18:00", "to": "24:00"}],
    "languages": ["de"], "attributes": {"role": "mentee"}, "seeks": {"role": ["mentee"]}, "status": "active",
}  # fmt: skip
PROFILE, LIST = "/v1/profiles/{profile_id}", "/v1/profiles"


@dataclass(frozen=True, slots=True)
class Check:
    """Sends a request about Ana, and holds its answer against the document."""

    document: Any
    kith: Kith

    def __call__(
        self, method: str, template: str, body: Any = None, query: str = "", key: str = "", **headers: str
    ) -> Any:
        """Return the answer, which conforms."""
        ids = {"profile_id": "ana", "peer_id": "ben", "key_id": key, "report_id": key, "webhook_id": key}
        path = template.format(**ids) + query
        answer = self.kith.call(method, path, body, **headers)
        conforms(self.document, answer, method, template)
        return answer


@pytest.fixture
def check(document: Any, sqlite_kith: Kith) -> Check:
    return Check(document, sqlite_kith)


def test_real_answers_about_profiles_agree_with_it(check: Check) -> None:
    paused = {"status": "paused", "paused_until": "2099-01-01T00:00:00Z"}
    back = RICH | {"paused_until": None, "location": {"lat": 53, "lon": 10}}

    for name in ("ana", "ben", "cem"):
        assert check("POST", LIST, RICH | {"id": name}).status_code == 201
    assert check("POST", LIST, RICH | {"id": "ana"}).status_code == 409
    assert check("POST", LIST, {"name": "Blank"}).status_code == 201
    assert check("PUT", PROFILE, RICH | {"location": {"lat": 53, "lon": 10}}).status_code == 200
    assert check("PUT", PROFILE, RICH | {"location": {"lat": 54, "lon": 10}}).json["moves_at"]
    assert check("GET", PROFILE + "/export").json["waiting_location"]
    assert check("PATCH", PROFILE, paused).status_code == 200
    assert check("GET", PROFILE + "/suggestions").json["shortfall"]["reasons"] == ["paused"]
    assert check("PATCH", PROFILE, back).status_code == 200
    assert check("GET", LIST, query="?limit=2").json["next"]
    assert check("GET", "/v1/profiles/export").data
    assert check("PATCH", PROFILE, {"name": "Eve"}, If_Match='"no"').status_code == 412
    assert check("DELETE", PROFILE).status_code == 204
    assert check("GET", PROFILE).status_code == 404


def test_real_suggestions_agree_with_it(check: Check) -> None:
    for name in ("ana", "ben", "cem"):
        check("POST", LIST, RICH | {"id": name})

    answers = [
        check("GET", PROFILE + "/suggestions", query=query).json
        for query in ("", "?mode=online", "?facet=goals")
    ]

    assert all(len(answer["items"]) >= 2 for answer in answers)
    assert check("GET", "/v1/terms", query="?limit=1").json["next"]


def test_real_answers_between_people_agree_with_it(check: Check) -> None:
    for name in ("ana", "ben", "cem"):
        check("POST", LIST, RICH | {"id": name})
    knows, blocks = PROFILE + "/connections/{peer_id}", PROFILE + "/blocks/{peer_id}"
    check.kith.call("POST", "/v1/profiles/ben/responses", {"peer": "ana", "response": "accept"})
    check.kith.call("POST", "/v1/profiles/cem/responses", {"peer": "ana", "response": "accept"})

    assert check("GET", PROFILE + "/invitations", query="?limit=1").json["next"]
    later = check("POST", PROFILE + "/responses", {"peer": "ben", "response": "later"})
    assert later.json["state"] == "later"
    assert check("PUT", knows, {"last_met": "2020-01-01T00:00:00Z"}).json["times_met"] == 1
    assert check("POST", PROFILE + "/responses", {"peer": "ben", "response": "accept"}).status_code == 409
    lines = b'{"a": "ana", "b": "cem"}\n{"a": "ana", "b": "nobody"}\n'
    assert check("POST", "/v1/connections/import", lines, Content_Type=NDJSON).json["failed"] == 1
    assert check("GET", PROFILE + "/connections", query="?limit=1").json["next"]
    assert check("DELETE", knows).status_code == 204
    assert check("DELETE", knows).status_code == 404
    assert check("PUT", blocks).status_code == 204
    assert check("PUT", knows, {}).status_code == 409
    assert check("GET", PROFILE + "/blocks").json["items"][0]["peer"] == {"id": "ben", "name": "Ana"}
    assert [check("DELETE", blocks).status_code for _ in range(3)] == [204, 204, 429]


def test_real_answers_about_reports_agree_with_it(check: Check) -> None:
    for name in ("ana", "ben"):
        check("POST", LIST, RICH | {"id": name})
    made = [
        check("POST", PROFILE + "/reports", {"peer": peer, "reason": "other", "detail": detail}).json["id"]
        for peer, detail in (("ben", None), ("nobody", "Unfriendly."))
    ]
    check.kith.call("DELETE", "/v1/profiles/ben")

    assert check("GET", "/v1/reports", query="?limit=1").json["next"]
    assert {item["peer"] for item in check("GET", "/v1/reports").json["items"]} == {None, "nobody"}
    for number, one in enumerate(made):
        resolved = check("PATCH", "/v1/reports/{report_id}", {"state": "resolved"}, key=one)
        assert (resolved.status_code, resolved.json["state"]) == (200, "resolved"), number
    stale = check("PATCH", "/v1/reports/{report_id}", {"state": "open"}, key=made[0], If_Match='"no"')
    assert stale.status_code == 412
    assert [len(check("GET", PROFILE + "/export").json[name]) for name in ("reports", "blocks")] == [2, 1]


def test_real_answers_about_webhooks_agree_with_it(check: Check) -> None:
    wanted = {"url": "https://example.org/kith", "events": ["report.filed"]}
    made = [check("POST", "/v1/webhooks", wanted).json["id"] for _ in range(2)]
    one = "/v1/webhooks/{webhook_id}"

    assert check("GET", "/v1/webhooks", query="?limit=1").json["next"]
    assert check("GET", one, key=made[0]).json["events"] == ["report.filed"]
    assert check("PATCH", one, {"events": ["profile.erased"]}, key=made[0], If_Match="*").status_code == 200
    assert check("PATCH", one, {}, key=made[0], If_Match='"no"').status_code == 412
    tried = [check("POST", one + "/test", key=made[0]).json["id"] for _ in range(2)]
    listed = check("GET", one + "/deliveries", key=made[0], query="?limit=1").json
    assert listed["next"]
    assert listed["items"][0]["id"] in tried
    assert check("DELETE", one, key=made[1]).status_code == 204
    assert check("GET", one, key=made[1]).status_code == 404
    assert check("POST", "/v1/webhooks", wanted | {"url": "http://127.1/"}).status_code == 422


def test_all_other_real_answers_agree_with_it(check: Check) -> None:
    made = check("POST", "/v1/keys", {"name": "new", "scopes": ["read"]}).json["id"]

    assert check("GET", "/v1/keys", query="?limit=1").json["next"]
    assert check("DELETE", "/v1/keys/{key_id}", key=made).status_code == 204
    changes = {"support_text": "Write to us", "facet_weights": {"goals": 1}}
    assert check("PATCH", "/v1/community", changes).status_code == 200
    assert check("GET", "/v1/community", If_None_Match="*").status_code == 304
    assert check("POST", "/v1/profiles/import", b'{"id": "a"}\noops', Content_Type=NDJSON).json["failed"] == 2
    assert check("POST", "/v1/profiles/import", b"id,name\na,A", Content_Type="text/csv").json["created"] == 1
    for template in ("/livez", "/readyz"):
        assert check("GET", template).status_code == 200


def test_what_it_describes_is_refused_and_taken_alike(document: Any) -> None:
    """The limits in the document are those of the schemas: the example of the contract fits them."""
    shapes = document["components"]["schemas"]
    profile = shapes["Profile"]["properties"]

    assert shapes["Profile"]["required"] == ["name"]
    assert profile["interests"]["maxItems"] == 50
    assert (profile["radius_km"]["minimum"], profile["radius_km"]["maximum"]) == (1, 200)
    assert (profile["capacity"]["minimum"], profile["capacity"]["maximum"]) == (0, 20)
    assert profile["capacity"]["type"] == "integer"
    assert re.fullmatch(profile["id"]["pattern"], "ana@example.org")
    assert not re.fullmatch(profile["id"]["pattern"], "import")
    assert set(shapes["ProfilePatch"]["properties"]) == set(profile)
    assert set(profile) == set(shapes["ProfileAnswer"]["properties"])
    for name in ("Profile", "Key", "ProfilePatch", "CommunityPatch", "Response", "Connection", "Report"):
        assert shapes[name]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("shape", "read_only"),
    [
        ("Profile", {"moves_at"}),
        ("ProfilePatch", {"moves_at"}),
        ("CommunityPatch", {"id"}),
        ("Connection", {"peer", "times_met", "shared", "reasons", "openers"}),
        ("ReportChange", {"id", "profile", "peer", "peer_hash", "reason", "detail", "created_at"}),
        ("WebhookChange", {"id", "created_at"}),
    ],
)
def test_what_may_be_written_back_as_it_was_read_is_read_only(
    document: Any, shape: str, read_only: set[str]
) -> None:
    fields = document["components"]["schemas"][shape]["properties"]

    assert {name for name, field in fields.items() if field.get("readOnly")} == read_only


@each([route for route in DOCUMENTED if route.method in {"PUT", "PATCH"} and route.body()])
def test_what_was_read_may_be_written_back(document: Any, sqlite_kith: Kith, route: Route) -> None:
    """It fits the document, and changes nothing but what it says."""
    ids = settle(sqlite_kith, route)
    body = route.send(sqlite_kith, ids).json
    described = document["paths"][route.template][route.method.lower()]["requestBody"]["content"]
    validator = Draft202012Validator(
        {"components": document["components"], **described["application/json"]["schema"]}
    )

    again = sqlite_kith.call(route.method, route.path(ids), body)

    assert [error.message for error in validator.iter_errors(body)] == []
    assert (again.status_code, again.json) == (200, body)


# ---------------------------------------------------------------- made-up calls against it


@schemathesis.serializer(NDJSON)
def as_lines(_: Any, body: Any) -> bytes:
    return str(body).encode(errors="replace")


@pytest.fixture(scope="module")
def schema(module_sqlite_kith: Kith) -> Any:
    generation = GenerationConfig(with_security_parameters=False)
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=generation)))
    return schemathesis.openapi.from_wsgi(
        "/openapi.json", module_sqlite_kith.client.application, config=config
    )


@each(DOCUMENTED)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_made_up_calls_get_what_it_promises(
    schema: Any, sqlite_kith: Kith, route: Route, examples: int
) -> None:
    operation = schema[route.template][route.method]
    ids = settle(sqlite_kith, route)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        # Made-up ids and cursors lead nowhere; other tests see to that.
        (case.query or {}).pop("cursor", None)
        for name in case.path_parameters or {}:
            case.path_parameters[name] = ids[name]
        if isinstance(case.body, dict) and "peer" in case.body:
            case.body["peer"] = ids["other_id"]
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {sqlite_kith.key}"})

    call()
