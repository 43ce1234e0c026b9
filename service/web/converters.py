"""Path ids: what is outside the grammar matches no route, and so is answered 404."""

from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter

from service.schemas.profiles import ID_PATTERN


class ProfileIdConverter(BaseConverter):
    """A profile's id."""

    # Not in `to_python`: the router asks that only once the method fits, and would say 405.
    regex = ID_PATTERN


class VenueIdConverter(ProfileIdConverter):
    """A venue's id, in the same grammar."""


class FeedSecretConverter(BaseConverter):
    """What the address of a member's calendar is known by."""

    regex = r"[0-9a-f]{64}"


class KeyIdConverter(BaseConverter):
    """A key's id."""

    regex = r"key_[0-9a-f]{16}"


class ReportIdConverter(BaseConverter):
    """A report's id."""

    regex = r"rep_[0-9a-f]{24}"


class RoundIdConverter(BaseConverter):
    """A round's id."""

    regex = r"rnd_[0-9a-f]{24}"


class MeetupIdConverter(BaseConverter):
    """A meetup's id."""

    regex = r"mtg_[0-9a-f]{24}"


class WebhookIdConverter(BaseConverter):
    """A webhook's id."""

    regex = r"whk_[0-9a-f]{16}"


class DeliveryIdConverter(BaseConverter):
    """A delivery's id."""

    regex = r"dlv_[0-9a-f]{24}"


def register_converters(app: Flask) -> None:
    """Teach the app's routes our ids."""
    converters: dict[str, Any] = {
        "profile_id": ProfileIdConverter,
        "venue_id": VenueIdConverter,
        "feed_secret": FeedSecretConverter,
        "key_id": KeyIdConverter,
        "report_id": ReportIdConverter,
        "round_id": RoundIdConverter,
        "meetup_id": MeetupIdConverter,
        "webhook_id": WebhookIdConverter,
        "delivery_id": DeliveryIdConverter,
    }
    app.url_map.converters.update(converters)
