"""Events: what webhooks are told of, written in the transaction that causes it."""

from collections.abc import Mapping
from typing import Any

from service.storage.communities import Write


def emit(write: Write, type: str, data: Mapping[str, Any]) -> None:  # noqa: A002 - as API.md calls it
    """Tell of an event. There is nobody yet to be told."""
