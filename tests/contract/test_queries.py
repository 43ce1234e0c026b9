"""Query parameters and path ids, on every route: nothing unknown, twice, or outside the grammar."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from tests.harness import Kith
from tests.problems import errors, problem
from tests.routes import DONE, IDS, KEYED, ROUTES, Route, each, settle
from tests.rows import rows_of

BY_ID = ["/v1/profiles", "/v1/keys", "/v1/reports", "/v1/webhooks", "/v1/profiles/ana/blocks"]
NEWEST_FIRST = [f"/v1/profiles/ana/{name}" for name in ("invitations", "connections", "reconnects")]
PAGED = ["/v1/terms", *BY_ID, *NEWEST_FIRST]
LISTS = [*PAGED, "/v1/profiles/ana/suggestions"]


def ask(kith: Kith, route: Route, query: str = "", **ids: str) -> tuple[int, dict[str, list[str]]]:
    """Send a request that is right but for its query or ids; HEAD answers have no body to look into."""
    answer = route.send(kith, IDS | ids, query)
    told = answer.get_json() if answer.status_code == 422 and answer.data else {"errors": {}}
    answer.close()
    return answer.status_code, told["errors"]


@each(ROUTES)
def test_an_unknown_parameter_is_refused(module_sqlite_kith: Kith, route: Route) -> None:
    status, found = ask(module_sqlite_kith, route, "?surprise=1")

    assert status == 422
    assert found == ({} if route.method == "HEAD" else {"surprise": ["Unknown field."]})


@each(ROUTES)
def test_a_parameter_given_twice_is_refused(module_sqlite_kith: Kith, route: Route) -> None:
    status, found = ask(module_sqlite_kith, route, "?limit=5&limit=5")

    assert status == 422
    assert found == ({} if route.method == "HEAD" else {"limit": ["Given twice."]})


@each([route for route in KEYED if route.method not in {"GET", "HEAD"}])
def test_a_refused_query_changes_nothing(sqlite_kith: Kith, route: Route) -> None:
    ids = settle(sqlite_kith, route)
    before = rows_of(sqlite_kith)

    assert ask(sqlite_kith, route, "?x=1", **ids)[0] == 422

    assert rows_of(sqlite_kith) == before
    answer = route.send(sqlite_kith, ids)
    assert answer.status_code in DONE
    assert rows_of(sqlite_kith) != before


WRONG_LIMITS = (
    "-1", "0", "101", "1e3", "1e1", "१०", "10.0", "+5", " 5", "5 ", "abc", "", "9" * 30, "0x5", "5_0", "%00",
    "5%00", "null", "%zz",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_limit_is_1_to_100_in_ascii_digits(sqlite_kith: Kith, path: str) -> None:
    sqlite_kith.post_profile("ana")

    for limit in WRONG_LIMITS:
        sent = limit if "%" in limit else quote(limit)
        assert list(errors(sqlite_kith.call("GET", f"{path}?limit={sent}"))) == ["limit"], limit


@pytest.mark.parametrize("path", LISTS)
def test_a_limit_within_bounds_is_taken(sqlite_kith: Kith, path: str) -> None:
    sqlite_kith.post_profile("ana")

    for limit in ("1", "100", "050"):
        assert sqlite_kith.call("GET", f"{path}?limit={limit}").status_code == 200, limit


def _cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


BAD_CURSORS = {
    "a word": "abc",
    "nothing": "",
    "no base64": "%21%21%21",
    "no list": base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    "no JSON": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "too many": _cursor("a", "b", "c"),
    "other types": _cursor(None),
    "a boolean": _cursor(True, "a"),
    "a NUL": _cursor("a\0"),
    "a NUL in a term": _cursor(3, "a\0"),
    "half a surrogate pair": _cursor("\ud800"),
    "a huge number": _cursor(2**80, "a"),
    "endless digits": base64.urlsafe_b64encode(b"[" + b"9" * 700 + b', "a"]').decode(),
    "not ASCII": quote("é"),
    "a bomb": base64.urlsafe_b64encode(b"[" * 600).decode(),
    "long": _cursor("a" * 2000),
    "raw NUL": "%00",
    "half UTF-8": "%ff",
}


@pytest.mark.parametrize("path", PAGED)
def test_a_bad_cursor_is_422(module_sqlite_kith: Kith, path: str) -> None:
    for name, cursor in BAD_CURSORS.items():
        assert list(errors(module_sqlite_kith.call("GET", f"{path}?cursor={cursor}"))) == ["cursor"], name


@pytest.mark.parametrize("cursor", [_cursor("nobody"), _cursor("'; DROP TABLE profiles; --")])
def test_a_cursor_of_strange_text_only_pages(kith: Kith, cursor: str) -> None:
    kith.post_profile("ana")

    assert kith.call("GET", f"/v1/profiles?cursor={cursor}").status_code == 200
    assert len(kith.get("/v1/profiles")["items"]) == 1


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("prefix=%ff", "prefix"),
        ("prefix=%c3%28", "prefix"),
        ("prefix=a%00", "prefix"),
        ("prefix=%ed%a0%80", "prefix"),
        ("a%00=b", "a?"),
        ("%ff=b", "\N{REPLACEMENT CHARACTER}"),
        ("prefix=" + "a" * 61, "prefix"),
        ("prefix=a%0ab", "prefix"),
        ("facet=hobbies", "facet"),
        ("facet=", "facet"),
        ("limit", "limit"),
        ("prefix=a&prefix=b", "prefix"),
        ("prefix=a&pre%66ix=b", "prefix"),
        ("=", ""),
    ],
)
def test_what_a_query_may_not_hold_is_422(module_sqlite_kith: Kith, query: str, path: str) -> None:
    answer = module_sqlite_kith.call("GET", f"/v1/terms?{query}")

    assert answer.status_code == 422, answer.text
    assert path == "" or list(errors(answer)) == [path]


@pytest.mark.parametrize(
    "query",
    ["radius_km=0", "radius_km=0.9", "radius_km=200.1", "radius_km=nan", "radius_km=inf", "radius_km=1e2",
     "radius_km=-5", "radius_km=१०",
     "limit=", "nothing=", "radius_km=1e999", "radius_km=0x10", "radius_km=1_0",
     "mode=both", "mode=in_person,online", "facet=terms", "cursor=abc"],
)  # fmt: skip
def test_what_suggestions_may_not_be_asked_is_422(kith: Kith, query: str) -> None:
    kith.post_profile("ana", location={"lat": 52.5, "lon": 13.4})

    answer = kith.call("GET", f"/v1/profiles/ana/suggestions?{quote(query, safe='=&%')}")

    assert list(errors(answer)) == [query.partition("=")[0]]


def test_an_empty_narrowing_is_none(kith: Kith) -> None:
    kith.post_profile("ana", location={"lat": 52.5, "lon": 13.4})
    kith.post_profile("ben", location={"lat": 52.5, "lon": 13.4})

    plain = kith.suggestions("ana", "?limit=10")
    empty = kith.suggestions("ana", "?limit=10&radius_km=&mode=&facet=")

    assert (empty["items"], empty["cache"]) == (plain["items"], "hit")


# ---------------------------------------------------------------- path ids

WRONG_IDS = {
    "10 kB": "a" * 10_000,
    "129 characters": "a" * 129,
    "a NUL": "%00",
    "a NUL inside": "a%00b",
    "dots": "..",
    "a dot first": ".ana",
    "a tilde first": "~ana",
    "a slash": "a%2Fb",
    "a backslash": "a%5Cb",
    "a space": "a%20b",
    "a line break": "ana%0A",
    "an accent": "in%C3%A9s",
    "Arabic digits": "%D9%A3",
    "half UTF-8": "%ff",
    "a percent sign": "%25",
    "a plus": "a+b",
    "a star": "*",
    "emoji": "%F0%9F%98%80",
    "import": "import",
    "export": "export",
}
PEERS = [route for route in KEYED if "<profile_id:peer_id>" in route.rule]
INSIDE = [route for route in KEYED if "<profile_id:profile_id>/" in route.rule]
ALONE = [route for route in KEYED if route.rule.endswith("<profile_id:profile_id>")]


@each(INSIDE)
def test_an_id_outside_the_grammar_is_404(module_sqlite_kith: Kith, route: Route) -> None:
    found = {name: ask(module_sqlite_kith, route, profile_id=wrong)[0] for name, wrong in WRONG_IDS.items()}

    assert found == dict.fromkeys(WRONG_IDS, 404)


@each(PEERS)
def test_a_peer_s_id_outside_the_grammar_is_404(sqlite_kith: Kith, route: Route) -> None:
    settle(sqlite_kith)
    before = rows_of(sqlite_kith)

    found = {name: ask(sqlite_kith, route, peer_id=wrong)[0] for name, wrong in WRONG_IDS.items()}

    assert found == dict.fromkeys(WRONG_IDS, 404)
    assert rows_of(sqlite_kith) == before


@pytest.mark.parametrize(
    "wrong", [wrong for wrong in WRONG_IDS.values() if wrong not in {"import", "export"}]
)
def test_a_method_that_no_profile_has_is_404_there_too(sqlite_kith: Kith, wrong: str) -> None:
    problem(sqlite_kith.call("POST", f"/v1/profiles/{wrong}", {"name": "Ana"}), 404)


@pytest.mark.parametrize("wrong", WRONG_IDS.values(), ids=WRONG_IDS)
@each(ALONE)
def test_an_id_outside_the_grammar_is_404_by_itself(sqlite_kith: Kith, route: Route, wrong: str) -> None:
    status, _ = ask(sqlite_kith, route, profile_id=wrong)

    # These two are other resources, with methods of their own.
    named = {"import": {"POST"}, "export": {"GET", "HEAD"}}.get(wrong, set())
    assert status == (404 if not named else 200 if route.method in named else 405)
    assert sqlite_kith.get("/v1/profiles")["items"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/profiles/",
        "/v1//profiles",
        "//v1/profiles",
        "/v1/profiles/ana/",
        "/V1/profiles",
        "/v1/profiles/ana/nothing",
        "/v2/profiles",
        "/docs/..%2f__init__.py",
        "/docs/../x",
        "/docs/",
        "/docs/index.html",
        "/v1/keys/key_0",
        "/v1/keys/KEY_0123456789ABCDEF",
        "/v1/keys/%00",
        "/v1/reports/rep_0",
        "/v1/webhooks/whk_0",
        "/v1/webhooks/whk_0123456789abcdef/deliveries/dlv_0/redeliver",
        "/v1/reports/REP_0123456789ABCDEF01234567",
        "/v1/connections",
        "/v1/profiles/ana/connections/ben/nothing",
        "/livez/",
    ],
)
def test_what_is_nowhere_is_404(sqlite_kith: Kith, path: str) -> None:
    sqlite_kith.post_profile("ana")

    answer = sqlite_kith.call("GET", path)

    assert problem(answer, 404)["type"] == "urn:kith:problem:not-found"
    assert "Location" not in answer.headers


ALLOWED = [
    "a",
    "A",
    "0",
    "9.9",
    "a" * 128,
    "ana@example.org",
    "urn:x:1",
    "a~b",
    "Import",
    "exports",
    "a.-_~@:",
]


@pytest.mark.parametrize("profile_id", ALLOWED)
def test_an_id_of_the_grammar_names_its_member(kith: Kith, profile_id: str) -> None:
    made = kith.call("POST", "/v1/profiles", {"id": profile_id, "name": "Ana"})

    assert made.status_code == 201
    assert kith.get(made.headers["Location"])["id"] == profile_id
    assert kith.get(f"/v1/profiles/{quote(profile_id, safe='')}")["id"] == profile_id
    assert kith.call("DELETE", f"/v1/profiles/{profile_id}").status_code == 204


def test_ids_that_differ_in_case_are_different_members(kith: Kith) -> None:
    kith.post_profile("ana")

    problem(kith.call("GET", "/v1/profiles/ANA"), 404)
