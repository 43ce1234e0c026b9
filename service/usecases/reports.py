"""Reports: they block at once, reach the community's admins, and outlive who was reported."""

import secrets
from dataclasses import replace

from service.errors import NotFound, Stale
from service.records import Report, content_hash
from service.storage import reports
from service.storage.events import emit
from service.storage.session import Session
from service.usecases.blocks import block_in
from service.usecases.profiles import Condition
from service.usecases.responses import find_member


def file_report(session: Session, profile_id: str, peer_id: str, reason: str, detail: str | None) -> Report:
    """Report somebody, and block them."""
    with session.write() as write:
        me = find_member(write, profile_id)
        peer, pair = block_in(write, me, peer_id)
        code = write.community.code_of(peer_id)
        # Ids sort by time, so that the list does.
        made = f"rep_{write.now:012x}{secrets.token_hex(6)}"
        # The answer may be kept: no erased id may come back by it. Who blocks the reporter is as if erased.
        named = peer_id if peer else pair.theirs.stranger
        shown = None if pair.theirs.blocked_at is not None else named
        report = Report(made, profile_id, shown, code, reason, detail, "open", write.now)
        reports.insert_report(write, report, me.code, pair.theirs.stranger if peer is None else None)
        # Who reported whom is for the admins to fetch.
        emit(write, "report.filed", {"report": made})
        return report


def resolve_report(session: Session, report_id: str, state: str, holds: Condition) -> Report:
    """Give a report another state."""
    with session.write() as write:
        report = reports.find_report(write.connection, write.community.number, report_id)
        if report is None:
            raise NotFound("There is no such report.")
        if not holds(etag_of(report)):
            raise Stale("The report has changed since it was read.")
        reports.set_state(write, report_id, state)
        return replace(report, state=state)


def etag_of(report: Report) -> str:
    """Return a hash of what is shown of a report."""
    return content_hash([report.id, report.profile, report.peer, report.detail, report.state])
