"""The blueprint of every resource: flask-smorest's, with our strict parser for webargs' lenient one."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from io import BufferedReader, RawIOBase
from typing import IO, Any, NoReturn, TypeVar, cast

from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from service.errors import WrongMediaType
from service.schemas.base import StrictSchema, refuse
from service.schemas.queries import NoQuery
from service.web.gate import parse_json, parse_query

F = TypeVar("F", bound=Callable[..., Any])
LARGEST_BODY = 1024 * 1024
# Flask takes None for "as configured".
UNLIMITED = 2**62
BYTES_PER_READ = 64 * 1024
MOST_QUERIES = 1024
JSON = "application/json"
# What a response that carries an entity tag documents.
ETAG = {"ETag": {"schema": {"type": "string"}}}
MERGE_PATCH = "application/merge-patch+json"


class StrictParser(FlaskParser):
    """Reads a request through the gate; raises our own errors."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": None, "query": None, "merge_patch": None}  # noqa: RUF012
    __location_map__ = {"json": "load_json", "query": "load_querystring"}  # noqa: RUF012

    def parse(self, argmap: Any, req: Request | None = None, **options: Any) -> Any:
        """Return what a request holds; a query that names nobody is read by its schema once."""
        if isinstance(argmap, StrictSchema) and argmap.names_nobody:
            return dict(_read_query(argmap, request.query_string))
        return super().parse(argmap, req, **options)

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the body as JSON."""
        return read_json(req)

    def load_querystring(self, req: Request, schema: Schema) -> dict[str, str]:
        """Return the query parameters, each once."""
        return parse_query(req.query_string)

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `Invalid` with flat paths."""
        # webargs puts the location first; our errors name the field alone.
        messages = error.messages
        if isinstance(messages, dict) and len(messages) == 1 and next(iter(messages)) in {"json", "query"}:
            messages = next(iter(messages.values()))
        refuse(ValidationError(messages))


@lru_cache(MOST_QUERIES)
def _read_query(schema: StrictSchema, query: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.read(parse_query(query))
    return found


class Blueprint(SmorestBlueprint):
    """A noun's routes; flask-smorest's decorators with types."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[F], F]:
        """Read and document what comes in."""
        # One instance for all calls: making one costs more than reading a query with it.
        return cast("Callable[[F], F]", super().arguments(schema(), **options))

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Callable[[F], F]:
        """Document what goes out."""
        return cast("Callable[[F], F]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, response: Any = None, **options: Any) -> Callable[[F], F]:
        """Document what goes out at other times."""
        return cast("Callable[[F], F]", super().alt_response(status_code, response, **options))

    @staticmethod
    def doc(**options: Any) -> Callable[[F], F]:
        """Document what the decorators can't tell."""
        return cast("Callable[[F], F]", SmorestBlueprint.doc(**options))


def read_json(req: Request) -> Any:
    """Return a request's body as JSON; a PATCH may also call it a merge patch."""
    check_coding(req)
    check_type(req, (JSON, MERGE_PATCH) if req.method == "PATCH" else (JSON,))
    body = req.get_data()
    if len(body) > LARGEST_BODY:
        raise RequestEntityTooLarge
    return parse_json(body)


def read_stream(req: Request, allowed: Sequence[str]) -> IO[bytes]:
    """Return a request's body as a stream of lines, of any length."""
    check_coding(req)
    check_type(req, allowed)
    # Read line by line, so the limit on bodies does not apply.
    req.max_content_length = UNLIMITED
    # The server's stream reads lines byte by byte unless it is buffered.
    return BufferedReader(cast("RawIOBase", req.stream), BYTES_PER_READ)


def check_type(req: Request, allowed: Sequence[str]) -> None:
    """Refuse a body of another type, or in another charset than UTF-8."""
    if req.mimetype not in allowed or req.mimetype_params.get("charset", "utf-8").casefold() != "utf-8":
        raise WrongMediaType(f"Send {' or '.join(allowed)} in UTF-8.")


def check_coding(req: Request) -> None:
    """Refuse any content coding: what is small on the wire may be huge unpacked."""
    if "Content-Encoding" in req.headers:
        raise WrongMediaType("Send the body without a Content-Encoding.")


def check_query() -> None:
    """Refuse every query parameter, on a route that knows none."""
    if request.query_string:
        NoQuery().read(parse_query(request.query_string))
