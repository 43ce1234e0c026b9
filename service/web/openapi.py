"""The OpenAPI document: made from views and schemas, with what holds for all routes added in one place."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from flask_smorest import Api
from marshmallow import Schema, fields
from werkzeug.routing import BaseConverter

from service.schemas import fields as ours
from service.schemas.base import StrictSchema
from service.schemas.communities import CommunitySchema, FacetWeights
from service.schemas.pairs import ConnectionSchema
from service.schemas.profiles import ID_PATTERN, ProfileId, ProfileSchema, Time
from service.schemas.queries import Cursor, QueryNumber, QueryWhole
from service.schemas.reports import ReportChange
from service.schemas.webhooks import WebhookChange
from service.web.blueprint import JSON, MERGE_PATCH, Blueprint
from service.web.converters import (
    DeliveryIdConverter,
    KeyIdConverter,
    MeetupIdConverter,
    ProfileIdConverter,
    ReportIdConverter,
    RoundIdConverter,
    VenueIdConverter,
    WebhookIdConverter,
)
from service.web.problems import CONTENT_TYPE, TABLE

VERSION = "1.0.0"
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_METHODS = ("get", "post", "put", "patch", "delete")
_STATUSES = {status: title for _, status, _, title in TABLE} | {413: "Body too large", 500: "Internal error"}
# What a merge patch on a path is called, and which shape it changes.
_PATCHES = {
    "/v1/profiles/{profile_id}": ("ProfilePatch", "Profile"),
    "/v1/community": ("CommunityPatch", "CommunityAnswer"),
}
# What may be written back as it was read: the shape that comes in, its schema, the shape it was read in.
_READ_BACK: tuple[tuple[str, type[StrictSchema], str], ...] = (
    ("Profile", ProfileSchema, "ProfileAnswer"),
    ("ProfilePatch", ProfileSchema, "ProfileAnswer"),
    ("Connection", ConnectionSchema, "ConnectionAnswer"),
    ("ReportChange", ReportChange, "ReportAnswer"),
    ("CommunityPatch", CommunitySchema, "CommunityAnswer"),
    ("WebhookChange", WebhookChange, "WebhookAnswer"),
)
# The ids that we know in paths.
_KINDS: tuple[type[BaseConverter], ...] = (
    ProfileIdConverter,
    VenueIdConverter,
    KeyIdConverter,
    ReportIdConverter,
    RoundIdConverter,
    MeetupIdConverter,
    WebhookIdConverter,
    DeliveryIdConverter,
)
# What carries an entity tag, and so can be changed on condition.
_TAGGED = (
    "/v1/profiles/{profile_id}",
    "/v1/profiles/{profile_id}/calendar",
    "/v1/community",
    "/v1/reports/{report_id}",
    "/v1/venues/{venue_id}",
    "/v1/webhooks/{webhook_id}",
)
# What the state of things can forbid, besides every POST.
_CONFLICTING = (("delete", "/v1/keys/{key_id}"), ("put", "/v1/profiles/{profile_id}/connections/{peer_id}"))


class ProblemAnswer(Schema):
    """An error, after RFC 9457; a 422 maps each bad field's path to its messages."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class OpenApi(Api):
    """flask-smorest's Api, without its error shape and its own documents."""

    ERROR_SCHEMA = ProblemAnswer

    def _register_error_handlers(self) -> None:
        """Leave errors to `service.web.problems`."""

    def _register_doc_blueprint(self) -> None:
        """Leave the document's routes to `service.resources.documents`."""

    def _register_responses(self) -> None:
        """Describe no response that no route gives; `describe` adds those that hold for all."""


def describe(app: Flask) -> dict[str, Any]:
    """Return the document of an app's resources; to make it takes longer than to make the app."""
    api = OpenApi(app, spec_kwargs={"title": "Kith", "version": VERSION, "openapi_version": "3.1.0"})
    api.ma_plugin.converter.add_attribute_function(_describe)
    api.spec.components.schema("Problem", schema=ProblemAnswer)
    for kind in _KINDS:
        api.register_converter(kind, _id_shape(kind.regex))
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    for name, blueprint in app.blueprints.items():
        if isinstance(blueprint, Blueprint):
            blueprint.register_views_in_doc(api, app, api.spec, name=name, parameters=None)
            api.spec.tag({"name": name, "description": blueprint.description})
    return _complete(api.spec.to_dict())


def _id_shape(pattern: str) -> Callable[[Any], dict[str, Any]]:
    return lambda _: {"type": "string", "pattern": f"^{pattern}$"}


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return the whole document: flask-smorest's, with keys, common parameters and problems added."""
    document["info"]["description"] = "Kith finds every member of a community somebody to meet."
    shapes = document["components"]["schemas"]
    del shapes["PaginationMetadata"]
    for name in ("ProfileAnswer", "CommunityAnswer", "VenueAnswer"):
        # They inherit from what comes in, where most fields may be left out; here none is.
        shapes[name]["required"] = sorted(shapes[name]["properties"])
    for name, of in _PATCHES.values():
        shapes[name] = _patch_of(shapes[of])
    _add_read_only(shapes)
    del shapes["AnyObject"]
    for path, method, operation in _operations(document):
        if not _is_open(path):
            operation["security"] = [{"key": []}]
        # flask-smorest refers to error responses that we describe by our own table instead.
        operation["responses"] = {
            status: said for status, said in operation["responses"].items() if "$ref" not in said
        }
        _add_parameters(method, path, operation)
        _add_patch_body(path, operation)
        for status in _problems(path, method, operation):
            content = {CONTENT_TYPE: {"schema": _PROBLEM}}
            operation["responses"].setdefault(
                str(status), {"description": _STATUSES[status], "content": content}
            )
    whole: dict[str, Any] = _without_null_defaults(document)
    return whole


def _add_read_only(shapes: dict[str, Any]) -> None:
    # They are ignored where they come in, so that what was read can be written back.
    for coming_in, schema, read in _READ_BACK:
        for name in schema.read_only:
            shown = shapes[read]["properties"][name] | {"readOnly": True}
            shapes[coming_in]["properties"][name] = shown


def _without_null_defaults(part: Any) -> Any:
    # marshmallow's "nothing given" is not a value that may be sent.
    if isinstance(part, list):
        return [_without_null_defaults(item) for item in part]
    if isinstance(part, dict):
        return {
            name: _without_null_defaults(item)
            for name, item in part.items()
            if not (name == "default" and item is None)
        }
    return part


def _is_open(path: str) -> bool:
    return not path.startswith("/v1/")


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _problems(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    statuses = [422, 500] if _is_open(path) else [401, 403, 422, 429, 500, 503]
    if "{" in path:
        statuses.append(404)
    if "requestBody" in operation:
        # Imports have any size, and change nothing when they are sent again.
        statuses += [400, 415] if path.endswith("/import") else [400, 413, 415]
    if (method == "post" and not path.endswith("/import")) or (method, path) in _CONFLICTING:
        statuses.append(409)
    if _is_conditional(path, method):
        statuses.append(412)
    return statuses


def _is_conditional(path: str, method: str) -> bool:
    return method in {"put", "patch", "delete"} and path in _TAGGED


def _add_parameters(method: str, path: str, operation: dict[str, Any]) -> None:
    added = operation.setdefault("parameters", [])
    if method == "post" and not path.endswith("/import"):
        added.append(
            _header(
                "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
            )
        )
    if _is_conditional(path, method):
        added.append(_header("If-Match", {"type": "string"}))
    if method == "get" and any(
        "ETag" in answer.get("headers", {}) for answer in operation["responses"].values()
    ):
        added.append(_header("If-None-Match", {"type": "string"}))
        operation["responses"]["304"] = {"description": "Not modified"}


def _header(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "schema": schema}


def _add_patch_body(path: str, operation: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    if MERGE_PATCH in content:
        name, _ = _PATCHES[path]
        content[MERGE_PATCH] = content[JSON] = {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _patch_of(shape: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of a merge patch: any of the fields, null for the default, objects in part."""
    fields = {
        name: field if name in {"id", "name"} else _changed(field)
        for name, field in shape["properties"].items()
    }
    return {"type": "object", "properties": fields, "additionalProperties": False}


def _changed(field: dict[str, Any]) -> dict[str, Any]:
    if "object" in field.get("type", ()):
        return {"type": ["object", "null"]}
    stated = {name: said for name, said in field.items() if name != "default"}
    return {"anyOf": [stated, {"type": "null"}]}


def _describe(converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Return the JSON schema of our own fields."""
    shape: dict[str, Any] = next(
        (shape(field) for kind, shape in _SHAPES.items() if isinstance(field, kind)), {}
    )
    if isinstance(field, ours.Several):
        shape["items"] = converter.field2property(field.item)
    if isinstance(field, ours.Named):
        shape["additionalProperties"] = converter.field2property(field.item)
    if shape and field.allow_none:
        shape["type"] = [shape["type"], "null"]
    return shape


def _several(field: ours.Several) -> dict[str, Any]:
    shape = {"type": "array", "maxItems": field.most}
    return shape | ({"minItems": field.fewest} if field.fewest else {})


def _range(kind: str) -> Callable[[Any], dict[str, Any]]:
    return lambda field: {"type": kind, "minimum": field.low, "maximum": field.high}


# The first kind that fits counts: the special stand before the general.
_SHAPES: dict[type[fields.Field[Any]], Callable[[Any], dict[str, Any]]] = {
    ours.Several: _several,
    ours.Named: lambda field: {"type": "object", "maxProperties": field.most},
    ours.Text: lambda field: {"type": "string", "minLength": field.shortest, "maxLength": field.longest},
    ours.Number: _range("number"),
    ours.Whole: _range("integer"),
    QueryNumber: _range("number"),
    QueryWhole: _range("integer"),
    ours.Flag: lambda _: {"type": "boolean"},
    ours.Choice: lambda field: {"type": "string", "enum": list(field.allowed)},
    ours.Language: lambda _: {
        "type": "string",
        "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        "maxLength": 35,
    },
    ours.TimeZone: lambda _: {"type": "string", "examples": ["Europe/Berlin"]},
    ours.Day: lambda _: {"type": "string", "format": "date", "pattern": "^2"},
    ours.Moment: lambda _: {"type": "string", "format": "date-time"},
    ours.Point: lambda _: {
        "type": "object",
        "required": ["lat", "lon"],
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
        },
        "additionalProperties": False,
    },
    ours.Location: lambda _: {
        "type": "object",
        "required": ["lat", "lon"],
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "accuracy_km": {"type": "number", "readOnly": True},
        },
        "additionalProperties": False,
    },
    ProfileId: lambda _: {"type": "string", "pattern": f"^{ID_PATTERN}$"},
    Time: lambda field: {"type": "string", "pattern": f"^(?:{field.pattern.pattern})$"},
    Cursor: lambda _: {"type": "string"},
    FacetWeights: lambda _: {
        "type": "object",
        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
    },
}
