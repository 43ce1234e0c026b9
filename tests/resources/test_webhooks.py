"""Webhooks over HTTP: a secret shown once, strict addresses, and a list of what was sent."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from service.usecases.webhooks import MOST_WEBHOOKS
from tests.harness import Kith
from tests.problems import errors, problem

WANTED = {"url": "https://example.org/kith", "events": ["profile.erased", "report.filed"]}


def make(kith: Kith, **fields: Any) -> Any:
    return kith.call("POST", "/v1/webhooks", WANTED | fields)


def test_a_webhook_is_shown_with_its_secret_once(kith: Kith) -> None:
    made = make(kith)

    assert made.status_code == 201
    assert {name: made.json[name] for name in WANTED} == WANTED
    assert re.fullmatch(r"whk_[0-9a-f]{16}", made.json["id"])
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    path = f"/v1/webhooks/{made.json['id']}"
    shown = {name: value for name, value in made.json.items() if name != "secret"}
    assert kith.get(path) == shown
    assert kith.get("/v1/webhooks") == {"items": [shown]}
    changed = kith.call("PATCH", path, {"url": "https://example.com/"})
    assert changed.json == shown | {"url": "https://example.com/"}


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/", "file:///etc/passwd", "//example.org/", "http://", "http:///x",
     "https://user@example.org/", "https://user:word@example.org/", "https://@example.org/",
     "https://example.org:0/", "https://example.org:65536/", "https://example.org:port/",
     "https://example.org:/x#part", "https://ex ample.org/", "https://example.org/a b", "https://bücher.example/",
     "https://example.org\\@127.0.0.1/", "https://exa%6dple.org/", "https://[::1/", "https://[fe80::1%25eth0]/",
     "https://a..b/", "https://-a.example/", "https://１27.0.0.1/", "http://127.0.0.1/", "http://127.1:8080/",
     "http://0x7f.1/", "http://2130706433/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest",
     "http://localhost:8000/", "https://example.org/" + "a" * 2000, "https://example.org/\n", 7, None,
     ["https://example.org/"]],
)  # fmt: skip
def test_an_address_that_may_not_be_is_422_and_named(module_sqlite_kith: Kith, url: Any) -> None:
    assert list(errors(make(module_sqlite_kith, url=url))) == ["url"]


@pytest.mark.parametrize(
    "url",
    ["http://example.org", "HTTPS://Example.org:8443/a/b?c=d&e=%20", "https://xn--bcher-kva.example/",
     "https://1.1.1.1/", "https://[2606:4700::1111]:443/x", "https://a_b.example./"],
)  # fmt: skip
def test_any_other_address_is_taken_as_written(sqlite_kith: Kith, url: str) -> None:
    assert make(sqlite_kith, url=url).json["url"] == url


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"events": []}, "events"),
        ({"events": "report.filed"}, "events"),
        ({"events": ["report.filed", "webhook.test"]}, "events.1"),
        ({"events": ["*"]}, "events.0"),
        ({"events": None}, "events"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_webhook_that_breaks_a_rule_is_422(sqlite_kith: Kith, fields: dict[str, Any], path: str) -> None:
    assert list(errors(make(sqlite_kith, **fields))) == [path]
    webhook = make(sqlite_kith).json["id"]
    assert list(errors(sqlite_kith.call("PATCH", f"/v1/webhooks/{webhook}", fields))) == [path]
    assert len(sqlite_kith.get("/v1/webhooks")["items"]) == 1


def test_an_event_named_twice_is_asked_for_once(sqlite_kith: Kith) -> None:
    assert make(sqlite_kith, events=["report.filed"] * 2).json["events"] == ["report.filed"]


def test_a_webhook_is_guarded_by_its_tag(kith: Kith) -> None:
    path = f"/v1/webhooks/{make(kith).json['id']}"
    tag = kith.call("GET", path).headers["ETag"]
    assert kith.call("GET", path, If_None_Match=tag).status_code == 304

    changed = kith.call("PATCH", path, {"events": ["report.filed"]}, If_Match=tag)

    assert changed.headers["ETag"] == kith.call("GET", path).headers["ETag"] != tag
    problem(kith.call("PATCH", path, {}, If_Match=tag), 412)
    problem(kith.call("DELETE", path, If_Match=tag), 412)
    assert kith.call("DELETE", path, If_Match=changed.headers["ETag"]).status_code == 204
    for method, rest in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/deliveries"),
        ("POST", "/test"),
    ):
        body: Any = {} if method == "PATCH" else None
        assert "webhook" in problem(kith.call(method, path + rest, body), 404)["detail"]


def test_a_community_has_only_so_many(kith: Kith) -> None:
    statuses = [make(kith).status_code for _ in range(MOST_WEBHOOKS)]

    assert set(statuses) == {201}
    problem(make(kith), 409)
    made = kith.get("/v1/webhooks?limit=100")["items"]
    assert [one["id"] for one in made] == sorted(one["id"] for one in made)
    assert kith.call("DELETE", f"/v1/webhooks/{made[0]['id']}").status_code == 204
    assert make(kith).status_code == 201


def test_deliveries_are_listed_the_oldest_first_and_told_apart_by_webhook(kith: Kith) -> None:
    one, other = (make(kith, events=["profile.created"]).json["id"] for _ in range(2))
    tried = [kith.call("POST", f"/v1/webhooks/{one}/test").json for _ in range(3)]
    kith.post_profile("ana")

    first = kith.get(f"/v1/webhooks/{one}/deliveries?limit=3")
    rest = kith.get(f"/v1/webhooks/{one}/deliveries?cursor={first['next']}")

    listed = first["items"] + rest["items"]
    assert sorted(item["id"] for item in tried) == sorted(item["id"] for item in listed[:3])
    assert [item["id"] for item in listed] == sorted(item["id"] for item in listed)
    assert listed[3]["type"] == "profile.created"
    assert {(item["state"], item["attempts"], item["status"], item["error"]) for item in listed} == {
        ("pending", 0, None, None)
    }
    assert [item["next_attempt_at"] for item in listed] == [item["created_at"] for item in listed]
    path = f"/v1/webhooks/{other}/deliveries/{listed[0]['id']}/redeliver"
    assert "delivery" in problem(kith.call("POST", path), 404)["detail"]


def test_an_erasure_goes_ahead_of_the_others_and_reads_as_due_when_it_was_made(kith: Kith) -> None:
    webhook = make(kith, events=["profile.erased"]).json["id"]
    kith.post_profile("ana")
    kith.call("DELETE", "/v1/profiles/ana")

    (item,) = kith.get(f"/v1/webhooks/{webhook}/deliveries")["items"]

    assert (item["type"], item["next_attempt_at"]) == ("profile.erased", item["created_at"])
    assert "ana" not in str(item)
