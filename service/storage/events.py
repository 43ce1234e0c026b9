"""Events: what happened, as one delivery for each webhook that asked for it, in the transaction that did it.

What an event tells are ids and times, never terms, places or names. Members stand in it under `profile`,
`peer` and `members` alone: by these an erasure finds what speaks of its member.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from service.storage import deliveries
from service.storage.communities import Write
from service.storage.webhooks import list_webhooks

EventType = Literal[
    "profile.created", "profile.updated", "profile.erased",
    "connection.invited", "connection.made", "connection.ended",
    "round.drafted", "round.published", "round.failed",
    "meetup.scheduled", "meetup.changed", "meetup.cancelled", "meetup.outcome_due",
    "report.filed",
]  # fmt: skip
EVENTS: tuple[EventType, ...] = get_args(EventType)


def emit(write: Write, event: EventType, data: Mapping[str, Any]) -> None:
    """Let all webhooks of the community that asked for it be told of this event."""
    emit_all(write, event, [data])


def emit_all(write: Write, event: EventType, happened: Sequence[Mapping[str, Any]]) -> None:
    """Let them be told of many events of one type; where none asked this costs one statement."""
    if not happened:
        return
    # Read anew each time: the community's lock keeps it from changing until this commits.
    asked = list_webhooks(write.connection, write.community.number)
    for webhook in asked:
        if event in webhook.events:
            deliveries.insert_deliveries(write, webhook.id, event, happened)
