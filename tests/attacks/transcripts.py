"""A transcript: all that a platform, its members and an attacker see while one member states a position.

In: a fresh community, and the positions that the member states, in this order. Out: two lines for each call,
and one for each event that a webhook is told of. Two transcripts with the positions of one cell must be equal
to the last byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from service.storage.events import EVENTS
from tests.attacks.location_geometry import Spot
from tests.attacks.transcript import Transcript
from tests.gatherings import days, work
from tests.harness import NDJSON, Kith

CSV = "text/csv"
MEMBER = "victim"
PATH = f"/v1/profiles/{MEMBER}"
NEIGHBOUR = "asker-2"
VENUE = "/v1/venues/cafe"


def write(kith: Kith, stated: Iterable[Spot], elsewhere: Spot, others: list[Spot]) -> Transcript:
    """Let one member state these positions in turn, and note every answer to everybody."""
    one, two, three = stated
    run = Transcript(kith)
    _open_routes(run)
    _settings(run)
    _webhook(run)
    _people(run, others)
    _stating(run, one, two)
    _asking(run, others, ("", "?radius_km=7.25&limit=3", "?mode=in_person&radius_km=200", "?facet=interests"))
    _mistakes(run, three)
    _pairs(run, others)
    _gather(run)
    _imports(run, two, three)
    _reading(run)
    _asking(run, others, ("", "?radius_km=3"))
    _gathering(run)
    _figures(run)
    _moving(run, elsewhere, two)
    _keys(run)
    _deliveries(run)
    _heads(run)
    _erasing(run, three)
    run.note_told()
    run.call("DELETE", f"/v1/webhooks/{run.ids['webhook_id']}")
    return run


def wire(spot: Spot, **fields: Any) -> dict[str, Any]:
    """Return the member's profile as stated from a position."""
    return {
        "id": MEMBER,
        "name": "Vic",
        "interests": ["hiking", "board games"],
        "activities": ["trail running"],
        "location": spot.as_wire(),
        "radius_km": 60,
        "modes": ["in_person", "online"],
        "timezone": "Europe/Berlin",
        "availability": [{"day": "tue", "from": "18:00", "to": "21:00"}],
        "languages": ["en", "de"],
        "attributes": {"role": "mentee"},
    } | fields


def _open_routes(run: Transcript) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/start.js"):
        run.call("GET", path)
    run.call("GET", "/docs/swagger-ui.css")


def _settings(run: Transcript) -> None:
    run.call("GET", "/v1/community")
    run.call("PATCH", "/v1/community", {"radius_km": 30, "support_text": "Call 112."})


def _figures(run: Transcript) -> None:
    for figures in ("stats", "model", "unserved"):
        run.call("GET", f"/v1/community/{figures}")


def _webhook(run: Transcript) -> None:
    """Ask to be told of all that happens from here on."""
    wanted = {"url": "https://example.org/kith", "events": list(EVENTS)}
    run.ids["webhook_id"] = run.call("POST", "/v1/webhooks", wanted).json["id"]
    made = f"/v1/webhooks/{run.ids['webhook_id']}"
    run.call("PATCH", made, {"url": "https://example.org/changed"})
    run.call("GET", made)
    run.call("GET", "/v1/webhooks")


def _people(run: Transcript, others: list[Spot]) -> None:
    for number, spot in enumerate(others):
        run.call("POST", "/v1/profiles", _other(number, spot))


def _other(number: int, spot: Spot) -> dict[str, Any]:
    """Return an asking member; they differ in all that may bring the victim near or keep them away."""
    fields: dict[str, Any] = {"radius_km": (200, 5, 60, 2)[number % 4], "interests": ["hiking"]}
    if number % 3 == 1:
        fields |= {"modes": ["online", "in_person"], "languages": ["en"]}
    if number % 4 == 2:
        fields |= {
            "timezone": "Europe/London",
            "availability": [{"day": "tue", "from": "18:00", "to": "20:00"}],
            "seeks": {"role": ["mentee"]},
        }
    return {"id": f"asker-{number}", "name": f"Asker {number}", "location": spot.as_wire()} | fields


def _stating(run: Transcript, one: Spot, two: Spot) -> None:
    run.call("POST", "/v1/profiles", wire(one), Idempotency_Key="k1")
    run.call("POST", "/v1/profiles", wire(one), Idempotency_Key="k1")
    run.call("POST", "/v1/profiles", wire(two), Idempotency_Key="k1")
    run.call("POST", "/v1/profiles", wire(two), Idempotency_Key="k2")
    made = run.call("GET", PATH)
    for tag in (made.headers["ETag"], '"another"'):
        run.call("GET", PATH, If_None_Match=tag)
    run.call("PATCH", PATH, {"location": two.as_wire()}, If_Match=made.headers["ETag"])
    run.call("PATCH", PATH, {"location": one.as_wire()}, If_Match='"another"')
    run.call("PUT", PATH, wire(one), If_Match=made.headers["ETag"])
    run.call("PUT", PATH, wire(two))
    run.call("PATCH", PATH, {"location": {"lat": one.lat, "lon": one.lon, "accuracy_km": 3}})
    run.call("PATCH", PATH, {"location": {"lat": two.lat, "lon": two.lon}, "goals": ["learn Spanish"]})
    run.call("PATCH", PATH, {"location": None})
    run.call("PATCH", PATH, {"location": one.as_wire()})


def _asking(run: Transcript, others: list[Spot], queries: Iterable[str]) -> None:
    for number in range(len(others)):
        for query in queries:
            run.call("GET", f"/v1/profiles/asker-{number}/suggestions{query}")
    for query in (*queries, "", "?mode=online", "?radius_km=1"):
        run.call("GET", f"{PATH}/suggestions{query}")


def _mistakes(run: Transcript, spot: Spot) -> None:
    """Make mistakes in which a position stands: what an error quotes must not be it."""
    text = _padded(spot.lat), _padded(spot.lon)
    bad = (
        {"lat": spot.lat, "lon": 999},
        {"lat": spot.lat},
        {"lon": spot.lon},
        {"lat": text[0], "lon": text[1]},
        [spot.lat, spot.lon],
        {"lat": spot.lat, "lon": spot.lon, "near": spot.lat},
        spot.lat,
    )
    for location in bad:
        run.call("POST", "/v1/profiles", {"id": "wrong", "name": "Wrong", "location": location})
        # A merge patch of half a location is no mistake: the other half is that of the cell's middle.
        if not isinstance(location, dict) or len(location) > 1:
            run.call("PATCH", PATH, {"location": location})
    run.call("PUT", f"{PATH}-wrong", wire(spot))
    run.call("PATCH", PATH, wire(spot, radius_km=0))
    run.call("POST", "/v1/profiles", wire(spot))
    for raw in (
        '{"location": {"lat": %s, "lon": %s}',
        '{"location": {"lat": %s, "lon": %s, "lat": 1}}',
        '{"location": {"lat": %s, "lon": %s, }}',
        '{"location": NaN, "lat": %s, "lon": %s}',
    ):
        run.call("PATCH", PATH, (raw % text).encode(), Content_Type="application/json")
    run.call("PATCH", PATH, wire(spot), Content_Type="text/plain")
    run.call("PATCH", PATH, wire(spot), Content_Encoding="gzip")
    run.call("GET", f"/v1/profiles?lat={text[0].strip()}&lat={text[1].strip()}")
    run.call("GET", f"{PATH}/suggestions?radius_km={text[1].strip()}x")


def _padded(degrees: float) -> str:
    # Blanks make up for a sign: what is no JSON is told by where in the text it stops being JSON.
    return f"{degrees:.9f}".ljust(14)


def _pairs(run: Transcript, others: list[Spot]) -> None:
    """Respond, connect, block, report: what lies between people tells no place either."""
    askers = [f"asker-{number}" for number in range(len(others))]
    for asker, response in zip(askers, ("accept", "later", "decline", "accept"), strict=False):
        run.call("POST", f"/v1/profiles/{asker}/responses", {"peer": MEMBER, "response": response})
        run.call("GET", f"{PATH}/invitations")
    first = run.call("GET", f"{PATH}/invitations?limit=1")
    run.call("GET", f"{PATH}/invitations?limit=1&cursor={first.json.get('next')}")
    for _ in range(2):
        accepted = {"peer": askers[0], "response": "accept"}
        run.call("POST", f"{PATH}/responses", accepted, Idempotency_Key="k3")
    run.call("POST", f"{PATH}/responses", {"peer": askers[1], "response": "accept"})
    run.call("PUT", f"{PATH}/connections/{askers[4]}", {"since": "2026-01-01T00:00:00Z"})
    ties = [{"a": MEMBER, "b": askers[5], "since": "2025-01-01T00:00:00Z"}, {"a": MEMBER, "b": askers[6]}]
    run.call("POST", "/v1/connections/import", _lines(ties), Content_Type=NDJSON)
    for who in (MEMBER, askers[0], askers[4]):
        for noun in ("invitations", "connections", "reconnects", "blocks"):
            run.call("GET", f"/v1/profiles/{who}/{noun}")
    run.call("DELETE", f"{PATH}/connections/{askers[4]}")
    run.call("PUT", f"/v1/profiles/{askers[7]}/blocks/{MEMBER}")
    run.call("PUT", f"{PATH}/blocks/{askers[8]}")
    run.call("DELETE", f"{PATH}/blocks/{askers[8]}")
    run.call("GET", f"/v1/profiles/{askers[7]}/blocks")
    filed = run.call(
        "POST", f"/v1/profiles/{askers[9]}/reports", {"peer": MEMBER, "reason": "other", "detail": "Odd."}
    )
    run.call("GET", "/v1/reports")
    report = filed.json.get("id", "rep_0123456789abcdef")
    run.call("PATCH", f"/v1/reports/{report}", {"state": "resolved"})


def _gather(run: Transcript) -> None:
    """Plan and publish a round, meet, and show it to calendars: times and areas are those of the cells."""
    body = {"name": "Round", "participants": [MEMBER, "asker-1", "asker-2", "asker-3"]} | days()
    for path, kind in (("round_id", "/v1/rounds"), ("unused", "/v1/rounds")):
        run.ids[path] = run.call("POST", kind, body).json["id"]
    made = f"/v1/rounds/{run.ids['round_id']}"
    run.call("POST", f"{made}/replan", {"together": [[MEMBER, "asker-2"]], "apart": [[MEMBER, "asker-3"]]})
    run.call("POST", f"/v1/rounds/{run.ids['unused']}/cancel")
    work(run.kith)
    for path in ("", "/groups", "/left-out"):
        run.call("GET", made + path)
    run.call("POST", f"{made}/publish")
    run.call("GET", made)
    run.call("POST", "/v1/meetups", {"members": [MEMBER, "asker-6"]})
    found = run.call("GET", f"/v1/meetups?profile={MEMBER}").json["items"]
    run.call("GET", "/v1/meetups")
    for meetup in found:
        run.ids["meetup_id"] = meetup["id"]
        path = f"/v1/meetups/{meetup['id']}"
        run.call("GET", path)
        run.call("GET", f"{path}.ics")
        run.call("POST", f"{path}/replies", {"profile": MEMBER, "reply": "other_time"})
        run.call("POST", f"{path}/outcomes", {"profile": MEMBER, "outcome": "met", "again": True})


def _imports(run: Transcript, two: Spot, three: Spot) -> None:
    wrong = wire(two, id="wrong", radius_km=0)
    off = {"id": "wrong", "name": "W", "location": {"lat": two.lat, "lon": 200}}
    lines = [wire(three), wire(two), wrong, off]
    for _ in range(2):
        run.call("POST", "/v1/profiles/import", _lines(lines), Content_Type=NDJSON)
    row = "{},Vic,hiking;board games,{:.9f},{:.9f},60,{}\n"
    table = "id,name,interests,lat,lon,radius_km,modes\n"
    table += row.format(MEMBER, two.lat, two.lon, "in_person;online") + row.format("wrong", two.lat, 200, "")
    table += f'"open,{three.lat:.9f}\n{MEMBER},{three.lat:.9f},{three.lon:.9f}\n'
    table += row.format("wrong", two.lat, two.lon, "walking") + f"wrong,W,,{two.lat:.9f}north,1,5,\n"
    for _ in range(2):
        run.call("POST", "/v1/profiles/import", table.encode(), Content_Type=CSV)
    broken = f"id,name\n\xff{three.lat:.9f},{three.lon:.9f}\n".encode("latin-1")
    run.call("POST", "/v1/profiles/import", broken, Content_Type=CSV)
    cut = f'{{"location": {{"lat": {_padded(two.lat)}\n'.encode()
    run.call("POST", "/v1/profiles/import", cut, Content_Type=NDJSON)
    run.call("PUT", PATH, wire(two))


def _lines(wires: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in wires).encode()


def _reading(run: Transcript) -> None:
    run.call("GET", PATH)
    run.call("GET", f"{PATH}/export")
    run.call("GET", "/v1/profiles/export")
    page = run.call("GET", "/v1/profiles?limit=6")
    run.call("GET", f"/v1/profiles?limit=100&cursor={page.json['next']}")
    run.call("GET", f"/v1/profiles/{NEIGHBOUR}")
    run.call("GET", f"/v1/profiles/{NEIGHBOUR}/export")
    for query in ("?prefix=hik", "?facet=interests", "?prefix=5", "?limit=1"):
        run.call("GET", f"/v1/terms{query}")


def _moving(run: Transcript, elsewhere: Spot, back: Spot) -> None:
    """Leave the cell and come back: the way back waits for its day."""
    run.call("PATCH", PATH, {"location": elsewhere.as_wire()})
    run.call("GET", PATH)
    for number in range(4):
        run.call("GET", f"/v1/profiles/asker-{number}/suggestions")
    run.call("PATCH", PATH, {"location": back.as_wire()})
    for path in (PATH, f"{PATH}/export", "/v1/profiles", f"{PATH}/suggestions"):
        run.call("GET", path)
    for number in range(4):
        run.call("GET", f"/v1/profiles/asker-{number}/suggestions")


def _gathering(run: Transcript) -> None:
    """Name venues, and read the member's calendar without a key."""
    cafe = {"name": "Café", "location": {"lat": 52.5200066, "lon": 13.404954}}
    run.call("PUT", VENUE, cafe)
    run.call("GET", VENUE)
    point = {"type": "Point", "coordinates": [13.404954, 52.5200066]}
    feature = {"type": "Feature", "geometry": point, "properties": {"id": "bar", "name": "Bar"}}
    run.call("POST", "/v1/venues/import", _lines([feature]), Content_Type=NDJSON)
    for _ in range(2):
        address = run.call("GET", f"{PATH}/calendar").json["url"]
        run.call("GET", address)
        run.call("DELETE", f"{PATH}/calendar")
        run.call("GET", address)


def _deliveries(run: Transcript) -> None:
    """Read what a webhook is told of, and the list of one that hears of nothing but a test."""
    run.note_told()
    quiet = {"url": "https://example.org/quiet", "events": ["round.failed"]}
    path = f"/v1/webhooks/{run.call('POST', '/v1/webhooks', quiet).json['id']}"
    tried = run.call("POST", f"{path}/test").json["id"]
    run.call("POST", f"{path}/deliveries/{tried}/redeliver")
    run.call("GET", f"{path}/deliveries")
    run.call("DELETE", path)


def _keys(run: Transcript) -> None:
    made = run.call("POST", "/v1/keys", {"name": "another", "scopes": ["read"]})
    run.call("GET", "/v1/keys")
    run.call("DELETE", f"/v1/keys/{made.json['id']}")


def _heads(run: Transcript) -> None:
    address = run.kith.get(f"{PATH}/calendar")["url"]
    paths = {"/v1/venues/<venue_id:venue_id>": VENUE, "/calendars/<feed_secret:secret>.ics": address}
    for method, rule in sorted(run.routes):
        if method == "GET":
            path = rule.replace("<profile_id:profile_id>", MEMBER).replace("<name>", "swagger-ui.css")
            named = re.sub(r"<(?!venue|feed)\w+:(\w+)>", lambda one: run.ids.get(one[1], one[0]), path)
            run.call("HEAD", paths.get(rule, named))


def _erasing(run: Transcript, three: Spot) -> None:
    run.call("DELETE", VENUE)
    run.call("DELETE", PATH, If_Match='"another"')
    run.call("DELETE", PATH)
    for path in (PATH, f"{PATH}/export", f"{PATH}/suggestions", "/v1/profiles"):
        run.call("GET", path)
    run.call("GET", "/v1/profiles/asker-0/suggestions")
    run.call("PUT", PATH, wire(three))
    run.call("GET", "/v1/profiles/asker-1/suggestions")
