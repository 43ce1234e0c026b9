"""One round: what was asked for, the groups that came of it, and how good they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

SMALLEST, LARGEST = 2, 8  # members that a round's groups may be asked to have
REPEAT, SIZE = "repeat", "size"  # what may be relaxed, in this order
NO_PEER, ODD_ONE, ERASED = "no_feasible_peer", "odd_one", "erased"  # why somebody is left out

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class RoundRules:
    """State what a round has to keep to, besides the members' own constraints.

    Parameters
    ----------
    group_size : int
        2 to 8.
    seed : int
        Orders what is equally good.
    together : tuple of frozenset of str
        Members who must be in one group; overlapping sets are one set.
    apart : tuple of frozenset of str
        No two of a set are in one group.
    never : frozenset of frozenset of str
        Pairs that must not meet, such as blocks and declines.
    recent : frozenset of frozenset of str
        Pairs that met within the cool-down: the first rule to be relaxed.
    first : frozenset of str
        Who was left out last time.

    Raises
    ------
    ValueError
        If the size is out of range, a pair is not of two, or a set that must be together must be apart too.
    """

    group_size: int = 2
    seed: int = 0
    together: tuple[frozenset[str], ...] = ()
    apart: tuple[frozenset[str], ...] = ()
    never: frozenset[Pair] = field(default_factory=frozenset)
    recent: frozenset[Pair] = field(default_factory=frozenset)
    first: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not SMALLEST <= self.group_size <= LARGEST:
            raise ValueError(f"expected a group size of {SMALLEST} to {LARGEST}, got {self.group_size}")
        for pair in (*self.never, *self.recent):
            if len(pair) != 2:
                raise ValueError(f"expected pairs of two members, got {sorted(pair)}")
        for pinned in self.pins():
            if len(pinned) > self.group_size + 1:
                raise ValueError(
                    f"expected at most {self.group_size + 1} members together, got {sorted(pinned)}"
                )
            if any(self.forbids(a, b) for a, b in combinations(sorted(pinned), 2)):
                raise ValueError(f"expected members together who may meet, got {sorted(pinned)}")

    def pins(self) -> tuple[frozenset[str], ...]:
        """Return the sets that must be together, joined where they overlap, each of two or more."""
        joined: list[frozenset[str]] = []
        for more in self.together:
            touching = [one for one in joined if one & more]
            joined = [one for one in joined if not one & more]
            joined.append(more.union(*touching))
        return tuple(sorted((one for one in joined if len(one) > 1), key=sorted))

    def forbids(self, a: str, b: str) -> bool:
        """Tell whether these rules alone keep two apart."""
        return frozenset((a, b)) in self.never or any(a in one and b in one for one in self.apart)


@dataclass(frozen=True, slots=True)
class Group:
    """Name the members of a group, sorted, with their mean score by pair and each rule that was relaxed.

    ``repeat``: two of them met within the cool-down; ``size``: the group is more than one member off the
    size asked for.
    """

    members: tuple[str, ...]
    score: float
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """Hold the groups, who is left out and why, and the figures of the round.

    Attributes
    ----------
    groups : tuple of Group
        Sorted by members.
    left_out : mapping of str to str
        ``no_feasible_peer``: nobody here may be met; ``odd_one``: all whom they may meet are taken;
        ``erased``: the matcher doesn't know the id.
    participants, placed, repeats : int
        Repeats are pairs within the cool-down.
    mean_score, worst_score : float
        Over all pairs in groups; 0 where there are none.
    total, bound : float
        The sum of the square roots of the scores over all pairs in groups, and what no plan of the same
        number of groups of each size can exceed on the graph that was searched. Of pairs: those that were
        found before odd members joined, and what no as many pairs with as few repeats can.
    bound_ratio : float
        Total over bound, 1 where the bound is 0.
    """

    groups: tuple[Group, ...]
    left_out: Mapping[str, str]
    participants: int
    placed: int
    repeats: int
    mean_score: float
    worst_score: float
    total: float
    bound: float
    bound_ratio: float


def relaxations(size: int, members: int, repeats: int) -> tuple[str, ...]:
    """Name what was relaxed for a group, in the order in which rules are."""
    return (REPEAT,) * (repeats > 0) + (SIZE,) * (abs(members - size) > 1)
