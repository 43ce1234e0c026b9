"""The log holds what is allowed, and nothing of a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service import logs
from tests.logged import logged


class Log(io.StringIO):
    """A stream that remembers lines."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """The log of this process, at its usual level; put back as it was afterwards."""
    with logged("info", Log()) as stream:
        yield stream


def test_a_request_is_logged_by_its_route(log: Log) -> None:
    structlog.get_logger().info(
        "request", route="/v1/profiles/<id>", method="GET", status=200, milliseconds=1.5
    )
    (line,) = log.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "route": "/v1/profiles/<id>",
        "method": "GET",
        "status": 200,
        "milliseconds": 1.5,
    }


@pytest.mark.parametrize("field", ["name", "term", "interests", "lat", "location", "key", "path", "profile"])
def test_a_field_that_is_not_allowed_is_dropped_and_named(log: Log, field: str) -> None:
    structlog.get_logger().info("saved", count=1, **{field: "hiking in Nashville"})
    assert "hiking" not in log.getvalue()
    assert log.lines()[0]["dropped"] == [field]
    assert log.lines()[0]["count"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", "Ana"), ("error", "no such member: ana"), ("state", ["ana"]), ("route", "Ana B")],
)
def test_a_value_that_does_not_look_as_it_must_is_dropped(log: Log, field: str, value: object) -> None:
    structlog.get_logger().info("saved", **{field: value})
    assert "na" not in str(log.lines()[0].get(field))
    assert log.lines()[0]["dropped"] == [field]


def test_an_event_that_is_a_sentence_is_dropped(log: Log) -> None:
    structlog.get_logger().info("Ana likes hiking")
    assert log.lines()[0]["event"] == "unnamed"
    assert "Ana" not in log.getvalue()


def test_a_field_name_that_is_no_word_is_not_repeated(log: Log) -> None:
    structlog.get_logger().info("saved", **{"Ana, 34": 1})
    assert log.lines()[0]["dropped"] == ["?"]


def test_a_community_may_be_a_word_or_a_number(log: Log) -> None:
    structlog.get_logger().info("fitted", community=7)
    structlog.get_logger().info("fitted", community="c_8f2")
    assert [line["community"] for line in log.lines()] == [7, "c_8f2"]


def fail() -> None:
    try:
        raise KeyError("ana@example.org")
    except KeyError as error:
        raise ValueError("Ana, 34") from error


@pytest.mark.parametrize("way", ["true", "error", "tuple"])
def test_an_exception_is_told_by_kind_and_place_without_its_message(log: Log, way: str) -> None:
    try:
        fail()
    except ValueError as error:
        given = {"true": True, "error": error, "tuple": (ValueError, error, error.__traceback__)}[way]
        structlog.get_logger().error("unhandled_error", exc_info=given)
    (line,) = log.lines()
    assert line["exception"] == "ValueError from KeyError"
    assert line["stack"][-1].endswith(" fail")
    assert "Ana" not in log.getvalue()
    assert "ana@" not in log.getvalue()


def test_an_error_without_an_exception_has_no_stack(log: Log) -> None:
    structlog.get_logger().error("odd", exc_info=True)
    assert "stack" not in log.lines()[0]


def test_what_is_below_the_level_is_left_out(log: Log) -> None:
    structlog.get_logger().debug("redis_still_off")
    logging.getLogger("service.web").debug("redis_still_off")
    assert log.lines() == []


def test_the_debug_level_shows_everything_of_ours() -> None:
    stream = Log()
    logs.configure("debug", stream)
    structlog.get_logger().debug("redis_still_off")
    structlog.reset_defaults()
    assert stream.lines()[0]["event"] == "redis_still_off"


def test_our_own_standard_loggers_write_events(log: Log) -> None:
    logging.getLogger("service.web.problems").error("unhandled_error", exc_info=ValueError("Ana"))
    (line,) = log.lines()
    assert (line["event"], line["logger"], line["exception"]) == (
        "unhandled_error",
        "service.web.problems",
        "ValueError",
    )


def test_another_librarys_message_comes_without_its_values(log: Log) -> None:
    logging.getLogger("sqlalchemy.pool").warning("Connection %s of %s is invalid", "ana", "Ana")
    (line,) = log.lines()
    assert line["template"] == "Connection %s of %s is invalid"
    assert "Ana" not in log.getvalue()


def test_a_message_that_holds_its_values_already_is_left_out(log: Log) -> None:
    logging.getLogger("somelibrary").warning("row Ana is odd")
    (line,) = log.lines()
    assert line["logger"] == "somelibrary"
    assert "Ana" not in log.getvalue()


def test_gunicorns_literal_messages_are_kept(log: Log) -> None:
    logging.getLogger("gunicorn.error").error("Socket error processing request.")
    assert log.lines()[0]["template"] == "Socket error processing request."


def test_another_librarys_small_talk_is_left_out(log: Log) -> None:
    logging.getLogger("gunicorn.error").info("Booting worker")
    assert log.lines() == []


def test_a_terminal_gets_words(capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    logs.configure("info", stream)
    structlog.get_logger().info("request", status=200, name="Ana")
    structlog.reset_defaults()
    assert "request" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
    assert "Ana" not in stream.getvalue()
