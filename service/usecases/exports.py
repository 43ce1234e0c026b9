"""Export profiles as a stream, in pages, so that no reader holds a transaction open."""

from collections.abc import Iterator

from service.records import Member
from service.storage.session import Session

MEMBERS_PER_PAGE = 500


def export_profiles(session: Session) -> Iterator[Member]:
    """Yield every member in the order of their ids' bytes."""
    after = ""
    while page := session.page_of_members(after, MEMBERS_PER_PAGE):
        yield from page
        after = page[-1].record.id
