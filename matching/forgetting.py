"""What the package remembers of members between calls, outside any matcher, and how it forgets."""

from .completion import folded
from .profile import accuracy_of, centre_of
from .terms import normalise


def forget() -> None:
    """Forget every term and cell that was ever looked at; only the next looks take longer.

    Time zones with their dates stay, and the table of kindred terms: they are nobody's own.
    """
    for remembered in (accuracy_of, centre_of, folded, normalise):
        remembered.cache_clear()
