"""What the package remembers of members between calls, outside any matcher, and how it forgets."""

import sys

from .completion import folded
from .profile import accuracy_of, centre_of
from .terms import normalise

# Caches of modules that are loaded when they are first needed: what isn't loaded remembers nothing.
_LATER = {
    "meeting": ("_cut",),
    "segment": ("reach",),
    "venues": ("_point", "_area"),
    "round_check": ("_free",),
}


def forget() -> None:
    """Forget every term, cell and availability that was ever looked at; only the next looks take longer.

    Time zones with their dates stay, hours of venues, and the table of kindred terms: they are nobody's own.
    """
    for remembered in (accuracy_of, centre_of, folded, normalise):
        remembered.cache_clear()
    for name, caches in _LATER.items():
        module = sys.modules.get(f"{__package__}.{name}")
        for cache in caches if module else ():
            getattr(module, cache).cache_clear()
