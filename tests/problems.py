"""What every error answer must look like: RFC 9457 in one shape, with nothing of the inside in it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

FIELDS = {"type", "title", "status", "detail"}


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Return the problem document of an answer that must be this error."""
    assert response.status_code == status, f"{response.status_code} {response.text[:500]}"
    assert response.content_type == "application/problem+json"
    document: Any = response.json
    assert set(document) - {"errors"} == FIELDS
    assert document["type"].startswith("urn:kith:problem:")
    assert document["status"] == status
    assert all(document[name] and isinstance(document[name], str) for name in ("title", "detail"))
    assert ("errors" in document) == (status == 422)
    assert "Traceback" not in response.text
    assert 'File "' not in response.text
    assert isinstance(document, dict)
    return document


def errors(response: TestResponse) -> dict[str, list[str]]:
    """Return the bad fields of a 422, by path."""
    found: dict[str, list[str]] = problem(response, 422)["errors"]
    assert found
    assert all(texts and all(texts) for texts in found.values())
    return found
