"""Fronts: who stood in front for a question, kept beside its answers.

What others change moves the key of an answer, but not that of a front: whoever changed since is looked at
instead. docs/adr/0018-fronts.md says why nobody else can matter.
"""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.records import Access
from service.storage.followed import Followed

if TYPE_CHECKING:
    from matching import Front

MOST_CHANGED = 5000  # more are not looked at one by one


@dataclass(frozen=True, slots=True)
class KeptFront:
    """A front, the newest stamp in reach when it was made, and the change that the matcher had reached."""

    front: "Front"
    stamp: str
    reached: int

    def encode(self) -> bytes:
        """Return what is kept."""
        front = self.front
        kept = [self.stamp, self.reached, front.ids, front.by_rank, front.by_moved]
        return json.dumps(kept, separators=(",", ":")).encode()

    @classmethod
    def of(cls, front: "Front", access: Access) -> "KeptFront":
        """Return a front that the matcher made just where the community stood when it was asked."""
        return cls(front, access.standing().tiles, access.community.change_number)

    @classmethod
    def decode(cls, kept: bytes) -> "KeptFront":
        """Return what was kept."""
        from matching import Front

        stamp, reached, ids, *marks = json.loads(kept)
        by_rank, by_moved = (mark and (float(mark[0]), int(mark[1])) for mark in marks)
        return cls(Front(tuple(ids), by_rank, by_moved), stamp, reached)


def front_for(access: Access, kept: KeptFront | None, followed: Followed | None) -> "Front | None":
    """Return the front to ask with: the one kept, with who changed since, or an empty one.

    None where the matcher is ahead of what was read: what it answers must not be kept for others.
    """
    from matching import Front

    if followed is None:
        return None
    followed.note(access.standing().tiles)
    # One that is newer than this process' matcher may hold what was not yet when the question was asked.
    if kept is None or kept.reached > followed.reached:
        return Front()
    changed = followed.since(kept.stamp)
    if changed is None or len(changed) > MOST_CHANGED:
        return Front()
    return replace(kept.front, changed=changed)
