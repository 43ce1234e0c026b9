"""Profiles over HTTP: create, replace, change, read, list, erase."""

from dataclasses import replace
from typing import Any

from flask import Response
from flask.views import MethodView

from service.errors import Invalid
from service.records import Member, ProfileRecord
from service.schemas.base import AnyObject
from service.schemas.profiles import (
    ProfileAnswer,
    ProfilePage,
    ProfileSchema,
    patched_record,
    profile_wire,
)
from service.schemas.queries import PageQuery
from service.usecases import profiles
from service.usecases.erasures import erase_profile
from service.web.access import reads_profile
from service.web.answers import condition, nothing, page, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.idempotency import idempotent, speaks_of
from service.web.state import access, link, session

blueprint = Blueprint(
    "profiles", __name__, url_prefix="/v1/profiles", description="The members to be matched."
)


@blueprint.route("")
class Profiles(MethodView):
    """All profiles of the community."""

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, ProfilePage)
    def get(self, query: dict[str, Any]) -> Response:
        """List profiles in the order of their ids."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        members = session().page_of_members(after, limit + 1)
        return page(members, limit, profile_wire, lambda last: [last.record.id])

    @idempotent()
    @blueprint.arguments(ProfileSchema)
    @blueprint.response(201, ProfileAnswer, headers=ETAG)
    def post(self, record: ProfileRecord) -> Response:
        """Create a profile."""
        member = profiles.create_profile(session(), access(), record)
        speaks_of(member.record.id)
        return _show(member, 201)


@blueprint.route("/<profile_id:profile_id>")
class Profile(MethodView):
    """One profile."""

    @reads_profile
    @blueprint.response(200, ProfileAnswer, headers=ETAG)
    def get(self, profile_id: str) -> Response:
        """Read a profile."""
        return _show(access().asked())

    @blueprint.arguments(ProfileSchema)
    @blueprint.response(200, ProfileAnswer, headers=ETAG)
    @blueprint.alt_response(201, schema=ProfileAnswer, headers=ETAG, success=True)
    def put(self, record: ProfileRecord, profile_id: str) -> Response:
        """Create a profile or replace it whole."""
        named = _with_id(record, profile_id)
        saved = profiles.replace_profile(session(), access(), named, condition())
        return _show(saved.member, 201 if saved.outcome == "created" else 200)

    @blueprint.arguments(AnyObject, content_type="application/merge-patch+json")
    @blueprint.response(200, ProfileAnswer, headers=ETAG)
    def patch(self, patch: dict[str, Any], profile_id: str) -> Response:
        """Change some fields by a JSON merge patch; null removes a field or sets its default."""
        if "id" in patch and patch["id"] != profile_id:
            raise Invalid({"id": ["Can't be changed."]})
        if "name" in patch and patch["name"] is None:
            raise Invalid({"name": ["Can't be removed."]})

        def change(record: ProfileRecord) -> ProfileRecord:
            return patched_record(ProfileSchema(), record, patch)

        return _show(profiles.change_profile(session(), access(), profile_id, change, condition()))

    @blueprint.response(204)
    def delete(self, profile_id: str) -> Response:
        """Erase a member everywhere."""
        erase_profile(session(), profile_id, condition())
        return nothing()


def _with_id(record: ProfileRecord, profile_id: str) -> ProfileRecord:
    if record.id not in {"", profile_id}:
        raise Invalid({"id": ["Must be the id in the path."]})
    return replace(record, id=profile_id)


def _show(member: Member, status: int = 200) -> Response:
    headers = {"Location": link("profiles.Profile", profile_id=member.record.id)} if status == 201 else None
    return tagged(profile_wire(member), member.etag, status, headers)
