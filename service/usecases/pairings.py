"""Whether some can be one group of a round, by their profiles alone."""

from collections.abc import Sequence
from datetime import date

from matching import Profile
from service.records import Community

LARGEST = 8


def can_meet(community: Community, profiles: Sequence[Profile], on: date, days: int) -> bool:
    """Tell whether the profiles of some let them be one group in these days."""
    # Imported here: numpy takes its time, which only a first one has to wait for.
    from matching.round import Group, RoundRules
    from matching.round_check import check_round

    group = Group(tuple(sorted(profile.id for profile in profiles)), 0.0)
    rules = RoundRules(group_size=max(2, min(len(profiles), LARGEST)))
    return not check_round([group], profiles, rules, on, days=days, separate_by=community.separate_by)
