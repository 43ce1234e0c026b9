"""A member's calendar: a secret address that lasts until it is changed, and is read without a key."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from tests.gatherings import arranged, people
from tests.harness import Kith
from tests.problems import problem
from tests.rows import rows_of
from tests.tenants import neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

ADDRESS = "/v1/profiles/ana/calendar"
FEED = re.compile(r"/calendars/[0-9a-f]{64}\.ics")


@pytest.fixture
def ana(kith: Kith) -> Kith:
    """A community in which Ana is, somewhere."""
    kith.post_profile("ana", location={"lat": 52.52, "lon": 13.405})
    return kith


def address(kith: Kith, profile_id: str = "ana") -> str:
    found = str(kith.get(f"/v1/profiles/{profile_id}/calendar")["url"])
    assert FEED.fullmatch(found), found
    return found


def read(kith: Kith, path: str, **headers: str) -> Any:
    """Read a feed as a calendar does, without a key."""
    return kith.client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_the_address_stays_the_same_and_opens_the_feed_without_a_key(ana: Kith) -> None:
    first = address(ana)

    answer = read(ana, first)

    assert address(ana) == first
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert Calendar.from_ical(answer.data)["X-WR-CALNAME"] == "Meetups of Neighbours"
    known = read(ana, first, If_None_Match=answer.headers["ETag"])
    assert (known.status_code, known.data) == (304, b"")


def event_in(content: bytes) -> Any:
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return event


def test_the_feed_holds_the_members_own_meetups(ana: Kith) -> None:
    people(ana, "ben", "cem")
    ana.call("PATCH", "/v1/profiles/ana", {"timezone": "Europe/Berlin"})
    where = {"name": "Café", "location": {"lat": 52.52, "lon": 13.405}}
    assert ana.call("PUT", "/v1/venues/cafe", where).status_code == 201
    meetup = arranged(ana, "ana", "ben")
    arranged(ana, "ben", "cem")

    event = event_in(read(ana, address(ana)).data)

    assert (event["UID"], event["SUMMARY"], event["LOCATION"]) == (
        f"{meetup['id']}@kith",
        "Meet Ben",
        "Café",
    )
    assert event["DTSTART"].dt.astimezone(UTC).isoformat() == meetup["starts_at"].replace("Z", "+00:00")
    assert str(event["DTSTART"].dt.tzinfo) == "Europe/Berlin"


def test_a_meetup_that_is_left_is_cancelled_in_both_calendars_and_names_nobody_who_blocks(ana: Kith) -> None:
    people(ana, "ben")
    arranged(ana, "ana", "ben")

    assert ana.call("PUT", "/v1/profiles/ben/blocks/ana").status_code == 204

    event = event_in(read(ana, address(ana)).data)
    assert (event["STATUS"], event["SEQUENCE"], event["SUMMARY"]) == ("CANCELLED", 1, "Meetup")


def test_a_meetup_is_a_file_for_a_calendar(ana: Kith) -> None:
    people(ana, "ben")
    path = f"/v1/meetups/{arranged(ana, 'ana', 'ben')['id']}.ics"

    invitation = ana.call("GET", path)
    known = ana.call("GET", path, If_None_Match=invitation.headers["ETag"])

    assert (invitation.content_type, known.status_code) == ("text/calendar; charset=utf-8", 304)
    calendar: Any = Calendar.from_ical(invitation.data)
    event = event_in(invitation.data)
    assert (calendar["METHOD"], event["SUMMARY"]) == ("REQUEST", "Meet Ana and Ben")
    ana.call("DELETE", "/v1/profiles/ben")
    cancelled: Any = Calendar.from_ical(ana.call("GET", path).data)
    assert cancelled["METHOD"] == "CANCEL"


def test_a_changed_address_leads_nowhere_any_more_at_once(ana: Kith) -> None:
    old = address(ana)
    tag = ana.call("GET", ADDRESS).headers["ETag"]
    problem(ana.call("DELETE", ADDRESS, If_Match='"other"'), 412)
    assert read(ana, old).status_code == 200

    assert ana.call("DELETE", ADDRESS, If_Match=tag).status_code == 204

    problem(read(ana, old), 404)
    problem(ana.call("DELETE", ADDRESS, If_Match=tag), 412)
    assert address(ana) != old
    assert read(ana, address(ana)).status_code == 200


def test_an_address_may_be_changed_before_it_was_ever_asked_for(ana: Kith) -> None:
    problem(ana.call("DELETE", ADDRESS, If_Match="*"), 412)
    assert ana.call("DELETE", ADDRESS).status_code == 204
    assert read(ana, address(ana)).status_code == 200


def test_whoever_is_erased_has_no_feed(ana: Kith) -> None:
    gone = address(ana)
    assert rows_of(ana)["calendar_feeds"]

    ana.call("DELETE", "/v1/profiles/ana")

    assert not rows_of(ana)["calendar_feeds"]
    problem(read(ana, gone), 404)
    problem(ana.call("GET", ADDRESS), 404)
    problem(ana.call("DELETE", ADDRESS), 404)
    ana.post_profile("ana")
    assert address(ana) != gone
    problem(read(ana, gone), 404)


def test_no_other_secret_opens_anything(ana: Kith) -> None:
    right = address(ana)
    there = neighbour(ana)
    there.post_profile("ana")
    theirs = address(there)
    nonce, mixed = right[:43], right[:43] + theirs[43:]

    for wrong in (
        f"{nonce}{'0' * 32}.ics",
        mixed,
        right[:-5] + "g.ics",
        right.upper(),
        right[:-4],
        right + "/",
    ):
        problem(read(ana, wrong), 404)
    assert (len(nonce), theirs != right) == (43, True)
    problem(read(ana, right + "?member=ben"), 422)
    problem(ana.client.post(right), 405)


def test_a_reader_may_ask_for_the_address_and_only_a_writer_change_it(ana: Kith) -> None:
    reader = with_key(ana, "read")

    assert address(reader) == address(ana)
    problem(reader.call("DELETE", ADDRESS), 403)


def test_the_export_says_since_when_there_is_an_address(ana: Kith) -> None:
    before = ana.get("/v1/profiles/ana/export")["calendar_since"]
    secret = address(ana)

    after = ana.call("GET", "/v1/profiles/ana/export")

    assert (before, after.json["calendar_since"] is None) == (None, False)
    assert secret not in after.text


def test_the_address_survives_a_restart_and_begins_with_the_public_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kith.db'}"
    with Kith.open(url) as kith:
        kith.post_profile("ana")
        before = address(kith)

    with Kith.open(url, like=kith, KITH_PUBLIC_URL="https://kith.example") as again:
        after = again.get(ADDRESS)["url"]
        assert after == "https://kith.example" + before
        assert read(again, before).status_code == 200


def test_guesses_and_readings_are_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kith.db'}"
    with Kith.open(url) as kith:
        kith.post_profile("ana")
        kith.post_profile("ben")
        paths = [address(kith, name) for name in ("ana", "ben")]

    with Kith.open(url, like=kith, KITH_RATE_LIMIT="5/minute") as limited:
        assert [read(limited, paths[0]).status_code for _ in range(7)] == [200] * 5 + [429] * 2
        assert read(limited, paths[1]).status_code == 200
        guesses = [read(limited, f"/calendars/{number:064x}.ics") for number in range(7)]
        assert [guess.status_code for guess in guesses] == [404] * 5 + [429] * 2
        problem(guesses[-1], 429)
        assert int(guesses[-1].headers["Retry-After"]) > 0
        assert read(limited, paths[1]).status_code == 200
