"""The wire shape of a community and its settings."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields

from matching import FACETS
from service.records import Community
from service.schemas.base import StrictSchema
from service.schemas.fields import Flag, Line, Number, Several, Text, Whole
from service.schemas.profiles import merge_patch


class FacetWeights(fields.Field[dict[str, float]]):
    """How much each facet weighs; one at least above nothing."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> dict[str, float]:
        if not isinstance(value, Mapping):
            raise ValidationError('Must be null or an object such as {"interests": 1}.')
        if len(value) > len(FACETS):
            raise ValidationError(f"Must name at most {len(FACETS)} facets.")
        read: dict[str, Any] = dict.fromkeys(FACETS, 0.0)
        errors: dict[str, Any] = {}
        for name, weight in value.items():
            try:
                if name not in FACETS:
                    raise ValidationError("Unknown facet.")
                read[name] = Number(0, 100).deserialize(weight)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        if not any(read.values()):
            raise ValidationError("Must give one facet at least a weight above 0.")
        return read


class CommunitySchema(StrictSchema):
    """The settings of a community that can be changed."""

    read_only: ClassVar[tuple[str, ...]] = ("id",)

    name = Line(100)
    radius_km = Number(1, 200)
    group_size = Whole(2, 8)
    cooldown_days = Whole(0, 3650)
    facet_weights = FacetWeights(allow_none=True)
    support_text = Text(2000, allow_none=True)
    acquaintances = Flag()
    admin_attributes = Several(Line(60), 20, unique=True)
    separate_by = Several(Line(60), 20, unique=True)


class CommunityAnswer(CommunitySchema):
    """A community as it is read back."""

    id = fields.String(required=True)


# What a null in a merge patch sets.
DEFAULTS: Mapping[str, Any] = {
    "radius_km": 25.0,
    "group_size": 2,
    "cooldown_days": 90,
    "facet_weights": None,
    "support_text": None,
    "acquaintances": True,
    "admin_attributes": (),
    "separate_by": (),
}


def read_changes(patch: Mapping[str, Any], community: Community) -> dict[str, Any]:
    """Return the settings that a merge patch gives to a community, or raise `Invalid`."""
    defaults = {name: DEFAULTS[name] for name, value in patch.items() if value is None and name in DEFAULTS}
    rest = {name: value for name, value in patch.items() if name not in defaults}
    if "facet_weights" in rest:
        rest["facet_weights"] = merge_patch(community.facet_weights, rest["facet_weights"])
    given: dict[str, Any] = CommunitySchema().read(rest)
    return defaults | given


def community_wire(community: Community) -> dict[str, Any]:
    """Return a community as it is read back."""
    weights = community.facet_weights
    return {
        "id": community.id,
        "name": community.name,
        "radius_km": community.radius_km,
        "group_size": community.group_size,
        "cooldown_days": community.cooldown_days,
        "facet_weights": None if weights is None else dict(weights),
        "support_text": community.support_text,
        "acquaintances": community.acquaintances,
        "admin_attributes": list(community.admin_attributes),
        "separate_by": list(community.separate_by),
    }
