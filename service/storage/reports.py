"""Reports: rows to reports and back. Ids are looked up by code, so that none outlives its member."""

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, update

from service.records import Report
from service.storage.communities import Write
from service.storage.tables import profiles, reports

_REPORTER = profiles.alias("reporter")
_REPORTED = profiles.alias("reported")


def _chosen(community: int) -> Select[Any]:
    c = reports.c
    by = and_(_REPORTER.c.community == c.community, _REPORTER.c.code == c.profile_code)
    about = and_(_REPORTED.c.community == c.community, _REPORTED.c.code == c.peer_code)
    return (
        select(
            c.id,
            _REPORTER.c.id.label("profile"),
            func.coalesce(_REPORTED.c.id, c.stranger).label("peer"),
            c.peer_code,
            c.reason,
            c.detail,
            c.state,
            c.created_at,
        )
        .select_from(reports)
        .outerjoin(_REPORTER, by)
        .outerjoin(_REPORTED, about)
        .where(c.community == community)
    )


def _as_report(row: Row[Any]) -> Report:
    return Report(**row._mapping)


def insert_report(write: Write, report: Report, profile_code: str, stranger: str | None) -> None:
    """Insert a report; `stranger` is the reported id where nobody is a member under it."""
    names = ("id", "peer_code", "reason", "detail", "state", "created_at")
    row = {name: getattr(report, name) for name in names}
    write.connection.execute(
        insert(reports).values(
            **row, community=write.community.number, profile_code=profile_code, stranger=stranger
        )
    )


def find_report(connection: Connection, community: int, report_id: str) -> Report | None:
    """Return a report, if there is one of this id."""
    row = connection.execute(_chosen(community).where(reports.c.id == report_id)).one_or_none()
    return _as_report(row) if row else None


def page_of_reports(connection: Connection, community: int, after: str, limit: int) -> list[Report]:
    """Return up to `limit` reports whose ids follow `after`."""
    chosen = _chosen(community).where(reports.c.id > after).order_by(reports.c.id).limit(limit)
    return [_as_report(row) for row in connection.execute(chosen)]


def reports_by(connection: Connection, community: int, code: str) -> list[Report]:
    """Return what one member reported."""
    chosen = _chosen(community).where(reports.c.profile_code == code).order_by(reports.c.id)
    return [_as_report(row) for row in connection.execute(chosen)]


def set_state(write: Write, report_id: str, state: str) -> None:
    """Give a report another state."""
    here = and_(reports.c.community == write.community.number, reports.c.id == report_id)
    write.connection.execute(update(reports).where(here).values(state=state))


def forget_member(write: Write, code: str) -> None:
    """Take out of the reports by and about a member what anybody wrote, and who the member was."""
    here = reports.c.community == write.community.number
    about = update(reports).where(here, reports.c.peer_code == code)
    write.connection.execute(about.values(detail=None, stranger=None))
    # Whoever comes back under the id of who filed them starts empty.
    filed = update(reports).where(here, reports.c.profile_code == code)
    write.connection.execute(filed.values(detail=None, profile_code=""))
