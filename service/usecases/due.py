"""What ends by time in a community, as ordinary writes: pauses, moves, accepts, cool-downs, meetups."""

from service.storage.session import Session
from service.usecases import outcomes, pairs, profiles


def settle_due(session: Session) -> None:
    """Carry out what has ended by time, for members, between them, and of their meetups."""
    with session.write() as write:
        profiles.settle_due(write)
        pairs.settle_due(write)
        outcomes.settle_due(write)
