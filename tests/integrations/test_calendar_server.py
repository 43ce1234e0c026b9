"""A real calendar server (Radicale) and a client library (caldav) read what we write without a complaint."""

from __future__ import annotations

import contextlib
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import caldav
import pytest
from icalendar import Calendar

from service.integrations.calendar import calendar_feed, meetup_file
from service.records_meetups import MeetupPlace, MeetupView

SECONDS_TO_START = 20
# The Sundays on which the clocks in Berlin change, with times that come twice on them.
STARTS = ("2026-03-29T00:30", "2026-03-29T01:00", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T18:00")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def meetup(number: int, start: datetime, zone: str = "Europe/Berlin", **more: Any) -> MeetupView:
    at = int(start.timestamp() * 1000)
    return MeetupView(
        id=f"mee_{number}",
        names=("Bén", 'Cem "C"'),
        starts_at=at,
        ends_at=at + 5_400_000,
        changed_at=at - 1_000_000,
        zone=zone,
        place=MeetupPlace("Café; Mitte", 52.52, 13.405),
        reasons=("You both like hiking, and 日本",),
        openers=("Which trail?",),
        **more,
    )


MEETUPS = [meetup(number, moment(text)) for number, text in enumerate(STARTS)]


@contextlib.contextmanager
def radicale(folder: Path) -> Iterator[str]:
    """Run Radicale on a port of its own; it writes to `log` in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--server-hosts", f"127.0.0.1:{port}", "--auth-type", "none", "--logging-level", "warning"]
    words += ["--storage-filesystem-folder", str(folder / "store"), "--config", ""]
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "radicale", *words]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(10)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("Radicale did not start")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A member's account on a server, and the server's log."""
    folder = tmp_path_factory.mktemp("radicale")
    client_of: Any = caldav.DAVClient
    with radicale(folder) as url, client_of(url, username="ana", password="ana") as client:
        yield client.principal(), folder / "log"


@pytest.fixture
def principal(server: tuple[Any, Path], caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """That account; neither the server nor the client may complain of what the test does."""
    account, log = server
    said = log.stat().st_size
    yield account
    assert log.read_bytes()[said:] == b""
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def times(found: Any) -> tuple[datetime, datetime]:
    (event,) = found.icalendar_instance.walk("VEVENT")
    return event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)


def test_meetups_come_back_at_their_times_through_changes_of_the_clock(principal: Any) -> None:
    calendar = principal.make_calendar(name="One by one")

    for one in MEETUPS:
        calendar.save_event(meetup_file(one, "com_1", "Club").decode())

    for one in MEETUPS:
        start = datetime.fromtimestamp(one.starts_at / 1000, UTC)
        found = calendar.event_by_uid(f"{one.id}@kith")
        assert times(found) == (start, start + timedelta(minutes=90))
        # The server itself reads the time zone: it finds the meetup in that hour, and none a minute earlier.
        listed = calendar.search(start=start, end=start + timedelta(minutes=1), event=True)
        assert f"{one.id}@kith" in {str(item.icalendar_component["UID"]) for item in listed}
        before = calendar.search(start=start - timedelta(minutes=1), end=start, event=True)
        assert f"{one.id}@kith" not in {str(item.icalendar_component["UID"]) for item in before}


def test_a_cancellation_replaces_the_invitation(principal: Any) -> None:
    calendar = principal.make_calendar(name="Cancelled")
    calendar.save_event(meetup_file(MEETUPS[0], "com_1", "Club").decode())

    gone = meetup(0, moment(STARTS[0]), sequence=1, cancelled=True)
    calendar.save_event(meetup_file(gone, "com_1", "Club").decode())

    (found,) = calendar.events()
    assert str(found.icalendar_component["STATUS"]) == "CANCELLED"


def test_a_whole_feed_is_taken_as_a_calendar(principal: Any) -> None:
    feed = calendar_feed([*MEETUPS, meetup(99, moment("2026-07-01T10:00"), "Asia/Tokyo")], "Club")
    address = principal.calendar_home_set.url.join("feed/")

    answer = principal.client.put(str(address), feed.decode(), {"Content-Type": "text/calendar"})

    assert answer.status == 201
    given = Calendar.from_ical(principal.client.request(str(address)).raw)
    assert {str(event["UID"]) for event in given.walk("VEVENT")} == {
        f"mee_{number}@kith" for number in (*range(len(MEETUPS)), 99)
    }
    assert {str(zone["TZID"]) for zone in given.walk("VTIMEZONE")} == {"Europe/Berlin", "Asia/Tokyo"}
