"""The OpenAPI document, and Swagger UI out of the installed package: nothing is asked of other hosts."""

from functools import cache
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, current_app, render_template_string, send_from_directory
from werkzeug.exceptions import NotFound

from service.web.access import open_to_all
from service.web.answers import CONTENT_TYPE, as_json
from service.web.openapi import describe

blueprint = Blueprint("documents", __name__)
DIST = Path(flask_swagger_ui.__file__).parent / "dist"
FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "index.css", "favicon-32x32.png"})
# Swagger UI draws with data: images; its styles it sets by script, which needs no leave.
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kith: the API</title>
<link rel="icon" type="image/png" href="{{ url_for('documents.file', name='favicon-32x32.png') }}">
<link rel="stylesheet" href="{{ url_for('documents.file', name='swagger-ui.css') }}">
</head>
<body>
<div id="swagger-ui" data-document="{{ url_for('documents.openapi') }}"></div>
<script src="{{ url_for('documents.file', name='swagger-ui-bundle.js') }}"></script>
<script src="{{ url_for('documents.start') }}"></script>
</body>
</html>
"""
START = """const place = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


@blueprint.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """Give the OpenAPI document."""
    return Response(_document(), content_type=CONTENT_TYPE)


@cache
def _document() -> bytes:
    # Every app has the same routes.
    return as_json(describe(current_app))


@blueprint.get("/docs")
@open_to_all
def docs() -> Response:
    """Show the document in Swagger UI."""
    return _page(Response(render_template_string(PAGE), content_type="text/html; charset=utf-8"))


@blueprint.get("/docs/start.js")
@open_to_all
def start() -> Response:
    """Give the script that opens the document."""
    return _page(Response(START, content_type="text/javascript; charset=utf-8"))


@blueprint.get("/docs/<name>")
@open_to_all
def file(name: str) -> Response:
    """Give one of Swagger UI's files."""
    if name not in FILES:
        raise NotFound
    return _page(send_from_directory(DIST, name, max_age=3600))


def _page(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
