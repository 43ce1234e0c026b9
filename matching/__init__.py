"""Kith's matching library: profiles in, suggestions and introductions out.

No clock, no randomness, no environment, no network. What needs only the standard library and h3 is imported
at once; the estimators, which need scikit-learn (a second or more), on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .answer import Acquaintance, Answer, Introduction, Shortfall, Suggestion
from .forgetting import forget
from .model import TermModel
from .profile import FACETS, MODES, Place, Profile, Slot
from .terms import fold, normalise

if TYPE_CHECKING:
    from .features import ProfileVectorizer
    from .index import PeerIndex
    from .matcher import Matcher

__all__ = [
    "FACETS",
    "MODES",
    "Acquaintance",
    "Answer",
    "Introduction",
    "Matcher",
    "PeerIndex",
    "Place",
    "Profile",
    "ProfileVectorizer",
    "Shortfall",
    "Slot",
    "Suggestion",
    "TermModel",
    "fold",
    "forget",
    "normalise",
]

_ON_USE = {"Matcher": "matcher", "PeerIndex": "index", "ProfileVectorizer": "features"}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ON_USE[name]}", __name__), name)
