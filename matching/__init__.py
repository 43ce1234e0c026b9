"""Kith's matching library: profiles in, suggestions and introductions out.

No clock, no randomness, no environment, no network. What needs only the standard library and h3 is imported
at once; the estimators, which need scikit-learn (a second), on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .answer import Acquaintance, Answer, Front, Introduction, Shortfall, Suggestion
from .forgetting import forget
from .model import TermModel
from .profile import FACETS, MODES, Place, Profile, Slot
from .round import Group, RoundPlan, RoundRules
from .terms import fold, normalise

if TYPE_CHECKING:
    from .features import ProfileVectorizer
    from .index import PeerIndex
    from .matcher import Matcher
    from .pair_graph import PairGraph
    from .pairing import plan_graph, plan_round
    from .round_check import check_round

__all__ = [
    "FACETS",
    "MODES",
    "Acquaintance",
    "Answer",
    "Front",
    "Group",
    "Introduction",
    "Matcher",
    "PairGraph",
    "PeerIndex",
    "Place",
    "Profile",
    "ProfileVectorizer",
    "RoundPlan",
    "RoundRules",
    "Shortfall",
    "Slot",
    "Suggestion",
    "TermModel",
    "check_round",
    "fold",
    "forget",
    "normalise",
    "plan_graph",
    "plan_round",
]

_ON_USE = {
    "Matcher": "matcher",
    "PairGraph": "pair_graph",
    "PeerIndex": "index",
    "ProfileVectorizer": "features",
    "check_round": "round_check",
    "plan_graph": "pairing",
    "plan_round": "pairing",
}


def __getattr__(name: str) -> Any:
    if name not in _ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ON_USE[name]}", __name__), name)
