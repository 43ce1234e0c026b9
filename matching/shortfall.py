"""Why a list is short: in comes the rules' verdict, out come reasons and what to relax."""

import numpy as np

from .answer import Shortfall
from .arrays import BoolArray
from .facts import Question
from .profile import Profile
from .rules import Verdict

WIDER = 2  # times the radius: what counts as within reach of a change


def explain(missing: int, profile: Profile, question: Question, verdict: Verdict) -> Shortfall:
    """Tell what alone keeps back at least one member, and what changed alone would bring one."""
    kept_back = _reasons(profile, question, verdict)
    reasons = tuple(name for name, mask in kept_back.items() if mask.any())
    brought = {
        name: int(np.count_nonzero(mask)) for name, mask in _relaxations(profile, question, verdict).items()
    }
    relax = sorted((name for name, count in brought.items() if count), key=lambda name: -brought[name])
    return Shortfall(missing, reasons, tuple(relax))


def paused(missing: int) -> Shortfall:
    """Tell a paused member why they get nothing."""
    return Shortfall(missing, ("paused",), ())


def _reasons(profile: Profile, question: Question, verdict: Verdict) -> dict[str, BoolArray]:
    """Return, in the contract's order, whom each reason alone keeps back."""
    v = verdict
    wide = WIDER * question.reach_of(profile.radius_km)
    apart = v.present & ~v.meets & v.language & v.slot & v.sought
    no_location = apart & v.peer_in_person & v.peer_placed & _could_come(profile, question)
    near_or_online = v.peer_online | (v.peer_in_person & v.near_ok)
    return {
        "no_location": no_location,
        "too_far": apart & v.both_in_person & (v.km <= wide),
        "no_shared_mode": apart & ~v.both_in_person & ~v.both_online & near_or_online & ~no_location,
        "no_shared_slot": v.present & v.meets & v.language & ~v.slot & v.sought,
        "no_shared_language": v.present & v.meets & ~v.language & v.slot & v.sought,
        "not_sought": v.present & v.meets & v.language & v.slot & ~v.sought,
    }


def _relaxations(profile: Profile, question: Question, verdict: Verdict) -> dict[str, BoolArray]:
    """Return, in the contract's order, whom each change alone would bring."""
    v = verdict
    apart = v.present & ~v.meets & v.language & v.slot & v.sought
    wide = np.minimum(WIDER * question.reach_of(profile.radius_km), v.peer_radius_km)
    return {
        # Who is within both radii meets already, so what is left lies beyond the asking member's own.
        "radius_km": apart & v.both_in_person & (v.km <= wide),
        "modes": apart & ((v.peer_in_person & v.near_ok) | v.peer_online),
        "availability": v.present & v.meets & v.language & ~v.slot & v.sought & v.has_hour,
        "languages": v.present & v.meets & ~v.language & v.slot & v.sought,
        "seeks": v.present & v.meets & v.language & v.slot & ~v.mine_met & v.theirs_met,
    }


def _could_come(profile: Profile, question: Question) -> bool:
    """Tell whether only a place keeps this member from meeting in person."""
    willing = profile.modes is None or "in_person" in profile.modes
    return profile.place is None and willing and question.mode != "online"
